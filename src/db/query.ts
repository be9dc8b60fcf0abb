import { checkOptions } from '../base/check.js';
import { wrongType } from '../base/errors.js';
import type { StoredPoint } from '../store/types.js';
import { findStage } from './find-stage.js';
import type { Query } from './query-types.js';
import { type FoundRows, goodRows, hasMoved, livingRows, rowsToFind, TRIES_MAX } from './search.js';
import {
  COUNT_MAX,
  checkCounts,
  type FoundRow,
  SEARCH_OPTIONS,
  type SearchContext,
  type SearchPlan,
} from './search-plan.js';
import { readSelection, type Selected, toRecord } from './selection.js';
import { blame, LIMIT, planQuery, type Stage } from './stage.js';
import type { Hit, StoredRecord } from './types.js';

const QUERY_OPTIONS = [...SEARCH_OPTIONS, 'limit', 'offset', 'withPayload', 'withVector'];

/** A checked query. */
interface PlannedQuery {
  stage: Stage;
  selected: Selected;
  offset: number;
}

/** The best points for a query; fewer than its limit only where there are no more. */
export async function runQuery(context: SearchContext, query: Query): Promise<Hit[]> {
  const planned = await plan(context, query);
  const [hits] = await collect(context, [query], [planned], [undefined]);
  return hits!;
}

/** The same for several queries; those that differ in nothing but their vectors are searched at once. */
export async function runQueries(
  context: SearchContext,
  queries: readonly Query[],
): Promise<Hit[][]> {
  if (!Array.isArray(queries)) throw wrongType('queries', 'an array of queries', queries);
  const planned: PlannedQuery[] = [];
  for (const [i, query] of queries.entries()) {
    planned.push(await plan(context, query).catch((error) => blame(error, `queries[${i}]`)));
  }
  return collect(context, queries, planned, await searchTogether(context, planned));
}

async function plan(context: SearchContext, query: Query): Promise<PlannedQuery> {
  checkOptions('query', query, QUERY_OPTIONS);
  checkCounts(query, { limit: 1, offset: 0 });
  const selected = readSelection(query, context.state.configs);
  const { limit = LIMIT, offset = 0 } = query;
  const stage = await planQuery(context, query, Math.min(COUNT_MAX, limit + offset));
  return { stage, selected, offset };
}

/** A query that the index of its field answers by itself. */
interface PlainSearch {
  place: number;
  plan: SearchPlan;
  wanted: number;
}

/** Rows of the queries that could be searched with others; undefined for the rest. */
async function searchTogether(
  { state }: SearchContext,
  planned: readonly PlannedQuery[],
): Promise<(FoundRow[] | undefined)[]> {
  const found: (FoundRow[] | undefined)[] = planned.map(() => undefined);
  for (const group of groupsOf(planned)) {
    const [{ plan, wanted }] = group as [PlainSearch];
    if (group.length === 1) continue;
    const k = rowsToFind(plan, wanted);
    const field = state.fields[plan.field]!;
    const { stamp, replacements } = state;
    const vectors = group.map(({ plan }) => plan.vector);
    const results = await field.searchBatch(vectors, k, plan.beam, plan.allowed);
    const isQuiet = state.stamp === stamp && state.replacing === undefined;
    group.forEach(({ place, plan: mine, wanted }, i) => {
      if (hasMoved(state, mine, replacements)) return;
      const rows = livingRows(state, mine, results[i]!);
      const isAll = results[i]!.ids.length < k && isQuiet;
      if (rows.length >= wanted || isAll) found[place] = goodRows(mine, rows, wanted);
    });
  }
  return found;
}

/** Queries that one call of the index can answer. */
function groupsOf(planned: readonly PlannedQuery[]): PlainSearch[][] {
  const groups: PlainSearch[][] = [];
  const isAlike = (a: PlainSearch, b: PlainSearch) =>
    a.plan.field === b.plan.field &&
    a.plan.allowed === b.plan.allowed &&
    a.plan.beam.ef === b.plan.beam.ef &&
    a.plan.beam.rerank === b.plan.beam.rerank &&
    rowsToFind(a.plan, a.wanted) === rowsToFind(b.plan, b.wanted);
  for (const [place, { stage }] of planned.entries()) {
    const isPlain = stage.kind === 'search' && stage.prefetch.length === 0 && !stage.mmr;
    if (!isPlain || stage.plan.mode !== 'index') continue;
    const search = { place, plan: stage.plan, wanted: stage.wanted };
    const group = groups.find(([first]) => isAlike(first!, search));
    if (group === undefined) groups.push([search]);
    else group.push(search);
  }
  return groups;
}

/** A query and where its results go. */
interface OpenQuery {
  plan: PlannedQuery;
  place: number;
  /** Undefined where they are still to be found. */
  rows: FoundRow[] | undefined;
}

/**
 * Results with what was selected of their points; rows that are known already are not looked for.
 * Points that were written anew before they were read are looked for again; where writes come
 * faster than that, they wait for it once.
 */
async function collect(
  context: SearchContext,
  queries: readonly Query[],
  planned: readonly PlannedQuery[],
  known: readonly (FoundRow[] | undefined)[],
): Promise<Hit[][]> {
  const results: Hit[][] = [];
  const first = planned.map((plan, place) => ({ plan, place, rows: known[place] }));
  let { again, isBehind } = await readPages(context, first, results);
  for (let tries = 2; again.length > 0 && tries <= TRIES_MAX; tries++) {
    if (isBehind) await context.settled();
    const places = again;
    const anew = async () => {
      const open: OpenQuery[] = [];
      for (const place of places) {
        open.push({ plan: await plan(context, queries[place]!), place, rows: undefined });
      }
      return readPages(context, open, results);
    };
    ({ again, isBehind } = await (tries < TRIES_MAX ? anew() : context.quietly(anew)));
  }
  return results;
}

/** Fills in results; gives the places of those that are not what they should be. */
async function readPages(context: SearchContext, open: readonly OpenQuery[], results: Hit[][]) {
  const found = await Promise.all(open.map(({ plan, rows }) => findPage(context, plan, rows)));
  const lists = open.map(({ plan }, i) => ({ selected: plan.selected, rows: found[i]!.rows }));
  const hits = await readHits(context, lists);
  const again: number[] = [];
  let isBehind = false;
  for (const [i, { place }] of open.entries()) {
    results[place] = hits[i]!;
    const isShort = hits[i]!.length < found[i]!.rows.length;
    isBehind ||= isShort || found[i]!.isBehind;
    if (isShort || found[i]!.isStale) again.push(place);
  }
  return { again, isBehind };
}

async function findPage(
  context: SearchContext,
  { stage, offset }: PlannedQuery,
  known: FoundRow[] | undefined,
): Promise<FoundRows> {
  const found = known
    ? { rows: known, isStale: false, isBehind: false }
    : await findStage(context, stage);
  return { ...found, rows: found.rows.slice(offset) };
}

/** Found rows with what was selected of their points, all read at once; those that are gone left out. */
async function readHits(
  { state, stored }: SearchContext,
  lists: readonly { selected: Selected; rows: readonly FoundRow[] }[],
): Promise<Hit[][]> {
  const reading = lists.filter(({ selected }) => selected.payload || selected.fields.length > 0);
  const fields = [...new Set(reading.flatMap(({ selected }) => selected.fields))];
  const payload = reading.some(({ selected }) => selected.payload !== undefined);
  const rows = new Set(reading.flatMap((list) => list.rows.map(({ row }) => row)));
  const points = new Map<number, StoredPoint>();
  if (rows.size > 0) {
    const read = await stored.read({ rows: Uint32Array.from(rows) }, { payload, fields });
    for (const point of read) points.set(point.row, point);
  }
  const recordOf = (row: number, selected: Selected): StoredRecord | undefined => {
    if (!state.live.has(row)) return undefined;
    if (selected.payload === undefined && selected.fields.length === 0) {
      const id = state.idOf(row);
      return id === undefined ? undefined : { id };
    }
    const point = points.get(row);
    return point && toRecord(point, selected, state.configs);
  };
  return lists.map(({ selected, rows: found }) =>
    found.flatMap(({ row, score, orderValue }) => {
      const record = recordOf(row, selected);
      if (record === undefined) return [];
      const { id, ...rest } = record;
      const order = orderValue === undefined ? {} : { orderValue };
      return [{ id, score, ...order, ...rest }];
    }),
  );
}
