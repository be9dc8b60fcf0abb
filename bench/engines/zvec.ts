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
  type Searcher,
} from '../engine.js';
import { loadPackage } from '../packages.js';
import type { Collection, Library, Status } from './zvec-library.js';

export interface ZvecSettings {
  /** How the graph's vectors are stored; the originals lie beside them. */
  readonly codes: 'float32' | 'int8' | 'rabitq';
  readonly m: number;
  readonly efConstruction: number;
  /** Whether vectors are rotated before they become int8. */
  readonly rotate?: boolean;
  /** Whether the graph lies in contiguous memory, as it does unless told. */
  readonly contiguous?: boolean;
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
  const { distance, settings, search, threads, filters, scratch } = context;
  const { default: library } = await loadPackage<{ default: Library }>('@zvec/zvec');
  library.ZVecInitialize({
    ...{ logLevel: LOG_ERRORS_ONLY, queryThreads: threads, optimizeThreads: threads },
  });
  const inForm = formFor(distance);
  const made = join(scratch, 'collection');
  let folder = made;
  let collection: Collection;
  let isReadOnly = true;
  let rows: Float32Array[] = [];
  const fieldsOf = fieldsBy(filters);
  const queriesOf = (k: number, ef: number) => {
    const form = queryForm(library, context, k, ef);
    return rows.map((vector) => ({ ...form, vector }));
  };
  const searcherOf = (queries: readonly object[]): Searcher => ({
    search: (query) => collection.querySync(queries[query]),
    idsOf: (answer: { id: string }[]) => answer.map(({ id }) => Number(id)),
  });

  const open = (path: string) => {
    folder = path;
    collection = library.ZVecOpen(folder, { readOnly: isReadOnly });
  };

  /** Opens the collection for changes, where it is one of this process alone. */
  const openForChanges = () => {
    if (!isReadOnly) return;
    collection.closeSync();
    if (folder !== made) cpSync(folder, made, { recursive: true });
    isReadOnly = false;
    open(made);
  };

  return {
    async build(vectors) {
      const seconds = supported(() => {
        const filled = library.ZVecCreateAndOpen(made, schemaOf(library, context));
        const ids = Uint32Array.from({ length: vectors.count }, (_, i) => i);
        const written = write(filled, 'insertSync', { ids, vectors: inForm(vectors), fieldsOf });
        const optimized = optimize(filled, threads);
        filled.closeSync();
        return (written + optimized) / 1000;
      });
      // As an application finds it, and the same whether it comes from the cache or not.
      open(made);
      return { seconds, threads };
    },
    save(path) {
      cpSync(folder, path, { recursive: true });
    },
    load: open,
    describe() {
      return {
        resolved: { ...settings, ...search },
        bytesPerVector: bytesOf(folder, collection.stats.docCount, context),
      };
    },
    prepare(queries) {
      const prepared = inForm(queries);
      rows = Array.from({ length: queries.count }, (_, i) => rowOf(prepared, i));
    },
    searcher: (k, ef) => searcherOf(queriesOf(k, ef)),
    filteredSearcher(k, ef, filter) {
      const condition = `${filterField(filter)} = true`;
      return searcherOf(queriesOf(k, ef).map((query) => ({ ...query, filter: condition })));
    },
    async change(removed, ids, vectors) {
      openForChanges();
      remove(collection, removed);
      write(collection, 'upsertSync', { ids, vectors: inForm(vectors), fieldsOf });
      optimize(collection, threads);
    },
    searchAll(k, ef) {
      const queries = queriesOf(k, ef);
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
  const { codes, m, efConstruction, rotate = false, contiguous = true } = context.settings;
  const { ZVecIndexType, ZVecMetricType, ZVecQuantizeType, ZVecDataType } = library;
  const metricType = context.distance === 'Euclid' ? ZVecMetricType.L2 : ZVecMetricType.IP;
  const common = { metricType, m, efConstruction };
  const hnsw = { ...common, indexType: ZVecIndexType.HNSW, useContiguousMemory: contiguous };
  const indexParams = {
    float32: hnsw,
    int8: {
      ...hnsw,
      quantizeType: ZVecQuantizeType.INT8,
      quantizerParams: { enableRotate: rotate },
    },
    rabitq: { ...common, indexType: ZVecIndexType.HNSW_RABITQ },
  }[codes];
  const { dimensions: dimension, filters } = context;
  return new library.ZVecCollectionSchema({
    name: 'bench',
    fields: filters.map((_, filter) => ({
      name: filterField(filter),
      dataType: ZVecDataType.BOOL,
      indexParams: { indexType: ZVecIndexType.INVERT },
    })),
    vectors: { name: FIELD, dataType: ZVecDataType.VECTOR_FP32, dimension, indexParams },
  });
}

/** A query without its vector, for ids alone. */
function queryForm(library: Library, { settings, search }: Context, topk: number, ef: number) {
  const { HNSW, HNSW_RABITQ } = library.ZVecIndexType;
  const indexType = settings.codes === 'rabitq' ? HNSW_RABITQ : HNSW;
  const params = { indexType, ef, isUsingRefiner: search.refine ?? false };
  return { fieldName: FIELD, topk, outputFields: [], params };
}

/** What gives the fields of a document. */
function fieldsBy(filters: readonly Uint32Array[]): (id: number) => Record<string, boolean> {
  const allowed = filters.map((ids) => new Set(ids));
  return (id) =>
    Object.fromEntries(allowed.map((ids, filter) => [filterField(filter), ids.has(id)]));
}

/** The field that says whether a filter allows a document; it has an index of its own. */
function filterField(filter: number): string {
  return `allowed${filter}`;
}

/** Inserts or replaces rows under their ids; the milliseconds without the preparation of documents. */
function write(
  collection: Collection,
  method: 'insertSync' | 'upsertSync',
  rows: {
    readonly ids: Uint32Array;
    readonly vectors: Rows<Float32Array>;
    readonly fieldsOf: (id: number) => Readonly<Record<string, boolean>>;
  },
): number {
  const { ids, vectors, fieldsOf } = rows;
  let milliseconds = 0;
  for (let first = 0; first < ids.length; first += ROWS_AT_ONCE) {
    const some = Array.from(ids.subarray(first, first + ROWS_AT_ONCE));
    const documents = some.map((id, i) => ({
      id: String(id),
      vectors: { [FIELD]: rowOf(vectors, first + i) },
      fields: fieldsOf(id),
    }));
    const started = performance.now();
    check(method, collection[method](documents));
    milliseconds += performance.now() - started;
  }
  return milliseconds;
}

function remove(collection: Collection, ids: Uint32Array): void {
  for (let first = 0; first < ids.length; first += ROWS_AT_ONCE) {
    const some = ids.subarray(first, first + ROWS_AT_ONCE);
    check('delete', collection.deleteSync(Array.from(some, String)));
  }
}

/** Builds the graph, which zvec does on its own call only; in milliseconds. */
function optimize(collection: Collection, concurrency: number): number {
  const started = performance.now();
  collection.optimizeSync({ concurrency });
  return performance.now() - started;
}

function check(what: string, statuses: readonly Status[]): void {
  const failed = statuses.find(({ ok }) => !ok);
  if (failed !== undefined) throw new Error(`zvec ${what}: ${failed.code} ${failed.message}`);
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
