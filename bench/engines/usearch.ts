import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Distance } from '../../src/base/distance.js';
import { LeandexError } from '../../src/base/errors.js';
import {
  type BytesPerVector,
  type Engine,
  type EngineContext,
  type EngineModule,
  formFor,
  rowOf,
} from '../engine.js';
import { loadPackage } from '../packages.js';

export interface UsearchSettings {
  /** How a number is stored. */
  readonly scalar: 'f32' | 'f16' | 'i8';
  readonly m: number;
  readonly efConstruction: number;
}

/** Builds and searches of many queries on all threads; a single query on one. */
export const usearch: EngineModule<UsearchSettings> = {
  name: 'usearch',
  package: 'usearch',
  install: 'npm install --prefix bench/opponents',
  create,
};

/** What is used of the package. */
interface Library {
  readonly Index: new (config: object) => Index;
}

interface Index {
  /** Refuses a key that is there. */
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
  /** Ignores keys that are not there. */
  remove(keys: BigUint64Array): void;
  search(queries: Float32Array, k: number, threads: number): { readonly keys: BigUint64Array };
  save(path: string): void;
  load(path: string): void;
}

/** Unit vectors by inner product: measured a little faster than by the metric "cos". */
const METRICS: Record<Distance, string> = { Cosine: 'ip', Dot: 'ip', Euclid: 'l2sq' };

const SCALAR_BYTES = { f32: 4, f16: 2, i8: 1 } as const;

async function create(context: EngineContext<UsearchSettings>): Promise<Engine> {
  const { dimensions, distance, settings, threads } = context;
  const { scalar, m, efConstruction } = settings;
  if (scalar === 'i8' && distance !== 'Cosine') {
    throw new LeandexError('UNSUPPORTED', 'usearch i8 holds numbers from -1 to 1: cosine only');
  }
  const { Index } = (await loadPackage<{ default: Library }>('usearch')).default;
  const metric = METRICS[distance];
  const inForm = formFor(distance);
  const form = { dimensions, metric, quantization: scalar, connectivity: m };
  const makeIndex = (ef: number) =>
    new Index({ ...form, expansion_add: efConstruction, expansion_search: ef });

  let savedPath = join(context.scratch, 'index.usearch');
  let current: { readonly ef: number; readonly index: Index } | undefined;
  let isChanged = false;
  let queries: Float32Array = new Float32Array();
  let rows: Float32Array[] = [];

  /** The beam width is fixed when an index is made, so another one means to load it anew. */
  const withBeam = (ef: number): Index => {
    if (current?.ef === ef) return current.index;
    if (current !== undefined && isChanged) {
      savedPath = join(context.scratch, 'changed.usearch');
      current.index.save(savedPath);
      isChanged = false;
    }
    // The memory of the old index is native; only a collection gives it back.
    current = undefined;
    globalThis.gc?.();
    current = { ef, index: makeIndex(ef) };
    current.index.load(savedPath);
    return current.index;
  };

  return {
    async build(vectors) {
      const { count, data } = inForm(vectors);
      const keys = keysOf(Uint32Array.from({ length: count }, (_, i) => i));
      const index = makeIndex(context.efs[0]);
      const started = performance.now();
      index.add(keys, data, threads);
      const seconds = (performance.now() - started) / 1000;
      index.save(savedPath);
      return { seconds, threads };
    },
    save(path) {
      copyFileSync(savedPath, path);
      savedPath = path;
    },
    load(path) {
      savedPath = path;
    },
    describe() {
      if (current === undefined) withBeam(context.efs[0]);
      const bytes = bytesPerVector(dimensions * SCALAR_BYTES[scalar], m);
      return { resolved: { ...settings, metric }, bytesPerVector: bytes };
    },
    prepare(given) {
      const prepared = inForm(given);
      queries = prepared.data;
      rows = Array.from({ length: prepared.count }, (_, i) => rowOf(prepared, i));
    },
    searcher(k, ef) {
      const index = withBeam(ef);
      return {
        search: (query) => index.search(rows[query], k, 1),
        idsOf: (answer: { keys: BigUint64Array }) => Array.from(answer.keys, Number),
      };
    },
    async change(removed, ids, vectors) {
      const index = current?.index ?? withBeam(context.efs[0]);
      isChanged = true;
      const keys = keysOf(ids);
      index.remove(keysOf(removed));
      // A vector is replaced by removing it first.
      index.remove(keys);
      index.add(keys, inForm(vectors).data, threads);
    },
    async searchAll(k, ef) {
      withBeam(ef).search(queries, k, threads);
    },
  };
}

function keysOf(ids: Uint32Array): BigUint64Array {
  return BigUint64Array.from(ids, BigInt);
}

/**
 * What a search touches (index.hpp, index_dense.hpp): the vector behind a pointer; a node of key,
 * level and 2 M links behind their number, behind a pointer too, and the lists of the upper layers,
 * 1 / (M - 1) a vector on average. Left out, as with hnswlib: the lock bits and the table of keys.
 */
function bytesPerVector(vectors: number, m: number): BytesPerVector {
  const graph = 4 + 2 * m * 4 + (4 + 4 * m) / (m - 1);
  const other = 8 + 2 + 2 * 8;
  return { vectors, graph, other, total: vectors + graph + other };
}
