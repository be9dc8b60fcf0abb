import { availableParallelism } from 'node:os';
import { readBytes, writeBytes } from '../../datasets/file.js';
import type { LeanIndex } from '../../src/graph/lean-index.js';
import type { SearchOptions } from '../../src/graph/options.js';
import {
  type Engine,
  type EngineContext,
  type EngineModule,
  rowOf,
  type Settings,
} from '../engine.js';

/** Options of `LeanIndex.build` but for dimensions and distance; unknown ones skip a contender. */
export const leandex: EngineModule<Settings, SearchOptions> = { name: 'leandex', create };

async function create(context: EngineContext<Settings, SearchOptions>): Promise<Engine> {
  const { LeanIndex } = await import('../../src/graph/lean-index.js');
  const { dimensions, distance, settings, search, filters } = context;
  let index: LeanIndex;
  let rows: Float32Array[] = [];
  let all: Float32Array = new Float32Array(0);
  return {
    async build({ data }) {
      const started = performance.now();
      const threads = availableParallelism();
      index = await LeanIndex.build(data, { ...settings, dimensions, distance, threads });
      return { seconds: (performance.now() - started) / 1000, threads };
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
      all = queries.data;
      rows = Array.from({ length: queries.count }, (_, i) => rowOf(queries, i));
    },
    searcher(k, ef) {
      const options = { ...search, ef };
      return {
        search: (query) => index.search(rows[query], k, options),
        idsOf: (answer: { ids: Uint32Array }) => answer.ids,
      };
    },
    filteredSearcher(k, ef, filter) {
      const options = { ...search, ef, allow: index.allowList(filters[filter]) };
      return {
        search: (query) => index.search(rows[query], k, options),
        idsOf: (answer: { ids: Uint32Array }) => answer.ids,
      };
    },
    async change(removed, ids, { data }) {
      await index.delete(removed);
      const isKnown = Array.from(ids, (id) => index.has(id));
      const rowAt = (i: number) => data.subarray(i * dimensions, (i + 1) * dimensions);
      for (const [i, id] of ids.entries()) if (isKnown[i]) await index.update(id, rowAt(i));
      const added = ids.filter((_, i) => !isKnown[i]);
      const vectors = new Float32Array(added.length * dimensions);
      let at = 0;
      for (let i = 0; i < ids.length; i++) {
        if (!isKnown[i]) vectors.set(rowAt(i), dimensions * at++);
      }
      await index.add(vectors, { ids: added });
    },
    async searchAll(k: number, ef: number) {
      await index.searchBatch(all, k, { ...search, ef });
    },
  };
}
