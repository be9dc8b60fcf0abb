import { checkInteger, checkOneOf } from '../base/check.js';
import { LeandexError, outOfRange, wrongType } from '../base/errors.js';
import { checkPointId, type PointId } from '../base/point-id.js';
import { checkSignal, throwIfAborted } from '../base/steps.js';
import type { StoredCollection } from '../store/stored-collection.js';
import type { AllowedRows } from './allowed-rows.js';
import type { FieldConfig } from './config.js';
import { checkQueryVectors } from './copy-vectors.js';
import type { Field } from './field.js';
import type { Filtering } from './filtering.js';
import type { QueryTarget, SearchOptions } from './query-types.js';
import type { Beam } from './row-index.js';
import { requireOriginals } from './selection.js';
import type { CollectionState } from './state.js';

/** What searches need of their collection. */
export interface SearchContext {
  state: CollectionState;
  stored: StoredCollection;
  filtering: Filtering;
  /** Resolves when memory knows of all that is committed now. */
  settled: () => Promise<void>;
  /** Runs a read while the writes of this process wait. */
  quietly: <T>(read: () => Promise<T>) => Promise<T>;
}

/** A checked search, without how many results it is to have. */
export interface SearchPlan {
  /** Number of the field. */
  field: number;
  /** One vector, or several one behind the other. */
  vector: Float32Array;
  /** The point that was asked about, which is no result. */
  self: PointId | undefined;
  allowed: AllowedRows | undefined;
  beam: Beam;
  mode: 'index' | 'rescore' | 'exact';
  /** Whether a smaller score is better. */
  isDistance: boolean;
  /** Whether a score is good enough. */
  passes: (score: number) => boolean;
  signal: AbortSignal | undefined;
}

/** A row that was found; its point lived when it was. */
export interface FoundRow {
  row: number;
  score: number;
  /** Its value in the order of a payload field. */
  orderValue?: number;
}

export const SEARCH_OPTIONS = [
  'vector',
  'id',
  'fusion',
  'orderBy',
  'text',
  'filter',
  'prefetch',
  'using',
  'scoreThreshold',
  'mmr',
  'ef',
  'rerank',
  'rescore',
  'exact',
  'signal',
] as const satisfies readonly (keyof (QueryTarget & SearchOptions))[];

/** More than there can be of anything. */
export const COUNT_MAX = 0x7fff_ffff;

/**
 * Checks a search and finds what it needs: the vector, the rows that its filter matches.
 * @throws TypeError, RangeError for wrong input; LeandexError `NOT_FOUND` for an id that is not there.
 */
export async function planSearch(
  context: SearchContext,
  query: QueryTarget & SearchOptions,
): Promise<SearchPlan> {
  const { state } = context;
  const { ef, rerank, scoreThreshold, signal } = query;
  throwIfAborted(checkSignal(signal));
  const field = fieldOf(state.fields, query.using);
  const { config } = state.fields[field]!;
  if (ef !== undefined) checkInteger('ef', ef, 1, COUNT_MAX);
  if (rerank !== undefined) checkInteger('rerank', rerank, 1, COUNT_MAX);
  const isDistance = config.distance === 'Euclid';
  const passes = readThreshold(scoreThreshold, isDistance);
  const mode = config.sparse ? readSparseMode(query) : readMode(query, config);
  const target = await readTarget(context, query, field);
  const allowed = await context.filtering.rowsFor(query.filter, signal);
  return {
    ...target,
    field,
    allowed,
    mode,
    beam: { ...(ef !== undefined && { ef }), ...(rerank !== undefined && { rerank }) },
    isDistance,
    passes,
    signal,
  };
}

/** The number of the field that is searched. */
function fieldOf(fields: readonly Field[], using: unknown): number {
  const names = fields.map(({ config }) => config.name);
  if (using === undefined || using === null) {
    if (names.length === 1) return 0;
    throw outOfRange('using', `the name of a vector: ${names.join(', ')}`, using);
  }
  if (names[0] === '') throw outOfRange('using', 'absent: the one vector has no name', using);
  return names.indexOf(checkOneOf('using', using as string, names));
}

function readMode({ exact, rescore }: SearchOptions, config: FieldConfig): SearchPlan['mode'] {
  if (exact !== undefined && typeof exact !== 'boolean')
    throw wrongType('exact', 'a boolean', exact);
  if (rescore !== undefined) checkOneOf('rescore', rescore, ['exact']);
  if (exact) requireOriginals(config, 'an exact search is not possible');
  else if (rescore) requireOriginals(config, 'exact rescoring is not possible');
  return exact ? 'exact' : rescore ? 'rescore' : 'index';
}

/** An inverted index has no beam, and no codes whose errors were to be made up for. */
function readSparseMode(query: SearchOptions): 'index' {
  for (const name of ['ef', 'rerank', 'rescore'] as const) {
    if (query[name] !== undefined)
      throw outOfRange(name, 'absent with a sparse vector', query[name]);
  }
  const { exact } = query;
  if (exact !== undefined && typeof exact !== 'boolean')
    throw wrongType('exact', 'a boolean', exact);
  return 'index';
}

async function readTarget(
  { state, stored }: SearchContext,
  query: QueryTarget,
  field: number,
): Promise<Pick<SearchPlan, 'vector' | 'self'>> {
  const { config } = state.fields[field]!;
  const { vector, id } = query as { vector?: unknown; id?: unknown };
  if (id === undefined)
    return { vector: checkQueryVectors('vector', vector, config), self: undefined };
  const known = checkPointId('id', id);
  const [point] = await stored.read({ ids: [known] }, { payload: false, fields: [field] });
  const own = point?.vectors[field];
  if (own === undefined) throw noVector(known, point !== undefined, config);
  return { vector: own, self: known };
}

function noVector(id: PointId, exists: boolean, { name }: FieldConfig): LeandexError {
  const problem = exists ? `the point ${id} has no vector ${name}` : `no point has the id ${id}`;
  return new LeandexError('NOT_FOUND', problem, { details: { id } });
}

/** @throws RangeError `INVALID_ARGUMENT` for anything but a finite number or nothing. */
export function readThreshold(threshold: unknown, isDistance: boolean): SearchPlan['passes'] {
  if (threshold === undefined) return () => true;
  if (typeof threshold !== 'number' || !Number.isFinite(threshold)) {
    throw outOfRange('scoreThreshold', 'a finite number', threshold);
  }
  return isDistance ? (score) => score <= threshold : (score) => score >= threshold;
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for counts below their least. */
export function checkCounts(query: object, least: Readonly<Record<string, number>>): void {
  for (const [name, from] of Object.entries(least)) {
    const value = (query as Record<string, unknown>)[name];
    if (value !== undefined) checkInteger(name, value, from, COUNT_MAX);
  }
}
