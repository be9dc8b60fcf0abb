import { cpSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Rows } from '../../datasets/elements.js';
import { LeandexError } from '../../src/base/errors.js';
import { inFlight } from '../concurrent.js';
import {
  type BytesPerVector,
  type Engine,
  type EngineContext,
  type EngineModule,
  formFor,
  rowOf,
} from '../engine.js';
import { loadPackage } from '../packages.js';
import type { Collection, Library } from './zvec-library.js';

export interface ZvecSettings {
  /** How the graph's vectors are stored; the originals lie beside them. */
  readonly codes: 'float32' | 'int8' | 'rabitq';
  readonly m: number;
  readonly efConstruction: number;
  /** Whether vectors are rotated before they become int8. */
  readonly rotate?: boolean;
}

export interface ZvecSearch {
  /** Whether what was found is ranked anew by the originals. */
  readonly refine?: boolean;
}

/** Builds on all threads; a query on one, several at a time on those of libuv. */
export const zvec: EngineModule<ZvecSettings, ZvecSearch> = {
  name: 'zvec',
  package: '@zvec/zvec',
  install: 'npm install --prefix bench/opponents',
  create,
};

type Context = EngineContext<ZvecSettings, ZvecSearch>;

const FIELD = 'v';

/** Documents that exist at a time. zvec takes 1,024 a call. */
const ROWS_AT_ONCE = 1000;

/** Queries under way at a time for each thread. */
const IN_FLIGHT = 2;

/** Warnings are about tuning. */
const LOG_ERRORS_ONLY = 3;

/**
 * Unit vectors by inner product for cosine. One collection a process: in version 0.7.0 a second one
 * with int8 codes finds nothing (recall 0) when the first had other codes or another metric.
 */
async function create(context: Context): Promise<Engine> {
  const { distance, settings, search, threads } = context;
  const { default: library } = await loadPackage<{ default: Library }>('@zvec/zvec');
  const { HNSW, HNSW_RABITQ } = library.ZVecIndexType;
  const indexType = settings.codes === 'rabitq' ? HNSW_RABITQ : HNSW;
  library.ZVecInitialize({
    ...{ logLevel: LOG_ERRORS_ONLY, queryThreads: threads, optimizeThreads: threads },
  });
  const inForm = formFor(distance);
  let folder = join(context.scratch, 'collection');
  let collection: Collection;
  let count = 0;
  let rows: Float32Array[] = [];
  const queryOf = (vector: Float32Array, topk: number, ef: number) => ({
    ...{ fieldName: FIELD, vector, topk, outputFields: [] },
    params: { indexType, ef, isUsingRefiner: search.refine ?? false },
  });

  const open = (path: string) => {
    folder = path;
    collection = library.ZVecOpen(folder, { readOnly: true });
    count = collection.stats.docCount;
  };

  return {
    async build(vectors) {
      const seconds = supported(() => {
        const made = library.ZVecCreateAndOpen(folder, schemaOf(library, context));
        const taken = fill(made, inForm(vectors), threads);
        made.closeSync();
        return taken;
      });
      // As an application finds it, and the same whether it comes from the cache or not.
      open(folder);
      return { seconds, threads };
    },
    save(path) {
      cpSync(folder, path, { recursive: true });
    },
    load: open,
    describe() {
      return {
        resolved: { ...settings, ...search },
        bytesPerVector: bytesOf(folder, count, context),
      };
    },
    prepare(queries) {
      const prepared = inForm(queries);
      rows = Array.from({ length: queries.count }, (_, i) => rowOf(prepared, i));
    },
    searcher(k, ef) {
      const queries = rows.map((row) => queryOf(row, k, ef));
      return {
        search: (query) => collection.querySync(queries[query]),
        idsOf: (answer: { id: string }[]) => answer.map(({ id }) => Number(id)),
      };
    },
    searchAll(k, ef) {
      const queries = rows.map((row) => queryOf(row, k, ef));
      return inFlight(rows.length, IN_FLIGHT * threads, (i) => collection.query(queries[i]));
    },
  };
}

/** RaBitQ is there on x86-64 with AVX2 only. */
function supported<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    if (code !== 'ZVEC_NOT_SUPPORTED') throw cause;
    throw new LeandexError('UNSUPPORTED', `zvec: ${message}`, { cause });
  }
}

function schemaOf(library: Library, context: Context): object {
  const { codes, m, efConstruction, rotate = false } = context.settings;
  const { ZVecIndexType, ZVecMetricType, ZVecQuantizeType, ZVecDataType } = library;
  const metricType = context.distance === 'Euclid' ? ZVecMetricType.L2 : ZVecMetricType.IP;
  const common = { metricType, m, efConstruction };
  const hnsw = { ...common, indexType: ZVecIndexType.HNSW, useContiguousMemory: true };
  const indexParams = {
    float32: hnsw,
    int8: {
      ...hnsw,
      quantizeType: ZVecQuantizeType.INT8,
      quantizerParams: { enableRotate: rotate },
    },
    rabitq: { ...common, indexType: ZVecIndexType.HNSW_RABITQ },
  }[codes];
  const { dimensions: dimension } = context;
  return new library.ZVecCollectionSchema({
    name: 'bench',
    vectors: { name: FIELD, dataType: ZVecDataType.VECTOR_FP32, dimension, indexParams },
  });
}

/** Inserts all rows and builds the graph, which zvec does on its own call only. */
function fill(collection: Collection, vectors: Rows<Float32Array>, concurrency: number): number {
  let milliseconds = 0;
  for (let first = 0; first < vectors.count; first += ROWS_AT_ONCE) {
    const size = Math.min(ROWS_AT_ONCE, vectors.count - first);
    const documents = Array.from({ length: size }, (_, i) => ({
      id: String(first + i),
      vectors: { [FIELD]: rowOf(vectors, first + i) },
    }));
    const started = performance.now();
    const failed = collection.insertSync(documents).find(({ ok }) => !ok);
    milliseconds += performance.now() - started;
    if (failed !== undefined) throw new Error(`zvec insert: ${failed.code} ${failed.message}`);
  }
  const started = performance.now();
  collection.optimizeSync({ concurrency });
  return (milliseconds + performance.now() - started) / 1000;
}

/**
 * From the sizes of zvec's own files: what is searched (qindex where there are codes, index
 * otherwise), and the originals where the re-rank reads them. Its share of codes is known, and the
 * rest of that file is the graph, and what its blocks of memory have left over.
 */
function bytesOf(
  folder: string,
  count: number,
  { dimensions, settings: { codes }, search }: Context,
): BytesPerVector {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const sizeOf = (part: string) =>
    files
      .filter((file) => file.includes(`${FIELD}.${part}.`))
      .reduce((sum, file) => sum + statSync(join(folder, file)).size, 0) / count;
  const bits = { float32: 32, int8: 8, rabitq: 7 }[codes];
  const searched = sizeOf(codes === 'float32' ? 'index' : 'qindex');
  const vectors = Math.min(searched, (dimensions * bits) / 8);
  const originals = search.refine ? dimensions * 4 : 0;
  const total = searched + originals;
  return {
    vectors,
    'graph and rest': searched - vectors,
    ...(originals > 0 && { originals }),
    total,
  };
}
