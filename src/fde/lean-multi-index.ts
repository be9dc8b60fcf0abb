import { checkInteger, checkRows } from '../base/check.js';
import { LeandexError, outOfRange, wrongType } from '../base/errors.js';
import { type RunOptions, throwIfAborted } from '../base/steps.js';
import type { AllowList } from '../graph/allow-list.js';
import { checkKnownIds } from '../graph/given-ids.js';
import type { AllowedIds } from '../graph/id-set.js';
import type { SaveContent, SaveOptions } from '../graph/lean-index.js';
import { checkSource, type IndexSource } from '../graph/load.js';
import {
  type AddOptions,
  checkRunOptions,
  checkWriteOptions,
  type WriteOptions,
} from '../graph/options.js';
import { checkMeta, type IndexMeta, type PartWriter } from '../graph/save.js';
import type { BatchSearchResult, SearchResult } from '../graph/search.js';
import { WriteQueue } from '../graph/write-queue.js';
import { PoolLease } from '../threads/pool.js';
import { fromBytes, load } from './load-multi.js';
import {
  type LeanMultiIndexOptions,
  type MultiSearchOptions,
  type MultiSearchPlan,
  resolveMultiSearch,
} from './multi-options.js';
import { AsyncMultiSearch, joinResults, searchHere } from './multi-search.js';
import type { MultiState } from './multi-state.js';
import { type MultiIndexStats, multiStats } from './multi-stats.js';
import {
  addDocuments,
  buildState,
  givenIds,
  removeDocuments,
  updateDocument,
} from './multi-writes.js';
import { checkSets, type TokenSets } from './offsets.js';
import { save, toBytes } from './save-multi.js';

export interface MultiLoadResult {
  index: LeanMultiIndex;
  /** What was given to save() or toBytes(); empty without any. */
  meta: IndexMeta;
}

/**
 * An index in memory of documents of several vectors each, as late-interaction models make them. A
 * document's score is MaxSim: the sum over the query's vectors of the largest inner product with one
 * of the document's. Candidates come from a LeanIndex of one vector a document (MUVERA's fixed
 * dimensional encodings), and are ranked by MaxSim on their stored tokens.
 */
export class LeanMultiIndex {
  private readonly state: MultiState;
  private readonly pool = new PoolLease();
  private readonly writes = new WriteQueue();
  private readonly searches: AsyncMultiSearch;
  private closing: Promise<void> | undefined;

  private constructor(state: MultiState) {
    this.state = state;
    this.searches = new AsyncMultiSearch(state, this.pool);
  }

  /**
   * Builds an index of documents, which get the ids 0, 1, …, or those given. Any number of documents,
   * each of one token at least. The event loop stays free.
   * @throws TypeError, RangeError for wrong options or input (code `INVALID_ARGUMENT`,
   * `DIMENSION_MISMATCH`); LeandexError `ABORTED`, `RESOURCE_EXHAUSTED`.
   */
  static async build(
    documents: TokenSets,
    options: LeanMultiIndexOptions & AddOptions,
  ): Promise<LeanMultiIndex> {
    return new LeanMultiIndex(await buildState(documents, options));
  }

  /**
   * Adds documents and resolves to their ids. All or nothing: after an error or an abort the index
   * holds what it held. The tokens are read until then: do not change them. Ids that were given can be
   * deleted from the call on. Errors as for build(), `CLOSED`.
   */
  async add(documents: TokenSets, options: AddOptions = {}): Promise<Uint32Array> {
    this.requireOpen();
    checkWriteOptions('add', options, ['ids']);
    const { state } = this;
    const sets = checkSets(documents, this.dimensions, 'the documents');
    const given = givenIds(options, sets);
    if (given !== undefined) state.given.add(given);
    try {
      return await this.writes.run(() => addDocuments(state, sets, given, this.pool, options));
    } finally {
      if (given !== undefined) state.given.delete(given);
    }
  }

  /**
   * Puts other tokens (rows of `dimensions` numbers, one at least) in the place of those of an id.
   * Searches find the old ones until then. Errors as for add(), LeandexError `NOT_FOUND`.
   */
  async update(id: number, tokens: Float32Array, options: WriteOptions = {}): Promise<void> {
    this.requireOpen();
    checkWriteOptions('update', options);
    checkInteger('id', id, 0, 0xffff_ffff);
    const set = this.oneSet('tokens', tokens);
    await this.writes.run(() => updateDocument(this.state, id, set, this.pool, options));
  }

  /**
   * Deletes ids: from this moment on none of them is returned. Resolves to how many there were, once
   * the graph is repaired around them where that was due.
   * Errors as for add(); ids that were never assigned are an error, deleted ones are not. An abort
   * during the repair ends that, and leaves the ids deleted.
   */
  async delete(ids: Iterable<number>, options: WriteOptions = {}): Promise<number> {
    this.requireOpen();
    checkWriteOptions('delete', options);
    const { nextId, given, index } = this.state;
    const wanted = checkKnownIds(ids, { ids: { nextId }, given });
    throwIfAborted(options.signal);
    const { living, removed } = removeDocuments(this.state, wanted);
    await index.delete(living, options);
    return removed;
  }

  /**
   * Repairs the graph around all that is deleted and gives memory back, as `LeanIndex.compact`. Ids
   * stay as they are. Errors as for add().
   */
  async compact(options: WriteOptions = {}): Promise<void> {
    this.requireOpen();
    checkWriteOptions('compact', options);
    await this.writes.run(() => this.state.index.compact(options));
  }

  /**
   * The k documents with the highest MaxSim of a query (m x `dimensions`, m ≥ 1), best first; fewer
   * where there are fewer.
   * @throws TypeError, RangeError for wrong lengths, NaN, k below 1, or unknown options.
   */
  search(query: Float32Array, k: number, options: MultiSearchOptions = {}): SearchResult {
    this.requireOpen();
    this.oneSet('query', query);
    return searchHere(this.state, query, this.plan(k, options));
  }

  /** search() in another thread. Documents deleted before it resolves are not returned. */
  async searchAsync(
    query: Float32Array,
    k: number,
    options: MultiSearchOptions = {},
  ): Promise<SearchResult> {
    this.requireOpen();
    const { tokens, offsets } = this.oneSet('query', query);
    const plan = this.plan(k, options);
    const [result] = await this.searches.search({ tokens: tokens.slice(), offsets }, plan);
    return result!;
  }

  /**
   * The k best documents for each of m queries of one vector at least, the queries split among threads:
   * ids and scores are m x k', where k' = min(k, count). Errors as for search().
   */
  async searchBatch(
    queries: TokenSets,
    k: number,
    options: MultiSearchOptions = {},
  ): Promise<BatchSearchResult> {
    this.requireOpen();
    const { tokens, offsets } = checkSets(queries, this.dimensions, 'the queries');
    const plan = this.plan(k, options);
    const width = Math.min(k, this.count, plan.allow?.count ?? k);
    const results = await this.searches.search({ tokens: tokens.slice(), offsets }, plan);
    return joinResults(results, width);
  }

  private plan(k: number, options: MultiSearchOptions): MultiSearchPlan {
    return resolveMultiSearch(k, options, this.state.index);
  }

  /** One set of these rows. @throws TypeError, RangeError for anything but one row or more. */
  private oneSet(what: string, tokens: Float32Array): TokenSets {
    const rows = checkRows(what, tokens, this.dimensions);
    if (rows === 0) throw outOfRange(what, 'at least one row', tokens);
    return { tokens, offsets: Uint32Array.of(0, rows) };
  }

  /**
   * Ids that searches may be restricted to, translated once for many searches.
   * @throws TypeError, RangeError `INVALID_ARGUMENT` for ids that were never assigned.
   */
  allowList(ids: AllowedIds): AllowList {
    this.requireOpen();
    return this.state.index.allowList(ids);
  }

  /** Number of documents. */
  get count(): number {
    return this.state.documents.count;
  }

  /** The ids of all documents, ascending. */
  ids(): Uint32Array {
    this.requireOpen();
    const { index, documents } = this.state;
    return index.ids().filter((id) => documents.has(id));
  }

  /** Whether there is a document with this id. */
  has(id: number): boolean {
    this.requireOpen();
    return this.state.documents.has(id);
  }

  /** Numbers in a token. */
  get dimensions(): number {
    return this.state.encoder.options.dimensions;
  }

  /** The tokens of a document as they are stored, row after row; undefined for an unknown id. */
  tokensOf(id: number): Float32Array | undefined {
    this.requireOpen();
    return this.state.documents.tokensOf(id);
  }

  /** Sizes and settings, measured from what the index holds. */
  stats(): MultiIndexStats {
    this.requireOpen();
    return multiStats(this.state);
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
   * @throws TypeError for anything but a Uint8Array; LeandexError `CORRUPT`, `UNSUPPORTED_VERSION`.
   */
  static fromBytes(bytes: Uint8Array): LeanMultiIndex {
    return new LeanMultiIndex(fromBytes(bytes));
  }

  /**
   * Writes what toBytes() gives part by part, as `LeanIndex.save`: each at most a few MB, once `write`
   * has taken the one before it. Waits for the writes before it, and those after it wait; searches and
   * deletions go on, and the ids that are saved are those of one moment. Takes memory for a copy of
   * the encodings' codes and links. Rejects as `write` does.
   * @throws TypeError, RangeError for wrong arguments; LeandexError `ABORTED`, `CLOSED`.
   */
  async save(write: PartWriter, options: SaveOptions = {}): Promise<void> {
    this.requireOpen();
    if (typeof write !== 'function') throw wrongType('write', 'a function', write);
    checkRunOptions('save', options, ['meta']);
    const meta = checkMeta(options.meta);
    await this.writes.run(() => save(this.state, meta, write, options));
  }

  /**
   * The index that save() or toBytes() wrote, and its meta, while the event loop stays free. Rejects
   * as `source.read` does. Errors as for fromBytes(), LeandexError `ABORTED`.
   */
  static async load(source: IndexSource, options: RunOptions = {}): Promise<MultiLoadResult> {
    checkRunOptions('load', options);
    const { state, meta } = await load(checkSource(source), options);
    return { index: new LeanMultiIndex(state), meta };
  }

  /** Waits for what is under way and ends the threads. All methods but this then fail with `CLOSED`. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    await this.writes.idle();
    await this.searches.done();
    await this.state.index.close();
    await this.pool.release();
  }

  private requireOpen(): void {
    if (this.closing !== undefined) throw new LeandexError('CLOSED', 'the index is closed');
  }
}
