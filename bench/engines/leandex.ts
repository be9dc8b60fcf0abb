import { readBytes, writeBytes } from '../../datasets/file.js';
import type { LeanIndex } from '../../src/graph/lean-index.js';
import type { SearchOptions } from '../../src/graph/options.js';
import { inFlight } from '../concurrent.js';
import {
  type Engine,
  type EngineContext,
  type EngineModule,
  rowOf,
  type Settings,
} from '../engine.js';

/** Searches under way at a time for each thread: enough that none of them waits for work. */
const IN_FLIGHT = 4;

/** What an index may have besides the interface that every version of it has. */
interface LaterIndex {
  searchAsync(query: Float32Array, k: number, options: SearchOptions): Promise<unknown>;
}

/** Options of `LeanIndex.build` but for dimensions and distance; unknown ones skip a contender. */
export const leandex: EngineModule<Settings, SearchOptions> = { name: 'leandex', create };

async function create(context: EngineContext<Settings, SearchOptions>): Promise<Engine> {
  const { LeanIndex } = await import('../../src/graph/lean-index.js');
  const { dimensions, distance, settings, search, threads } = context;
  let index: LeanIndex;
  let rows: Float32Array[] = [];
  const later = () => index as unknown as LaterIndex;
  return {
    async build({ data }) {
      const started = performance.now();
      index = await LeanIndex.build(data, { threads, ...settings, dimensions, distance });
      const seconds = (performance.now() - started) / 1000;
      return { seconds, threads };
    },
    save(path) {
      writeBytes(path, [index.toBytes()]);
    },
    load(path) {
      index = LeanIndex.fromBytes(readBytes(path));
    },
    describe() {
      const { mode, primaryDimensions, primaryBits, secondaryBits, energyKept, kernel, ...rest } =
        index.stats();
      const resolved = { mode, primaryDimensions, primaryBits, secondaryBits, energyKept, kernel };
      return { resolved, bytesPerVector: rest.bytesPerVector };
    },
    prepare(queries) {
      rows = Array.from({ length: queries.count }, (_, i) => rowOf(queries, i));
    },
    searcher(k, ef) {
      const options = { ...search, ef };
      return {
        search: (query) => index.search(rows[query], k, options),
        idsOf: (answer: { ids: Uint32Array }) => answer.ids,
      };
    },
    ...('searchAsync' in LeanIndex.prototype && {
      searchAll: (k: number, ef: number) =>
        inFlight(rows.length, IN_FLIGHT * threads, (query) =>
          later().searchAsync(rows[query], k, { ...search, ef }),
        ),
    }),
  };
}
