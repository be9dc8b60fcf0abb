import type { Advice } from '../advise/advice.js';
import { checkOneOf, checkOptions } from '../base/check.js';
import { LeandexError, outOfRange, wrongType } from '../base/errors.js';
import type { PointId } from '../base/point-id.js';
import { checkRunTypes, checkSignal, type RunOptions, throwIfAborted } from '../base/steps.js';
import type { PayloadChange } from '../filter/change-payload.js';
import type { FieldSchema } from '../filter/field-schema.js';
import type { Filter, Payload } from '../filter/types.js';
import type { TextIndexOptions } from '../store/text-tables.js';
import { adviseOn, type CollectionAdviseOptions } from './advising.js';
import type { CollectionCore } from './collection-core.js';
import { runGroups } from './grouping.js';
import { type CollectionInfo, describe } from './info.js';
import { ownQuery } from './own-copies.js';
import { runQueries, runQuery } from './query.js';
import type { GroupQuery, Query } from './query-types.js';
import { countPoints, facetCounts, retrievePoints, scrollPage } from './reading.js';
import { upsertStream } from './streaming.js';
import type {
  FacetCount,
  Group,
  Hit,
  Page,
  Point,
  Scroll,
  Selection,
  StoredRecord,
  Target,
  Vectors,
  WriteResult,
} from './types.js';
import {
  changePayloads,
  deletePoints,
  deleteVectors,
  updateVectors,
  upsertPoints,
} from './writing.js';

/** Of writes: ends them before they are sent to the store. */
export type SignalOption = Pick<RunOptions, 'signal'>;

const SHORT: readonly string[] = ['signal'];
const LONG: readonly string[] = ['signal', 'onProgress'];

/**
 * A collection of points: vectors and payloads by id, stored durably, searched in memory. Everything
 * is asynchronous and may be called at any time: writes take effect in the order of their calls, and
 * what has been acknowledged is found by every later read. Long work goes on in other threads.
 *
 * All methods throw TypeError, RangeError `INVALID_ARGUMENT` for wrong input, LeandexError `CLOSED`
 * after close(), `ABORTED` where a signal ends them, `CORRUPT` for stored data that are damaged;
 * writes also `READ_ONLY`, `RESOURCE_EXHAUSTED` for a full disk or memory, `IO_ERROR` where the disk fails.
 */
export class Collection {
  readonly name: string;
  private readonly core: CollectionCore;

  /** Made by `Database`. */
  constructor(name: string, core: CollectionCore) {
    this.name = name;
    this.core = core;
  }

  /**
   * Writes points, each in place of the one with its id if there is one: an array as one atomic batch
   * of up to 65,536, or an iterable of any length in batches of 500, each atomic.
   * @throws also RangeError `DIMENSION_MISMATCH`; nothing of the batch is written then.
   */
  upsert(
    points: readonly Point[] | Iterable<Point> | AsyncIterable<Point>,
    options: RunOptions = {},
  ): Promise<WriteResult> {
    return this.write('upsert', options, LONG, (context) => {
      if (Array.isArray(points)) return upsertPoints(context, points, options);
      return upsertStream(context, points as Iterable<Point> | AsyncIterable<Point>, options);
    });
  }

  /** Deletes points by id or filter; ids that are not there are no error. */
  delete(target: Target, options: SignalOption = {}): Promise<WriteResult> {
    return this.write('delete', options, SHORT, (context) =>
      deletePoints(context, target, options),
    );
  }

  /**
   * Puts other vectors in the place of those that points have; named ones that are not given stay.
   * @throws also LeandexError `NOT_FOUND` for ids that are not there, changing nothing.
   */
  updateVectors(
    points: readonly { id: PointId; vector: Vectors }[],
    options: SignalOption = {},
  ): Promise<WriteResult> {
    return this.write('updateVectors', options, SHORT, (context) =>
      updateVectors(context, points, options),
    );
  }

  /** Takes named vectors from points. @throws also LeandexError `NOT_FOUND` */
  deleteVectors(
    target: Target,
    names: readonly string[],
    options: SignalOption = {},
  ): Promise<WriteResult> {
    return this.write('deleteVectors', options, SHORT, (context) => {
      const fields = context.state.fields;
      if (!Array.isArray(names)) throw wrongType('names', 'an array of names of vectors', names);
      if (fields[0]!.config.name === '') throw outOfRange('names', 'of named vectors', names);
      const known = fields.map(({ config }) => config.name);
      const numbers = [...new Set(names)].map((name) =>
        known.indexOf(checkOneOf('a name of a vector', name, known)),
      );
      return deleteVectors(context, target, numbers, options);
    });
  }

  /**
   * Merges members into payloads, at their top or into the object at `path`.
   * @throws also LeandexError `NOT_FOUND` for ids that are not there, changing nothing.
   */
  setPayload(
    target: Target,
    payload: Payload,
    options: SignalOption & { path?: string | undefined } = {},
  ): Promise<WriteResult> {
    const { path } = options;
    return this.change(
      target,
      { kind: 'set', payload, ...(path !== undefined && { path }) },
      options,
      [...SHORT, 'path'],
    );
  }

  /** Puts payloads in the place of those there are. @throws also LeandexError `NOT_FOUND` */
  overwritePayload(
    target: Target,
    payload: Payload,
    options: SignalOption = {},
  ): Promise<WriteResult> {
    return this.change(target, { kind: 'overwrite', payload }, options);
  }

  /** Takes the members at these paths from payloads. @throws also LeandexError `NOT_FOUND` */
  deletePayload(
    target: Target,
    paths: readonly string[],
    options: SignalOption = {},
  ): Promise<WriteResult> {
    return this.change(target, { kind: 'delete', paths: paths as string[] }, options);
  }

  /** Takes payloads away. @throws also LeandexError `NOT_FOUND` */
  clearPayload(target: Target, options: SignalOption = {}): Promise<WriteResult> {
    return this.change(target, { kind: 'clear' }, options);
  }

  private change(
    target: Target,
    change: PayloadChange,
    options: SignalOption,
    known = SHORT,
  ): Promise<WriteResult> {
    return this.write('a change of payloads', options, known, (context) =>
      changePayloads(context, target, change, options),
    );
  }

  /**
   * The points nearest to a vector, or to the vector of a point, or those with some words, best first,
   * or in the order of a payload field: as many as `limit` says, fewer only where fewer match. With
   * `prefetch` the best of what other queries find.
   * @throws also RangeError `DIMENSION_MISMATCH`, LeandexError `NOT_FOUND` for an unknown id,
   * `UNSUPPORTED` for what needs originals where none are kept.
   */
  async query(query: Query): Promise<Hit[]> {
    const own = ownQuery(query);
    return runQuery(await this.core.reading(), own);
  }

  /** Several queries at once, which is faster than one after the other; their results in order. */
  async queryBatch(queries: readonly Query[]): Promise<Hit[][]> {
    const own = Array.isArray(queries) ? queries.map(ownQuery) : queries;
    return runQueries(await this.core.reading(), own);
  }

  /** The best points by groups that share a value at `groupBy`, the best group first. */
  async queryGroups(query: GroupQuery): Promise<Group[]> {
    const own = ownQuery(query);
    return runGroups(await this.core.reading(), own);
  }

  /** Points by id, in this order; ids that are not there are left out. */
  async retrieve(ids: readonly PointId[], selection: Selection = {}): Promise<StoredRecord[]> {
    return retrievePoints(await this.core.reading(), ids, selection);
  }

  /** A page of all points, or of those that match, in the order of their ids. */
  async scroll(scroll: Scroll = {}): Promise<Page> {
    return scrollPage(await this.core.reading(), scroll);
  }

  /** How many points there are, or match a filter; exact. */
  async count(options: { filter?: Filter; signal?: AbortSignal } = {}): Promise<number> {
    checkOptions('count', options, ['filter', 'signal']);
    const context = await this.core.reading();
    return countPoints(context, options.filter, checkSignal(options.signal));
  }

  /** The most frequent values of a payload field, with the number of points that have each. */
  async facet(
    field: string,
    options: { filter?: Filter; limit?: number; signal?: AbortSignal } = {},
  ): Promise<FacetCount[]> {
    return facetCounts(await this.core.reading(), field, options);
  }

  /** Indexes a payload field, so that filters on it need not look at payloads. Idempotent. */
  async createPayloadIndex(
    field: string,
    schema: FieldSchema,
    options: RunOptions = {},
  ): Promise<void> {
    this.checkRun('createPayloadIndex', options, LONG);
    await this.core.createPayloadIndex(field, schema, options);
  }

  /** Gives an index of a payload field up; false where there is none. */
  async deletePayloadIndex(field: string): Promise<boolean> {
    return this.core.deletePayloadIndex(field);
  }

  /**
   * Indexes the texts of a payload field for queries by words (`text`), in the same transactions as
   * the points from now on. Idempotent; other options make it anew. Writes go on meanwhile.
   */
  async createTextIndex(field: string, options: TextIndexOptions & RunOptions = {}): Promise<void> {
    const { tokenizer, prefix, ...run } = options;
    this.checkRun('createTextIndex', run, LONG);
    await this.core.createTextIndex(field, { tokenizer, prefix }, run);
  }

  /** Gives an index of texts up; false where there is none. */
  async deleteTextIndex(field: string): Promise<boolean> {
    return this.core.deleteTextIndex(field);
  }

  /** What it consists of, what its indexes hold, and what is being done. */
  async info(): Promise<CollectionInfo> {
    await this.core.reading();
    return describe(this.name, this.core);
  }

  /**
   * Recommends settings for the index of a vector from a sample of what is stored: `advise()` with the
   * collection's own size and distance.
   * @throws also LeandexError `UNSUPPORTED` for several vectors a point, or without originals.
   */
  async advise(options: CollectionAdviseOptions = {}): Promise<Advice> {
    return adviseOn(await this.core.reading(), options);
  }

  /**
   * Moves all new vectors into the graph, trains it anew where the data have drifted from what it was
   * trained on, gives back the space of what was deleted, and saves the indexes.
   */
  async optimize(options: RunOptions = {}): Promise<void> {
    this.checkRun('optimize', options, LONG);
    await this.core.optimize(options);
  }

  /**
   * Copies all points to one new file, as they are at one moment, while writes go on;
   * `db.restoreCollection()` makes a collection of it. Resolves to its size in bytes.
   * @throws also LeandexError `ALREADY_EXISTS` where there is a file of this name.
   */
  async snapshot(file: string, options: SignalOption = {}): Promise<number> {
    this.checkRun('snapshot', options, SHORT);
    throwIfAborted(options.signal);
    if (typeof file !== 'string' || file === '') throw wrongType('file', 'a path', file);
    await this.core.reading();
    return (await this.core.stored.backup(file)).bytes;
  }

  private async write(
    what: string,
    options: RunOptions,
    known: readonly string[],
    work: (context: ReturnType<CollectionCore['writing']>) => Promise<WriteResult>,
  ): Promise<WriteResult> {
    this.checkRun(what, options, known);
    throwIfAborted(options.signal);
    return work(this.core.writing());
  }

  private checkRun(what: string, options: RunOptions, known: readonly string[]): void {
    checkOptions(`the options of ${what}`, options, known);
    checkRunTypes(options);
  }
}

/** The error for anything asked of a collection or database that is closed. */
export function closedError(what: string): LeandexError {
  return new LeandexError('CLOSED', `${what} is closed`);
}
