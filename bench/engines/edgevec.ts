import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LeandexError } from '../../src/base/errors.js';
import { type Engine, type EngineContext, type EngineModule, formFor, rowOf } from '../engine.js';
import { loadPackage, packageEntry } from '../packages.js';

export interface EdgevecSettings {
  readonly m: number;
  readonly efConstruction: number;
}

/** WebAssembly, one thread, float32. Its package runs in browsers first. */
export const edgevec: EngineModule<EdgevecSettings> = {
  name: 'edgevec',
  package: 'edgevec',
  install: 'npm install --prefix bench/opponents',
  create,
};

/** What is used of the package. */
interface Library {
  readonly EdgeVec: new (config: object) => Index;
  readonly EdgeVecConfig: new (
    dimensions: number,
  ) => object & { setMetricType(type: number): void };
  readonly MetricType: { readonly L2: number };
  initSync(input: { module: Uint8Array }): { readonly memory: WebAssembly.Memory };
  getSimdBackend(): string;
}

interface Found {
  readonly id: number;
}

interface Index {
  insertWithMetadata(vector: Float32Array, metadata: object): number;
  search(query: Float32Array, k: number): Found[];
  /** Options are JSON, and so is the answer: `{ results }`. */
  searchFiltered(query: Float32Array, k: number, options: string): string;
  memoryUsage(): number;
}

/**
 * Unit vectors by L2: with the metrics cosine and dot, version 0.9.0 finds the least similar.
 * It cannot save an index outside of a browser, nor read one that it wrote.
 */
async function create(context: EngineContext<EdgevecSettings>): Promise<Engine> {
  const { dimensions, distance, settings, efs, filters } = context;
  if (distance === 'Dot') {
    throw new LeandexError('UNSUPPORTED', 'edgevec 0.9.0 finds the least similar by inner product');
  }
  const library = await loadEdgevec();
  const inForm = formFor(distance);
  const byBeam = new Map<number, Index>();
  let rows: Float32Array[] = [];
  let count = 0;
  let firstId = 0;

  const makeIndex = (ef: number): Index => {
    const config = new library.EdgeVecConfig(dimensions);
    config.setMetricType(library.MetricType.L2);
    const { m, efConstruction: ef_construction } = settings;
    Object.assign(config, { m, m0: 2 * m, ef_construction, ef_search: ef });
    return new library.EdgeVec(config);
  };

  return {
    // The beam width of searches is fixed before the first vector, so each has an index; what they
    // took is divided by their number.
    async build(vectors) {
      const prepared = inForm(vectors);
      count = prepared.count;
      const metadata = metadataOf(count, filters);
      const started = performance.now();
      for (const ef of efs) {
        const index = makeIndex(ef);
        for (let i = 0; i < count; i++) {
          const id = index.insertWithMetadata(rowOf(prepared, i), metadata[i]);
          if (i === 0) firstId = id;
        }
        byBeam.set(ef, index);
      }
      return { seconds: (performance.now() - started) / 1000 / efs.length, threads: 1 };
    },
    describe() {
      const vectors = dimensions * 4;
      // Its own figure; it does not tell links from the rest.
      const total = byBeam.get(efs[0])!.memoryUsage() / count;
      return {
        resolved: { ...settings, metric: 'l2', kernel: library.getSimdBackend() },
        bytesPerVector: { vectors, other: total - vectors, total },
      };
    },
    prepare(queries) {
      const prepared = inForm(queries);
      rows = Array.from({ length: prepared.count }, (_, i) => rowOf(prepared, i));
    },
    searcher(k, ef) {
      const index = byBeam.get(ef)!;
      return {
        search: (query) => index.search(rows[query], k),
        idsOf: (answer: Found[]) => answer.map(({ id }) => id - firstId),
      };
    },
    filteredSearcher(k, ef, filter) {
      const index = byBeam.get(ef)!;
      // The filter is applied to what a search found: as many as its beam holds are asked for.
      const wanted = Math.max(k, ef);
      const options = JSON.stringify({ filter: `${filterKey(filter)} = true`, strategy: 'pre' });
      return {
        search: (query): Found[] =>
          JSON.parse(index.searchFiltered(rows[query], wanted, options)).results,
        idsOf: (answer: Found[]) => answer.slice(0, k).map(({ id }) => id - firstId),
      };
    },
  };
}

/** For each vector, which filters allow it. */
function metadataOf(count: number, filters: readonly Uint32Array[]): Record<string, boolean>[] {
  const allowed = filters.map((ids) => new Set(ids));
  return Array.from({ length: count }, (_, i) =>
    Object.fromEntries(allowed.map((ids, filter) => [filterKey(filter), ids.has(i)])),
  );
}

/** The key of the metadata that says whether a filter allows a vector. */
function filterKey(filter: number): string {
  return `allowed${filter}`;
}

async function loadEdgevec(): Promise<Library> {
  const library = await loadPackage<Library>('edgevec');
  const bytes = readFileSync(join(dirname(packageEntry('edgevec')), 'edgevec_bg.wasm'));
  library.initSync({ module: bytes });
  return library;
}
