import { checkInteger, checkOneOf } from '../base/check.js';
import { LeandexError, outOfRange, wrongType } from '../base/errors.js';
import { checkPointId, type PointId } from '../base/point-id.js';
import { throwIfAborted } from '../base/steps.js';
import type { SearchResult } from '../graph/search.js';
import type { StoredCollection } from '../store/stored-collection.js';
import type { AllowedRows } from './allowed-rows.js';
import type { FieldConfig } from './config.js';
import { checkQueryVectors } from './copy-vectors.js';
import type { Field } from './field.js';
import type { Filtering } from './filtering.js';
import type { QueryTarget, SearchOptions } from './query-types.js';
import type { Beam } from './row-index.js';
import { requireOriginals } from './selection.js';
import { SparseField } from './sparse-field.js';
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

/** Candidates for each result wanted that are ranked anew by their originals. */
const RESCORE_FACTOR = 4;
const RESCORE_MIN = 50;
/** More than there can be of anything. */
export const COUNT_MAX = 0x7fff_ffff;
/** How often a search that finds too little is repeated because points were written meanwhile. */
export const TRIES_MAX = 5;

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

export function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw wrongType('signal', 'an AbortSignal', signal);
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

/** Rows best first. */
interface Found {
  ids: Uint32Array;
  scores: Float32Array | Float64Array;
  /** Whether there are no more to find. */
  isAll: boolean;
  /** Whether some were written anew before they were read. */
  isStale: boolean;
}

export interface FoundRows {
  rows: FoundRow[];
  /** Whether to plan and search again, as points were written anew meanwhile. */
  isStale: boolean;
  /** Whether memory is to know of them first. */
  isBehind: boolean;
}

/** The `wanted` best rows of a search; fewer only where there are no more. */
export async function findRows(
  context: SearchContext,
  plan: SearchPlan,
  wanted: number,
): Promise<FoundRows> {
  const { state } = context;
  let k = rowsToFind(plan, wanted);
  for (let tries = 1; ; tries++) {
    throwIfAborted(plan.signal);
    const { stamp, replacements } = state;
    const found = await searchOnce(context, plan, k);
    const rows = livingRows(state, plan, found);
    const isMoved = hasMoved(state, plan, replacements);
    // A point whose old row was left out of what was found has a new one, which may not be in it.
    if (isMoved && plan.allowed === undefined && tries < TRIES_MAX) continue;
    const isBehind = found.isStale;
    const isStale = isBehind || isMoved;
    if (rows.length >= wanted || isStale) {
      return { rows: goodRows(plan, rows, wanted), isStale, isBehind };
    }
    if (!found.isAll) {
      k = Math.min(COUNT_MAX, 2 * k);
      continue;
    }
    // Points that are being replaced have other rows soon, which may stand among these already.
    await state.replacing;
    if (state.stamp === stamp || tries === TRIES_MAX) {
      return { rows: goodRows(plan, rows, wanted), isStale, isBehind };
    }
  }
}

/** The best of some rows by their stored vectors; those that have none are left out. */
export async function rankCandidates(
  { state, stored }: SearchContext,
  plan: SearchPlan,
  candidates: Uint32Array,
  wanted: number,
): Promise<FoundRows> {
  const { field, vector, isDistance, signal } = plan;
  const target = state.fields[field]!;
  if (target instanceof SparseField) {
    const found = await target.search(vector, wanted + 1, {}, new Set(candidates));
    const rows = goodRows(plan, livingRows(state, plan, found), wanted);
    return { rows, isStale: false, isBehind: false };
  }
  const { distance } = target.config;
  const ids = candidates.filter((row) => state.fieldRows[field]!.has(row));
  const scores = await stored.scores(field, vector, distance, ids, signal ? { signal } : {});
  const isBehind = scores.some(Number.isNaN);
  const best = ranked({ ids }, scores, isDistance, ids.length);
  const rows = goodRows(plan, livingRows(state, plan, best), wanted);
  return { rows, isStale: isBehind, isBehind };
}

/** Whether points were written anew since the rows of the plan, or its search, were looked for. */
export function hasMoved(
  state: CollectionState,
  { allowed }: SearchPlan,
  replacements: number,
): boolean {
  return state.replacements !== (allowed?.replacements ?? replacements);
}

/** The point that was asked about is found too, and left out. */
export function rowsToFind({ self }: SearchPlan, wanted: number): number {
  return Math.min(COUNT_MAX, wanted + (self === undefined ? 0 : 1));
}

/** What was found and lives, without the point itself. Codes err a little, also beyond a cosine of 1. */
export function livingRows(
  { live, ids: points, fields }: CollectionState,
  { self, field }: SearchPlan,
  { ids, scores }: Pick<Found, 'ids' | 'scores'>,
): FoundRow[] {
  const rows: FoundRow[] = [];
  const most = fields[field]!.scoreMax;
  for (let i = 0; i < ids.length; i++) {
    const row = ids[i]!;
    if (self !== undefined && points.get(row) === self) continue;
    if (live.has(row)) rows.push({ row, score: Math.max(-most, Math.min(most, scores[i]!)) });
  }
  return rows;
}

export function goodRows(
  { passes }: SearchPlan,
  rows: readonly FoundRow[],
  wanted: number,
): FoundRow[] {
  return rows.slice(0, wanted).filter(({ score }) => passes(score));
}

async function searchOnce(
  { state, stored }: SearchContext,
  { field, vector, allowed, beam, mode, isDistance, signal }: SearchPlan,
  k: number,
): Promise<Found> {
  const vectors = state.fields[field]!;
  const { distance } = vectors.config;
  if (mode === 'exact') {
    const having = state.fieldRows[field]!;
    const rows = allowed?.toRows().filter((row) => having.has(row)) ?? having.toUint32Array();
    const scan = await stored.scan(field, vector, distance, k, rows, signal ? { signal } : {});
    const isAll = scan.rows.length < k;
    return { ids: scan.rows, scores: scan.scores, isAll, isStale: scan.gone > 0 };
  }
  const depth =
    mode === 'index' ? k : Math.min(COUNT_MAX, Math.max(RESCORE_MIN, RESCORE_FACTOR * k));
  const candidates = await vectors.search(vector, depth, beam, allowed);
  const isAll = candidates.ids.length < depth;
  if (mode === 'index') return { ...candidates, isAll, isStale: false };
  const scores = await stored.scores(field, vector, distance, candidates.ids);
  const isStale = scores.some(Number.isNaN);
  return { ...ranked(candidates, scores, isDistance, k), isAll, isStale };
}

/** Rows by their exact scores; those that are gone are left out. */
function ranked(
  { ids }: Pick<SearchResult, 'ids'>,
  scores: Float64Array,
  isDistance: boolean,
  k: number,
) {
  const sign = isDistance ? 1 : -1;
  const there = [...ids.keys()].filter((i) => !Number.isNaN(scores[i]));
  const best = there.sort((a, b) => sign * (scores[a]! - scores[b]!) || ids[a]! - ids[b]!);
  const kept = best.slice(0, k);
  return {
    ids: Uint32Array.from(kept, (i) => ids[i]!),
    scores: Float64Array.from(kept, (i) => scores[i]!),
  };
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for counts below their least. */
export function checkCounts(query: object, least: Readonly<Record<string, number>>): void {
  for (const [name, from] of Object.entries(least)) {
    const value = (query as Record<string, unknown>)[name];
    if (value !== undefined) checkInteger(name, value, from, COUNT_MAX);
  }
}
