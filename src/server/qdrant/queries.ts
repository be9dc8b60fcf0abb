import { checkInteger } from '../../base/check.js';
import { LeandexError, outOfRange, wrongType } from '../../base/errors.js';
import type { PointId } from '../../base/point-id.js';
import type { Prefetch, QueryTarget, SearchOptions } from '../../db/query-types.js';
import type { Filter } from '../../db/types.js';
import type { Catalog, Served } from '../catalog.js';
import { unsupported } from '../errors.js';
import { boolean, component, integer, number, type Of, object, string } from '../schema.js';
import { readFilter } from './filter.js';
import { lookUpIn, lookUpTarget, lookupFrom } from './lookups.js';
import { type Asked, readQuery } from './query-kinds.js';
import { recommendedVector } from './recommend.js';
import { filter, query, shardKey, withPayload, withVector } from './schemas.js';
import { storedName } from './unnamed.js';
import { refuseUnsupported, unsupportedFields } from './unsupported.js';
import { asRows } from './vectors.js';

const searchParams = object(
  {},
  {
    hnsw_ef: integer({ minimum: 1 }),
    exact: boolean(),
    quantization: object(
      {},
      { ignore: boolean(), rescore: boolean(), oversampling: number({ minimum: 1 }) },
    ),
    ...unsupportedFields('params'),
  },
);

/** What queries and legacy searches share. */
export const searching = {
  filter,
  params: searchParams,
  score_threshold: number(),
  limit: integer({ minimum: 1 }),
  with_payload: withPayload,
  with_vector: withVector,
  with_vectors: withVector,
  shard_key: shardKey,
} as const;

/** What there is to look for, and where. */
export const targeting = {
  query,
  using: string(),
  lookup_from: lookupFrom,
  prefetch: component<PrefetchBody | PrefetchBody[]>('Prefetch'),
} as const;

export const queryBody = object(
  {},
  { ...searching, ...targeting, offset: integer({ minimum: 0 }) },
);
export type QueryBody = Of<typeof queryBody>;

type Given<P> = { [K in keyof P]?: Of<P[K]> | null | undefined };
type Params = Of<typeof searchParams>;
type Searching = Given<typeof searching>;

/** A search whose results are the candidates of another; it may have such itself. */
export interface PrefetchBody
  extends Pick<Searching, 'filter' | 'params' | 'score_threshold' | 'limit'> {
  query?: unknown;
  using?: string | null;
  lookup_from?: Of<typeof lookupFrom> | null;
  prefetch?: PrefetchBody | PrefetchBody[] | null;
}

const PREFETCH_MEMBERS: readonly (keyof PrefetchBody)[] = [
  'filter',
  'limit',
  'lookup_from',
  'params',
  'prefetch',
  'query',
  'score_threshold',
  'using',
];

export const LIMIT = 10;
/** As deep as searches may lie in each other. */
export const PREFETCH_DEPTH_MAX = 8;

/** Where a request is read: its collection, and those that it may look into. */
export interface Reading extends Served {
  catalog: Catalog;
  signal: AbortSignal;
}

/** What to look for and how; undefined where there is no query. */
export async function readSearch(
  reading: Reading,
  what: string,
  body: Searching & PrefetchBody,
  wanted: number,
): Promise<(QueryTarget & SearchOptions) | undefined> {
  return readAsked(reading, what, body, readQuery(what, body.query), wanted);
}

/** The same where the query has been read. */
export async function readAsked(
  reading: Reading,
  what: string,
  body: Searching & PrefetchBody,
  asked: Asked | undefined,
  wanted: number,
): Promise<(QueryTarget & SearchOptions) | undefined> {
  const prefetch = await readPrefetches(reading, `${what} prefetch`, body.prefetch, 1);
  if (asked === undefined) {
    if (prefetch === undefined) return undefined;
    throw new LeandexError(
      'UNSUPPORTED',
      "A query is needed to merge the prefetches. Can't have prefetches without defining a query.",
    );
  }
  return { ...(await searchFor(reading, asked, body, wanted)), prefetch };
}

async function readPrefetches(
  reading: Reading,
  what: string,
  given: PrefetchBody['prefetch'],
  depth: number,
): Promise<Prefetch[] | undefined> {
  if (given === undefined || given === null) return undefined;
  if (depth > PREFETCH_DEPTH_MAX) {
    throw outOfRange(what, `at most ${PREFETCH_DEPTH_MAX} levels deep`, 'more');
  }
  const list = Array.isArray(given) ? given : [given];
  if (list.length === 0) return undefined;
  const read: Prefetch[] = [];
  for (const one of list) read.push(await readPrefetch(reading, what, one, depth));
  return read;
}

async function readPrefetch(
  reading: Reading,
  what: string,
  given: PrefetchBody,
  depth: number,
): Promise<Prefetch> {
  checkPrefetch(what, given);
  const asked = readQuery(`${what}.query`, given.query);
  if (asked === undefined) throw unsupported(what, 'one without a query is not supported');
  const limit = given.limit ?? LIMIT;
  const { signal: _, ...search } = await searchFor(reading, asked, given, limit);
  const prefetch = await readPrefetches(reading, what, given.prefetch, depth + 1);
  return { ...search, prefetch, limit };
}

/** Schemas check nothing that lies in itself. */
export function checkPrefetch(what: string, given: unknown): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw outOfRange(what, 'an object, or a list of such', given);
  }
  const { limit, using, score_threshold } = given as PrefetchBody;
  const other = Object.keys(given).find((name) => !PREFETCH_MEMBERS.includes(name as never));
  if (other !== undefined) {
    throw outOfRange(`a member of ${what}`, PREFETCH_MEMBERS.join(', '), other);
  }
  if (limit !== undefined && limit !== null) checkInteger(`${what}.limit`, limit, 1, 65_536);
  if (score_threshold && typeof score_threshold !== 'number') {
    throw wrongType(`${what}.score_threshold`, 'a number', score_threshold);
  }
  if (using && typeof using !== 'string') throw outOfRange(`${what}.using`, 'a name', using);
}

/** A search for so many results: what it looks for, and how. */
async function searchFor(
  reading: Reading,
  asked: Asked,
  body: PrefetchBody,
  wanted: number,
): Promise<QueryTarget & SearchOptions> {
  const options = optionsOf(reading, body, wanted);
  if (asked.kind === 'target') return { ...(await targetOf(reading, asked, body)), ...options };
  if (asked.kind !== 'recommend') {
    throw unsupported(
      'query',
      'discover, context, best_score, …, formula and sample are no parts of others',
    );
  }
  const from = body.lookup_from;
  const { served, name } = from
    ? await lookUpIn(reading.catalog, from)
    : { served: reading, name: storedName(body.using ?? '', reading.unnamed) };
  const { vector, ids } = await recommendedVector(asked.recommend, served, name);
  const target = { kind: 'target', target: { vector } } as const;
  const found = await targetOf(reading, target, { using: body.using ?? null });
  // Examples of another collection have nothing to do with the points of this one.
  return { ...found, ...options, filter: from ? options.filter : without(options.filter, ids) };
}

export function without(filter: Filter | undefined, ids: readonly PointId[]): Filter | undefined {
  if (ids.length === 0) return filter;
  return { ...(filter && { must: [filter] }), must_not: { has_id: ids } };
}

/** A target by the names of the store, the vector of another collection looked up. */
async function targetOf(
  { catalog, unnamed, multi }: Reading,
  { target, mmr }: Extract<Asked, { kind: 'target' }>,
  { using, lookup_from }: Pick<PrefetchBody, 'using' | 'lookup_from'>,
): Promise<QueryTarget & Pick<SearchOptions, 'using' | 'mmr'>> {
  const found = lookup_from ? await lookUpTarget(catalog, target, lookup_from) : target;
  const isByVector = found.vector !== undefined || found.id !== undefined;
  const field = using || (isByVector ? unnamed : '');
  const isOfSeveral = multi.has(field) && found.vector !== undefined;
  return {
    ...(isOfSeveral ? { vector: asRows('query', found.vector) } : found),
    ...(field !== '' && { using: field }),
    ...(mmr && { mmr }),
  };
}

/** The options of a search for so many results. */
function optionsOf(
  { unnamed, signal }: Reading,
  body: PrefetchBody,
  wanted: number,
): SearchOptions {
  return {
    filter: readFilter(body.filter, unnamed),
    scoreThreshold: body.score_threshold ?? undefined,
    ...readParams(body.params ?? {}, wanted),
    signal,
  };
}

function readParams(params: Params, wanted: number): SearchOptions {
  refuseUnsupported('params', params);
  const { ignore, rescore, oversampling } = params.quantization ?? {};
  return {
    ef: params.hnsw_ef ?? undefined,
    rerank: oversampling ? Math.min(0x7fff_ffff, Math.ceil(oversampling * wanted)) : undefined,
    rescore: rescore ? 'exact' : undefined,
    // Searching without codes is comparing with what is stored.
    exact: (params.exact ?? false) || (ignore ?? false) || undefined,
  };
}

/** Results that prefetches want, with those of their own. */
export function prefetchedBy({ prefetch = [] }: Pick<Prefetch, 'prefetch'>): number {
  return prefetch.reduce((sum, one) => sum + (one.limit ?? LIMIT) + prefetchedBy(one), 0);
}

/** @throws RangeError where requests want more results at once than the server gives. */
export function checkResults(wanted: number, most: number): void {
  checkInteger('limit and offset, of searches and prefetches together', wanted, 0, most);
}
