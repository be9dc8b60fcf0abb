import { checkOptions } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { checkSignal } from '../base/steps.js';
import type { Filter } from '../filter/types.js';
import type { TextMatch } from '../store/text-search.js';
import type { AllowedRows } from './allowed-rows.js';
import { type FusionPlan, readFusion } from './fusion.js';
import { type MmrPlan, readMmr } from './mmr.js';
import { type Ordering, readOrderBy } from './order-by.js';
import type { Prefetch, QueryTarget, SearchOptions } from './query-types.js';
import {
  checkCounts,
  planSearch,
  readThreshold,
  SEARCH_OPTIONS,
  type SearchContext,
  type SearchPlan,
} from './search-plan.js';
import { readTextQuery } from './text-query.js';

/** What all stages of a query have. */
interface StageBase {
  /** Results wanted, at most. */
  wanted: number;
  /** Where its candidates come from; none: from all points. */
  prefetch: readonly Stage[];
  signal: AbortSignal | undefined;
}

/** A checked query, or one that prefetches for another. */
export type Stage = StageBase &
  (
    | { kind: 'search'; plan: SearchPlan; mmr: MmrPlan | undefined }
    | { kind: 'fusion'; fusion: FusionPlan; passes: (score: number) => boolean }
    | {
        kind: 'text';
        match: TextMatch;
        passes: (score: number) => boolean;
        allowed: AllowedRows | undefined;
      }
    | { kind: 'order'; ordering: Ordering; allowed: AllowedRows | undefined }
  );

type StageQuery = QueryTarget & SearchOptions;

const TARGETS = ['vector', 'id', 'text', 'fusion', 'orderBy'] as const;
type Target = (typeof TARGETS)[number];

/** What queries for anything take, and what only some of them. */
const COMMON: readonly string[] = ['filter', 'prefetch', 'signal'];
const NEAR = ['using', 'scoreThreshold', 'mmr', 'ef', 'rerank', 'rescore', 'exact'];
const OWN_OPTIONS: Readonly<Record<Target, readonly string[]>> = {
  vector: NEAR,
  id: NEAR,
  fusion: ['scoreThreshold'],
  text: ['scoreThreshold'],
  orderBy: [],
};
/** The beam is of a search among all points. */
const WITHOUT_PREFETCH: readonly string[] = ['ef', 'rerank'];

const PREFETCH_OPTIONS = [...SEARCH_OPTIONS.filter((name) => name !== 'signal'), 'limit'];
export const LIMIT = 10;
const DEPTH_MAX = 8;
const STAGES_MAX = 64;

/** Where a stage stands in its query. */
interface Place {
  /** Of the stages that it prefetches for. */
  filter: Filter | undefined;
  depth: number;
  /** Stages of the whole query that are left. */
  budget: { left: number };
}

/**
 * Checks a query with all that it prefetches, and finds what it needs.
 * @throws TypeError, RangeError for wrong input; LeandexError `NOT_FOUND` for an id that is not there.
 */
export function planQuery(
  context: SearchContext,
  query: StageQuery,
  wanted: number,
): Promise<Stage> {
  return planStage(context, query, wanted, {
    filter: undefined,
    depth: 0,
    budget: { left: STAGES_MAX },
  });
}

async function planStage(
  context: SearchContext,
  query: StageQuery,
  wanted: number,
  place: Place,
): Promise<Stage> {
  const target = targetOf(query);
  checkSuits(query, target);
  const signal = checkSignal(query.signal);
  const filter = joined(place.filter, query.filter);
  const prefetch = await planPrefetch(context, query, { ...place, filter });
  const base = { wanted, prefetch, signal };
  switch (target) {
    case 'fusion': {
      if (prefetch.length === 0) throw outOfRange('fusion', 'with prefetch', 'no prefetch');
      const fusion = readFusion(query.fusion, prefetch.length);
      checkFusible(fusion, prefetch);
      const passes = readThreshold(query.scoreThreshold, false);
      return { ...base, kind: 'fusion', fusion, passes };
    }
    case 'orderBy': {
      const ordering = readOrderBy(query.orderBy, context.state);
      const allowed = await context.filtering.rowsFor(filter, signal);
      return { ...base, kind: 'order', ordering, allowed };
    }
    case 'text': {
      const match = readTextQuery(query.text);
      const passes = readThreshold(query.scoreThreshold, false);
      const allowed = await context.filtering.rowsFor(filter, signal);
      return { ...base, kind: 'text', match, passes, allowed };
    }
    default: {
      const plan = await planSearch(context, { ...query, filter });
      const mmr = query.mmr === undefined ? undefined : readMmr(query.mmr, wanted);
      return { ...base, kind: 'search', plan, mmr };
    }
  }
}

function targetOf(query: object): Target {
  const given = TARGETS.filter((name) => (query as Record<string, unknown>)[name] !== undefined);
  if (given.length === 1) return given[0]!;
  const expected = `with one of ${TARGETS.join(', ')}`;
  throw outOfRange('a query', expected, given.length === 0 ? 'none' : given.join(' and '));
}

/** What has no effect is refused. */
function checkSuits(query: StageQuery, target: Target): void {
  const known = [target, ...COMMON, ...OWN_OPTIONS[target]];
  for (const name of SEARCH_OPTIONS) {
    if (query[name] === undefined) continue;
    if (!known.includes(name)) throw outOfRange(name, `absent with ${target}`, query[name]);
    if (query.prefetch !== undefined && WITHOUT_PREFETCH.includes(name)) {
      throw outOfRange(name, 'absent with prefetch', query[name]);
    }
  }
}

async function planPrefetch(
  context: SearchContext,
  { prefetch, signal }: StageQuery,
  { filter, depth, budget }: Place,
): Promise<Stage[]> {
  if (prefetch === undefined) return [];
  if (!Array.isArray(prefetch)) throw wrongType('prefetch', 'an array of queries', prefetch);
  if (prefetch.length === 0) throw outOfRange('prefetch', 'at least one query', prefetch);
  if (depth === DEPTH_MAX) {
    throw outOfRange('prefetch', `at most ${DEPTH_MAX} deep`, 'a deeper one');
  }
  budget.left -= prefetch.length;
  if (budget.left < 0) {
    throw outOfRange('the number of prefetches of a query', `at most ${STAGES_MAX}`, 'more');
  }
  const stages: Stage[] = [];
  for (const [i, one] of (prefetch as readonly Prefetch[]).entries()) {
    try {
      checkOptions('prefetch', one, PREFETCH_OPTIONS);
      checkCounts(one, { limit: 1 });
      const place = { filter, depth: depth + 1, budget };
      const query = signal === undefined ? one : { ...one, signal };
      stages.push(await planStage(context, query, one.limit ?? LIMIT, place));
    } catch (error) {
      blame(error as Error, `prefetch[${i}]`);
    }
  }
  return stages;
}

/** Says which query an error is about. */
export function blame(error: Error, what: string): never {
  error.message = `${what}: ${error.message}`;
  throw error;
}

/** What both filters match. */
function joined(outer: Filter | undefined, own: Filter | null | undefined): Filter | undefined {
  if (own === undefined || own === null) return outer;
  if (outer === undefined || typeof own !== 'object') return own;
  return { must: [outer, own] };
}

/** Scores of an order are all the same: their distribution says nothing. */
function checkFusible({ method }: FusionPlan, prefetch: readonly Stage[]): void {
  const at = prefetch.findIndex(({ kind }) => kind === 'order');
  if (method === 'rrf' || at < 0) return;
  throw outOfRange('fusion', `rrf, as prefetch[${at}] has an order without scores`, method);
}
