import { checkInteger, checkRows, checkVector } from '../base/check.js';
import type { Distance } from '../base/distance.js';
import { LeandexError, outOfRange, wrongType } from '../base/errors.js';
import { type RunOptions, runSteps, type Steps, throwIfAborted } from '../base/steps.js';
import type { KernelVariant } from '../kernels/index.js';
import { type IndexModel, modelSteps } from '../quant/model.js';
import { ALONE, type Crew, crewOf } from '../threads/crew.js';
import { hasThreads, PoolLease } from '../threads/pool.js';
import { AllowList } from './allow-list.js';
import type { AllowedIds } from './id-set.js';
import {
  type BuildOptions,
  checkWriteOptions,
  type LeanIndexOptions,
  type ResolvedOptions,
  resolveOptions,
  resolveSearch,
  type SearchOptions,
  type WriteOptions,
} from './options.js';
import { isRepairDue, packSteps, repairSteps } from './repair.js';
import { checkRowValues } from './rows.js';
import {
  type BatchSearchResult,
  rowsAtOnce,
  type SearchPlan,
  type SearchResult,
} from './search.js';
import { SearchQueue } from './search-queue.js';
import { searchElsewhere, searchHere, searchOne, searchParts } from './searcher.js';
import { readIndex, writeIndex } from './snapshot.js';
import { emptyState, type IndexState, searchableCount } from './state.js';
import { type IndexStats, indexStats } from './stats.js';
import { addSteps, removeIds, updateSteps, type WriteContext } from './writes.js';

/** Fewer rows are inserted sooner than other threads would hear of them. */
const CREW_ROWS_MIN = 1024;

/**
 * An index in memory: vectors go in as float32 rows, are projected, quantized and linked into an
 * HNSW graph, and are searched there, all inside WebAssembly. Each vector gets an id, which never
 * changes and is never used again. Small indexes are kept as float32 and scanned exactly.
 */
export class LeanIndex {
  private readonly state: IndexState;
  private readonly pool = new PoolLease();
  /** The writes under way, one after the other. */
  private writing: Promise<unknown> = Promise.resolve();
  private pendingWrites = 0;
  /** Searches that run in other threads. */
  private readonly searches = new Set<Promise<unknown>>();
  private queue: Promise<SearchQueue> | undefined;
  private closing: Promise<void> | undefined;

  private constructor(state: IndexState) {
    this.state = state;
  }

  /**
   * Builds an index of vectors: a Float32Array of n rows of `dimensions` numbers, any n ≥ 0, which
   * get the ids 0 … n − 1. The event loop stays free.
   * @throws TypeError, RangeError for wrong options or input (code `INVALID_ARGUMENT`,
   * `DIMENSION_MISMATCH`); LeandexError `ABORTED`, `RESOURCE_EXHAUSTED`, `UNSUPPORTED`.
   */
  static async build(
    vectors: Float32Array,
    options: LeanIndexOptions & BuildOptions,
  ): Promise<LeanIndex> {
    const resolved = resolveOptions(options);
    const { dimensions } = resolved;
    checkRows('vectors', vectors, dimensions);
    const queries = checkQueries(options.queries, dimensions);
    const index = new LeanIndex(emptyState(resolved, undefined, hasThreads()));
    try {
      await index.write(vectors.length / dimensions, writeOptions(options), function* (context) {
        if (queries !== undefined)
          yield* checkRowValues(queries, { ...resolved, model: undefined }, 'queries');
        return yield* addSteps(index.state, vectors, vectors.length, { ...context, queries });
      });
    } catch (error) {
      await index.pool.release();
      throw error;
    }
    return index;
  }

  /**
   * Trains projection and codes on a sample of rows (n ≥ 1) and gives an empty index; add() then
   * encodes and links vectors without training again. Errors as for build().
   */
  static async train(
    sample: Float32Array,
    options: LeanIndexOptions & BuildOptions,
  ): Promise<LeanIndex> {
    const resolved = resolveOptions(options);
    const { dimensions } = resolved;
    if (checkRows('sample', sample, dimensions) === 0) {
      throw outOfRange('sample', 'at least one row', sample);
    }
    const queries = checkQueries(options.queries, dimensions);
    const model = await runSteps(trainSteps(sample, queries, resolved), runOptions(options));
    return new LeanIndex(emptyState(resolved, model, hasThreads()));
  }

  /**
   * Adds rows and resolves to their ids. All or nothing: after an error or an abort the index holds
   * what it held. Searches go on meanwhile and may already return the first of the new vectors. The
   * array is read until then: do not change it.
   * Errors as for build(), `CLOSED`.
   */
  async add(vectors: Float32Array, options: WriteOptions = {}): Promise<Uint32Array> {
    this.requireOpen();
    checkWriteOptions('add', options);
    checkRows('vectors', vectors, this.state.options.dimensions);
    const { state } = this;
    const { length } = vectors;
    const rows = length / state.options.dimensions;
    return this.write(rows, options, (context) => addSteps(state, vectors, length, context));
  }

  /**
   * Puts another vector in the place of that of an id. Searches return the old one until then.
   * Errors as for add(), LeandexError `NOT_FOUND`.
   */
  async update(id: number, vector: Float32Array, options: WriteOptions = {}): Promise<void> {
    this.requireOpen();
    checkWriteOptions('update', options);
    checkInteger('id', id, 0, 0xffff_ffff);
    checkVector('vector', vector, this.state.options.dimensions);
    await this.write(1, options, (context) => updateSteps(this.state, id, vector, context));
  }

  /**
   * Deletes ids: from this moment on none of them is returned. Resolves to how many there were, once
   * the graph is repaired around them where that was due; their memory is used again.
   * Errors as for add(); ids that were never assigned are an error, deleted ones are not. An abort
   * during the repair ends that, and leaves the ids deleted.
   */
  async delete(ids: Iterable<number>, options: WriteOptions = {}): Promise<number> {
    this.requireOpen();
    checkWriteOptions('delete', options);
    const wanted = checkIds(ids, this.state.ids.nextId);
    throwIfAborted(options.signal);
    const removed = removeIds(this.state, wanted);
    const { state } = this;
    if (isRepairDue(state, 'many deleted')) {
      await this.write(this.count, options, ({ crew }) => repairSteps(state, crew, 'many deleted'));
    }
    return removed;
  }

  /**
   * Repairs the graph around all that is deleted and gives the memory of free slots back. Ids stay as
   * they are. Errors as for add().
   */
  async compact(options: WriteOptions = {}): Promise<void> {
    this.requireOpen();
    checkWriteOptions('compact', options);
    const { state } = this;
    await this.write(this.count, options, function* ({ crew }) {
      yield* repairSteps(state, crew, 'all');
      yield* packSteps(state);
    });
  }

  /** Runs steps that work on so many rows after all writes before them. */
  private async write<T>(
    rows: number,
    options: WriteOptions,
    work: (context: WriteContext) => Steps<T>,
  ): Promise<T> {
    this.pendingWrites++;
    const previous = this.writing;
    const mine = previous
      .catch(() => {})
      .then(async () => {
        const crew = rows < CREW_ROWS_MIN ? ALONE : await this.crew(options.threads);
        const context = { crew, searchesDone: () => this.searchesDone() };
        return runSteps(work(context), runOptions(options));
      });
    this.writing = mine;
    try {
      return await mine;
    } finally {
      this.pendingWrites--;
    }
  }

  /** As many threads as wanted, or as the machine runs at once. */
  private async crew(threads = Number.POSITIVE_INFINITY): Promise<Crew> {
    if (!this.state.shared || threads === 1) return ALONE;
    const crew = crewOf(await this.pool.get(), threads);
    return crew.threads === 1 ? ALONE : crew;
  }

  private searchesDone(): Promise<unknown> | undefined {
    return this.searches.size === 0 ? undefined : Promise.allSettled(this.searches);
  }

  /**
   * The k nearest of a query of `dimensions` numbers, best first; all there are where k is larger.
   * @throws TypeError, RangeError for a wrong length, NaN, k below 1, or unknown options.
   */
  search(query: Float32Array, k: number, options: SearchOptions = {}): SearchResult {
    this.requireOpen();
    checkVector('query', query, this.state.options.dimensions);
    const { ids, scores } = searchOne(this.state, query, this.plan(k, options));
    return { ids, scores };
  }

  /** search() in another thread. Vectors deleted before it resolves are not returned. */
  async searchAsync(
    query: Float32Array,
    k: number,
    options: SearchOptions = {},
  ): Promise<SearchResult> {
    this.requireOpen();
    checkVector('query', query, this.state.options.dimensions);
    const { ids, scores } = await this.enqueue(query.slice(), 1, this.plan(k, options));
    return { ids, scores };
  }

  /**
   * The k nearest of each of m queries (m x dimensions, row-major), the queries split among threads:
   * ids and scores are m x k', where k' = min(k, count). Errors as for search().
   */
  async searchBatch(
    queries: Float32Array,
    k: number,
    options: SearchOptions = {},
  ): Promise<BatchSearchResult> {
    this.requireOpen();
    const { dimensions } = this.state.options;
    const m = checkRows('queries', queries, dimensions);
    await runSteps(checkRowValues(queries, { ...this.state.options, model: undefined }, 'query'));
    this.requireOpen();
    const plan = this.plan(k, options);
    const parts: Float32Array[] = [];
    const atOnce = rowsAtOnce(plan.k);
    for (let from = 0; from < m; from += atOnce) {
      parts.push(queries.slice(from * dimensions, Math.min(m, from + atOnce) * dimensions));
    }
    return searchParts(this.state, parts, plan.k, (rows) =>
      this.enqueue(rows, rows.length / dimensions, plan),
    );
  }

  /** Searches rows in another thread, together with what else waits. */
  private async enqueue(
    queries: Float32Array,
    rows: number,
    plan: SearchPlan,
  ): Promise<BatchSearchResult> {
    if (!this.state.shared) return searchHere(this.state, queries, plan);
    this.queue ??= this.startQueue();
    const search = this.queue.then((queue) => queue.search(queries, rows, plan));
    this.searches.add(search);
    try {
      return await search;
    } finally {
      this.searches.delete(search);
    }
  }

  private async startQueue(): Promise<SearchQueue> {
    const pool = await this.pool.get();
    const crew = crewOf(pool, pool.threads);
    const { state } = this;
    return new SearchQueue(
      (queries, plan) => searchElsewhere(state, queries, plan, crew),
      pool.threads,
    );
  }

  private plan(k: number, options: SearchOptions) {
    return resolveSearch(k, options, searchableCount(this.state), this.state.ids);
  }

  /**
   * Ids that searches may be restricted to, translated once for many searches.
   * @throws TypeError, RangeError `INVALID_ARGUMENT` for ids that were never assigned.
   */
  allowList(ids: AllowedIds): AllowList {
    this.requireOpen();
    return new AllowList(ids, this.state.ids);
  }

  /** Number of vectors. */
  get count(): number {
    return searchableCount(this.state);
  }

  /** Whether there is a vector with this id. */
  has(id: number): boolean {
    return this.state.ids.slotOf(id) >= 0;
  }

  get dimensions(): number {
    return this.state.options.dimensions;
  }

  get distance(): Distance {
    return this.state.options.distance;
  }

  /** Which instructions the kernels use here. */
  get kernel(): KernelVariant {
    return this.state.shards[0]!.nodes.kernels.variant;
  }

  /** Sizes and settings, measured from what the index holds. */
  stats(): IndexStats {
    return indexStats(this.state);
  }

  /**
   * The whole index as bytes, with checksums; the same index gives the same bytes.
   * @throws LeandexError `BUSY` while a write is under way, `CLOSED`.
   */
  toBytes(): Uint8Array {
    this.requireOpen();
    if (this.pendingWrites > 0) {
      throw new LeandexError('BUSY', 'a write is under way: await it before toBytes()');
    }
    return writeIndex(this.state);
  }

  /**
   * The index that toBytes() wrote, verified throughout.
   * @throws TypeError for anything but a Uint8Array; LeandexError `CORRUPT` for damaged bytes,
   * `UNSUPPORTED_VERSION` for those of another version of leandex.
   */
  static fromBytes(bytes: Uint8Array): LeanIndex {
    return new LeanIndex(readIndex(bytes, hasThreads()));
  }

  /**
   * Waits for what is under way and ends the threads, if no other index uses them. From now on all
   * but this fail with the code `CLOSED`.
   */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    await this.writing.catch(() => {});
    await this.searchesDone();
    await this.pool.release();
  }

  private requireOpen(): void {
    if (this.closing !== undefined) throw new LeandexError('CLOSED', 'the index is closed');
  }
}

function* trainSteps(
  sample: Float32Array,
  queries: Float32Array | undefined,
  options: ResolvedOptions,
): Steps<IndexModel> {
  const layout = { ...options, model: undefined };
  yield* checkRowValues(sample, layout, 'sample');
  if (queries !== undefined) yield* checkRowValues(queries, layout, 'queries');
  return yield* modelSteps(sample, { ...options, queries });
}

function checkQueries(
  queries: Float32Array | undefined,
  dimensions: number,
): Float32Array | undefined {
  if (queries === undefined) return undefined;
  if (checkRows('queries', queries, dimensions) === 0) {
    throw outOfRange('queries', 'at least one row', queries);
  }
  return queries;
}

/** Whole numbers that were assigned, each once. */
function checkIds(ids: Iterable<number>, nextId: number): Set<number> {
  if (typeof ids?.[Symbol.iterator] !== 'function' || typeof ids === 'string') {
    throw wrongType('ids', 'an array, typed array or Set of ids', ids);
  }
  const wanted = new Set<number>();
  for (const id of ids) wanted.add(checkInteger('id', id, 0, nextId - 1));
  return wanted;
}

function writeOptions({ onProgress, signal, threads }: BuildOptions): WriteOptions {
  return {
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
    ...(threads !== undefined && { threads }),
  };
}

function runOptions({ onProgress, signal }: WriteOptions): RunOptions {
  return { ...(onProgress && { onProgress }), ...(signal && { signal }) };
}
