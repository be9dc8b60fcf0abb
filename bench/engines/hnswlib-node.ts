import type { HierarchicalNSW } from 'hnswlib-node';
import {
  type BytesPerVector,
  type Engine,
  type EngineContext,
  type EngineModule,
  rowOf,
} from '../engine.js';
import { loadPackage } from '../packages.js';

export interface HnswlibSettings {
  readonly m: number;
  readonly efConstruction: number;
}

/** One thread for everything: the binding has no other way. */
export const hnswlib: EngineModule<HnswlibSettings> = {
  name: 'hnswlib-node',
  package: 'hnswlib-node',
  install: 'npm install',
  create,
};

const SPACES = { Cosine: 'ip', Dot: 'ip', Euclid: 'l2' } as const;

/** A CommonJS package, loaded at run time. */
interface Exports {
  readonly default: typeof import('hnswlib-node');
}

/** The seed of hnswlib itself, stated because the result names all settings. */
const SEED = 100;

/** Rows whose arrays exist at a time: those of a whole corpus would take twice its memory. */
const ROWS_AT_ONCE = 1024;

async function create(context: EngineContext<HnswlibSettings>): Promise<Engine> {
  const { dimensions, distance, settings, filters } = context;
  const { default: library } = await loadPackage<Exports>('hnswlib-node');
  const index: HierarchicalNSW = new library.HierarchicalNSW(SPACES[distance], dimensions);
  let queryArrays: number[][] = [];

  /** The array of numbers that hnswlib-node takes; of unit length under cosine. */
  const arrayOf = (row: Float32Array): number[] => {
    const numbers = Array.from(row);
    if (distance !== 'Cosine') return numbers;
    const norm = Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0));
    return numbers.map((x) => x / norm);
  };

  return {
    async build(vectors) {
      const { m, efConstruction } = settings;
      const { count } = vectors;
      // Where deleted elements may be replaced the binding is the same otherwise.
      const allowReplaceDeleted = true;
      index.initIndex({
        maxElements: count,
        m,
        efConstruction,
        randomSeed: SEED,
        allowReplaceDeleted,
      });
      let milliseconds = 0;
      for (let first = 0; first < count; first += ROWS_AT_ONCE) {
        const size = Math.min(ROWS_AT_ONCE, count - first);
        const points = Array.from({ length: size }, (_, i) => arrayOf(rowOf(vectors, first + i)));
        const started = performance.now();
        for (let i = 0; i < size; i++) index.addPoint(points[i], first + i);
        milliseconds += performance.now() - started;
      }
      return { seconds: milliseconds / 1000, threads: 1 };
    },
    save(path) {
      index.writeIndexSync(path);
    },
    load(path) {
      index.readIndexSync(path, true);
    },
    describe() {
      const space = SPACES[distance];
      return {
        resolved: { ...settings, space, seed: SEED },
        bytesPerVector: bytesPerVector(dimensions, settings.m),
      };
    },
    prepare(queries) {
      queryArrays = Array.from({ length: queries.count }, (_, i) => arrayOf(rowOf(queries, i)));
    },
    searcher(k, ef) {
      index.setEf(ef);
      return {
        search: (query) => index.searchKnn(queryArrays[query], k),
        idsOf: (answer: { neighbors: number[] }) => answer.neighbors,
      };
    },
    filteredSearcher(k, ef, filter) {
      index.setEf(ef);
      const allowed = new Set(filters[filter]);
      const isAllowed = (label: number) => allowed.has(label);
      return {
        search: (query) => index.searchKnn(queryArrays[query], k, isAllowed),
        idsOf: (answer: { neighbors: number[] }) => answer.neighbors,
      };
    },
    async change(removed, ids, rows) {
      for (const label of removed) index.markDelete(label);
      const known = new Set(index.getIdsList());
      const added = ids.filter((label) => !known.has(label)).length;
      const needed = index.getCurrentCount() + added - removed.length;
      if (needed > index.getMaxElements()) index.resizeIndex(needed);
      for (const [i, label] of ids.entries()) {
        const isNew = !known.has(label);
        index.addPoint(arrayOf(rowOf(rows, i)), label, isNew);
      }
    },
  };
}

/**
 * What a search touches (hnswalg.h): at layer 0 the vector, a list of 2 M links behind its length,
 * and the label; the lists of the upper layers, of which there are 1 / (M - 1) a vector on average,
 * behind a pointer; and a visited mark of two bytes. The mutex of each element (40 bytes) and the
 * table from labels to elements serve updates only and are left out.
 */
function bytesPerVector(dimensions: number, m: number): BytesPerVector {
  const vectors = dimensions * 4;
  const upper = (4 + 4 * m) / (m - 1) + 8;
  const graph = 4 + 2 * m * 4 + upper;
  const other = 8 + 2;
  return { vectors, graph, other, total: vectors + graph + other };
}
