import { checkInteger } from '../../base/check.js';
import { outOfRange } from '../../base/errors.js';
import type { PointId } from '../../base/point-id.js';
import type { Collection } from '../../db/collection.js';
import type { Query, SearchOptions } from '../../db/query-types.js';
import type { Hit, Selection } from '../../db/types.js';
import { unsupported } from '../errors.js';
import type { ByExamples } from './by-examples.js';
import { vectorsOf } from './examples.js';
import { readFilter } from './filter.js';
import type { Formula } from './formula.js';
import { lookUpIn } from './lookups.js';
import {
  checkPrefetch,
  checkResults,
  LIMIT,
  PREFETCH_DEPTH_MAX,
  prefetchedBy,
  type QueryBody,
  type Reading,
  readAsked,
  without,
} from './queries.js';
import { readQuery } from './query-kinds.js';
import { readSelection } from './records.js';
import { type Scan, sampleIds, scanBest, withRecords } from './scan.js';
import { similarityOf } from './similarity.js';
import { storedName } from './unnamed.js';

/** A query of the database; none: then points come in the order of their ids; or one that looks at all. */
export type Planned =
  | { search: Query }
  | { page: PagedQuery }
  | { sample: PagedQuery & { signal: AbortSignal } }
  | { scan: Scan }
  | { formula: Computed };

/** Prefetches of one query for formulas, also in each other. */
const PREFETCHES_MAX = 64;

/** Where a query stands among those that prefetch for formulas. */
interface Place {
  depth: number;
  /** Prefetches that are left. */
  budget: { left: number };
}

interface PagedQuery extends Selection {
  filter: SearchOptions['filter'];
  limit: number;
  offset: number;
}

/** What other queries find, with scores that are computed of theirs. */
interface Computed extends Selection {
  formula: Formula;
  prefetches: Planned[];
  scoreThreshold: number | undefined;
  limit: number;
  offset: number;
}

/** What a request of the universal query asks for. */
export async function planQuery(
  reading: Reading,
  body: QueryBody,
  place: Place = { depth: 0, budget: { left: PREFETCHES_MAX } },
): Promise<Planned> {
  const { limit, offset } = { limit: body.limit ?? LIMIT, offset: body.offset ?? 0 };
  const selection = readSelection(body, false, reading);
  const asked = readQuery('query', body.query);
  if (asked?.kind === 'examples') {
    return { scan: { ...(await planScan(reading, body, asked.by)), ...selection, limit, offset } };
  }
  if (asked?.kind === 'formula') {
    const computed = await planFormula(reading, body, asked.formula, place);
    return { formula: { ...computed, ...selection, limit, offset } };
  }
  const page = {
    filter: readFilter(body.filter, reading.unnamed),
    limit,
    offset,
    ...selection,
  };
  if (asked?.kind === 'sample') {
    refuseFor('a sample', body, ['prefetch', 'using', 'score_threshold', 'lookup_from', 'params']);
    return { sample: { ...page, signal: reading.signal } };
  }
  const search = await readAsked(reading, 'query', body, asked, limit + offset);
  if (search !== undefined) {
    return { search: { ...search, ...selection, limit, offset, signal: reading.signal } };
  }
  for (const name of ['using', 'score_threshold', 'lookup_from'] as const) {
    if (body[name]) throw outOfRange(name, 'given with a query', body[name]);
  }
  return { page };
}

async function planScan(
  reading: Reading,
  body: QueryBody,
  by: ByExamples,
): Promise<Pick<Scan, 'field' | 'filter' | 'score' | 'scoreThreshold' | 'signal'>> {
  refuseFor('a query by examples', body, ['prefetch']);
  const { using, lookup_from: from } = body;
  const field = storedName(using ?? '', reading.unnamed);
  const { served, name } = from
    ? await lookUpIn(reading.catalog, from)
    : { served: reading, name: field };
  const { info, vectors, ids } = await vectorsOf(by.examples, served, name);
  const own = from ? await vectorsOf([], reading, field) : { info };
  if (own.info.size !== info.size || !own.info.multivector !== !info.multivector) {
    throw outOfRange('lookup_from', 'vectors of the same form', `those of ${name}`);
  }
  const { distance, size, multivector } = own.info;
  const similarity = similarityOf(distance, size, multivector !== undefined);
  const filter = readFilter(body.filter, reading.unnamed);
  return {
    field,
    filter: from ? filter : without(filter, ids),
    score: (vector) => by.score(vectors.map((example) => similarity(example, vector))),
    scoreThreshold: body.score_threshold ?? undefined,
    signal: reading.signal,
  };
}

/** The filter holds for all of its prefetches, which are queries as any. */
async function planFormula(
  reading: Reading,
  body: QueryBody,
  formula: Formula,
  { depth, budget }: Place,
) {
  refuseFor('a formula', body, ['using', 'lookup_from', 'params']);
  if (depth === PREFETCH_DEPTH_MAX) {
    throw outOfRange('prefetch', `at most ${PREFETCH_DEPTH_MAX} levels deep`, 'more');
  }
  const given = body.prefetch ?? [];
  const list = Array.isArray(given) ? given : [given];
  if (list.length === 0) throw outOfRange('prefetch', 'given with a formula', given);
  const prefetches: Planned[] = [];
  budget.left -= list.length;
  checkInteger('the number of prefetches', PREFETCHES_MAX - budget.left, 1, PREFETCHES_MAX);
  for (const one of list) {
    checkPrefetch('prefetch', one);
    const filters = [one.filter, body.filter].filter((filter) => filter);
    const filter = filters.length > 1 ? { must: filters } : filters[0];
    const query = { ...one, filter, with_payload: formula.fields };
    prefetches.push(await planQuery(reading, query, { depth: depth + 1, budget }));
  }
  return { formula, prefetches, scoreThreshold: body.score_threshold ?? undefined };
}

function refuseFor(what: string, body: QueryBody, names: readonly (keyof QueryBody)[]): void {
  const given = names.find((name) => body[name] !== undefined && body[name] !== null);
  if (given !== undefined) throw unsupported(given, `${what} has none`);
}

/** The results of planned queries, in order: searches are done together. */
export async function runPlanned(
  collection: Collection,
  planned: readonly Planned[],
  most: number,
): Promise<Hit[][]> {
  checkResults(wantedBy(planned), most);
  const searches = planned.flatMap((plan) => ('search' in plan ? [plan.search] : []));
  const found = await runSearches(collection, searches);
  const results: Hit[][] = [];
  for (const plan of planned) {
    results.push('search' in plan ? found.shift()! : await runOther(collection, plan, most));
  }
  return results;
}

/** Results that planned queries want, with those of their prefetches. */
function wantedBy(planned: readonly Planned[]): number {
  return planned.reduce((sum, plan) => {
    const { limit, offset } = Object.values(plan)[0] as PagedQuery;
    const prefetched = 'search' in plan ? prefetchedBy(plan.search) : 0;
    const scored = 'formula' in plan ? wantedBy(plan.formula.prefetches) : 0;
    return sum + limit + offset + prefetched + scored;
  }, 0);
}

function runOther(
  collection: Collection,
  plan: Exclude<Planned, { search: Query }>,
  most: number,
): Promise<Hit[]> {
  if ('formula' in plan) return computeScores(collection, plan.formula, most);
  if ('scan' in plan) return scanBest(collection, plan.scan);
  return 'page' in plan ? pageOf(collection, plan.page) : sampleOf(collection, plan.sample);
}

async function computeScores(
  collection: Collection,
  { formula, prefetches, scoreThreshold = Number.NEGATIVE_INFINITY, ...selection }: Computed,
  most: number,
): Promise<Hit[]> {
  const lists = await runPlanned(collection, prefetches, most);
  const found = new Map<PointId, { hit: Hit; scores: number[] }>();
  lists.forEach((hits, i) => {
    for (const hit of hits) {
      const known = found.get(hit.id) ?? { hit, scores: [] };
      known.scores[i] = hit.score;
      found.set(hit.id, known);
    }
  });
  const scored = Array.from(found.values(), ({ hit, scores }) => {
    return { id: hit.id, score: formula.score(scores, hit.payload ?? null) };
  });
  const best = scored
    .filter(({ score }) => score >= scoreThreshold)
    .sort((a, b) => b.score - a.score);
  const { limit, offset } = selection;
  return withRecords(collection, best.slice(offset, offset + limit), selection);
}

/** Errors of a query by itself do not name its number. */
async function runSearches(collection: Collection, searches: Query[]): Promise<Hit[][]> {
  const [only] = searches;
  if (only === undefined) return [];
  return searches.length === 1 ? [await collection.query(only)] : collection.queryBatch(searches);
}

/** Points without a query are all as good as each other. */
async function pageOf(
  collection: Collection,
  { limit, offset, ...scroll }: PagedQuery,
): Promise<Hit[]> {
  const { points } = await collection.scroll({ ...scroll, limit: limit + offset });
  return points.slice(offset).map((record) => ({ ...record, score: 1 }));
}

async function sampleOf(
  collection: Collection,
  { limit, offset, filter, signal, ...selection }: PagedQuery & { signal: AbortSignal },
): Promise<Hit[]> {
  const ids = await sampleIds(collection, { filter, count: limit + offset, signal });
  const scored = ids.slice(offset).map((id) => ({ id, score: 1 }));
  return withRecords(collection, scored, selection);
}
