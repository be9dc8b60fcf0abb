import { checkInteger, checkRows, checkVector } from '../base/check.js';
import type { Distance } from '../base/distance.js';
import { LeandexError, outOfRange, wrongType } from '../base/errors.js';
import { drain, type RunOptions, runSteps, type Steps, throwIfAborted } from '../base/steps.js';
import { bytesSource } from '../format/container.js';
import type { KernelVariant } from '../kernels/index.js';
import { ALONE, type Crew, crewOf } from '../threads/crew.js';
import { hasThreads, PoolLease } from '../threads/pool.js';
import { AllowList } from './allow-list.js';
import { AsyncSearch } from './async-search.js';
import { energyMissed } from './energy.js';
import { checkGivenIds, checkKnownIds } from './given-ids.js';
import type { AllowedIds } from './id-set.js';
import { checkSource, type IndexSource, loadSteps } from './load.js';
import {
  type AddOptions,
  type BuildOptions,
  checkRunOptions,
  checkWriteOptions,
  type IdOptions,
  type LeanIndexOptions,
  resolveOptions,
  resolveSearch,
  type SearchOptions,
  type WriteOptions,
} from './options.js';
import { isRepairDue, packSteps, repairSteps } from './repair.js';
import { checkRowValues } from './rows.js';
import { checkMeta, type IndexMeta, type PartWriter, saveSteps, toBytes } from './save.js';
import type { BatchSearchResult, SearchResult } from './search.js';
import { searchOne } from './searcher.js';
import type { Shard } from './shard.js';
import { emptyState, type IndexState, searchableCount } from './state.js';
import { type IndexStats, indexStats } from './stats.js';
import { checkQueries, checkQueryValues, trainSteps } from './train.js';
import { WriteQueue } from './write-queue.js';
import { addSteps, removeIds, updateSteps, type WriteContext } from './writes.js';

/** What is saved with an index. */
export interface SaveContent {
  /** Words of the caller, which load() gives back. */
  meta?: IndexMeta;
}

export type SaveOptions = SaveContent & RunOptions;

export interface LoadResult {
  index: LeanIndex;
  /** What was given to save() or toBytes(); empty without any. */
  meta: IndexMeta;
}

/** Fewer rows are inserted sooner than other threads would hear of them. */
const CREW_ROWS_MIN = 1024;

/**
 * An index in memory: vectors go in as float32 rows, are projected, quantized and linked into an
 * HNSW graph, and are searched there, all inside WebAssembly. Each vector gets an id, or is given
 * one, which never changes. Small indexes are kept as float32 and scanned exactly.
 */
export class LeanIndex {
  private readonly state: IndexState;
  private readonly pool = new PoolLease();
  private readonly writes = new WriteQueue();
  private readonly searches: AsyncSearch;
  private closing: Promise<void> | undefined;

  private constructor(state: IndexState) {
    this.state = state;
    this.searches = new AsyncSearch(state, this.pool);
  }

  /**
   * Builds an index of vectors: a Float32Array of n rows of `dimensions` numbers, any n ≥ 0, which
   * get the ids 0 … n − 1, or those given. The event loop stays free.
   * @throws TypeError, RangeError for wrong options or input (code `INVALID_ARGUMENT`,
   * `DIMENSION_MISMATCH`); LeandexError `ABORTED`, `RESOURCE_EXHAUSTED`, `UNSUPPORTED`.
   */
  static async build(
    vectors: Float32Array,
    options: LeanIndexOptions & BuildOptions & IdOptions,
  ): Promise<LeanIndex> {
    const resolved = resolveOptions(options, ['ids']);
    const { dimensions } = resolved;
    const rows = checkRows('vectors', vectors, dimensions);
    const queries = checkQueries(options.queries, dimensions);
    const given = options.ids === undefined ? undefined : checkGivenIds(options.ids, rows);
    const index = new LeanIndex(emptyState(resolved, undefined, hasThreads()));
    try {
      await index.write(rows, writeOptions(options), function* (context) {
        yield* checkQueryValues(queries, resolved);
        return yield* addSteps(index.state, vectors, vectors.length, {
          ...context,
          queries,
          given,
        });
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
   * array is read until then: do not change it. Ids that were given can be deleted from the call on.
   * Errors as for build(), `CLOSED`.
   */
  async add(vectors: Float32Array, options: AddOptions = {}): Promise<Uint32Array> {
    this.requireOpen();
    checkWriteOptions('add', options, ['ids']);
    const { state } = this;
    const rows = checkRows('vectors', vectors, state.options.dimensions);
    const { length } = vectors;
    const given = options.ids === undefined ? undefined : checkGivenIds(options.ids, rows);
    if (given !== undefined) state.given.add(given);
    try {
      return await this.write(rows, options, (context) =>
        addSteps(state, vectors, length, { ...context, given }),
      );
    } finally {
      if (given !== undefined) state.given.delete(given);
    }
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
    const wanted = checkKnownIds(ids, this.state);
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
  private write<T>(
    rows: number,
    options: WriteOptions,
    work: (context: WriteContext) => Steps<T>,
  ): Promise<T> {
    return this.writes.run(async () => {
      const crew = rows < CREW_ROWS_MIN ? ALONE : await this.crew(options.threads);
      const context = { crew, searchesDone: () => this.searches.done() };
      return runSteps(work(context), runOptions(options));
    });
  }

  /** As many threads as wanted, or as the machine runs at once. */
  private async crew(threads = Number.POSITIVE_INFINITY): Promise<Crew> {
    return this.state.shared ? crewOf(await this.pool.get(), threads) : ALONE;
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
    const { ids, scores } = await this.searches.search(query.slice(), 1, this.plan(k, options));
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
    return this.searches.searchAll(queries, m, this.plan(k, options));
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

  /** The ids of all vectors that a search can find, ascending. */
  ids(): Uint32Array {
    this.requireOpen();
    const { ids, isAdding } = this.state;
    const all = ids.liveIds();
    return isAdding === undefined ? all : all.filter((id) => !isAdding(id));
  }

  /** Whether there is a vector with this id. */
  has(id: number): boolean {
    this.requireOpen();
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
    this.requireOpen();
    return indexStats(this.state);
  }

  /**
   * How badly the projection fits rows of `dimensions` numbers: the mean share of their energy around
   * the training mean that it misses, 0 … 1. Of vectors like those trained on it is about
   * 1 − stats().energyKept; more says that the data have changed. Undefined for an exact index.
   * @throws TypeError, RangeError for wrong rows, or none.
   */
  energyMissed(vectors: Float32Array): number | undefined {
    this.requireOpen();
    checkRows('vectors', vectors, this.state.options.dimensions);
    const [{ nodes, isGraph }] = this.state.shards as [Shard];
    return isGraph ? energyMissed(nodes, vectors) : undefined;
  }

  /**
   * The whole index as bytes, with checksums; the same index gives the same bytes.
   * @throws LeandexError `BUSY` while a write or a save is under way, `CLOSED`.
   */
  toBytes({ meta }: SaveContent = {}): Uint8Array {
    this.requireOpen();
    if (this.writes.isBusy) {
      throw new LeandexError('BUSY', 'a write is under way: await it before toBytes()');
    }
    return toBytes(this.state, checkMeta(meta));
  }

  /**
   * The index that toBytes() or save() wrote, verified throughout.
   * @throws TypeError for anything but a Uint8Array; LeandexError `CORRUPT` for damaged bytes,
   * `UNSUPPORTED_VERSION` for those of another version of leandex.
   */
  static fromBytes(bytes: Uint8Array): LeanIndex {
    return new LeanIndex(drain(loadSteps(bytesSource(bytes), hasThreads())).state);
  }

  /**
   * Writes what toBytes() gives part by part, each at most a few MB, once `write` has taken the one
   * before it; a part may view the index itself and changes once that promise resolves. Waits for
   * the writes before it, and those after it wait; searches and deletions go on, and the ids that are
   * saved are those of one moment. Rejects as `write` does.
   * @throws TypeError, RangeError for wrong arguments; LeandexError `ABORTED`, `CLOSED`.
   */
  async save(write: PartWriter, options: SaveOptions = {}): Promise<void> {
    this.requireOpen();
    if (typeof write !== 'function') throw wrongType('write', 'a function', write);
    checkRunOptions('save', options, ['meta']);
    const meta = checkMeta(options.meta);
    await this.writes.run(() => runSteps(saveSteps(this.state, meta, write), runOptions(options)));
  }

  /**
   * The index that save() or toBytes() wrote, and its meta: read straight into the index's memory,
   * verified throughout, while the event loop stays free. Rejects as `source.read` does.
   * Errors as for fromBytes(), LeandexError `ABORTED`.
   */
  static async load(source: IndexSource, options: RunOptions = {}): Promise<LoadResult> {
    checkRunOptions('load', options);
    const steps = loadSteps(checkSource(source), hasThreads());
    const { state, meta } = await runSteps(steps, runOptions(options));
    return { index: new LeanIndex(state), meta };
  }

  /**
   * Waits for what is under way and ends the threads, if no other index uses them. From now on all
   * methods but this fail with the code `CLOSED`.
   */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    await this.writes.idle();
    await this.searches.done();
    await this.pool.release();
  }

  private requireOpen(): void {
    if (this.closing !== undefined) throw new LeandexError('CLOSED', 'the index is closed');
  }
}

function writeOptions({ onProgress, signal, threads }: BuildOptions): WriteOptions {
  return {
    ...(onProgress && { onProgress }),
    ...(signal && { signal }),
    ...(threads !== undefined && { threads }),
  };
}

function runOptions({ onProgress, signal }: RunOptions): RunOptions {
  return { ...(onProgress && { onProgress }), ...(signal && { signal }) };
}
