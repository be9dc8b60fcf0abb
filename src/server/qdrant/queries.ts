import { checkInteger } from '../../base/check.js';
import { outOfRange, wrongType } from '../../base/errors.js';
import type { Collection } from '../../db/collection.js';
import type { Hit, Query, QueryTarget, SearchOptions, Selection } from '../../db/types.js';
import type { Catalog } from '../catalog.js';
import { unsupported } from '../errors.js';
import { boolean, integer, number, type Of, object, string } from '../schema.js';
import { readFilter } from './filter.js';
import { readId } from './ids.js';
import { lookUpTarget, lookupFrom } from './lookups.js';
import { readSelection } from './records.js';
import { filter, query, shardKey, withPayload, withVector } from './schemas.js';
import { refuseUnsupported, unsupportedFields } from './unsupported.js';
import { readVector } from './vectors.js';

export const searchParams = object(
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

export const queryBody = object(
  {},
  {
    ...searching,
    query,
    using: string(),
    lookup_from: lookupFrom,
    offset: integer({ minimum: 0 }),
    ...unsupportedFields('query'),
  },
);
export type QueryBody = Of<typeof queryBody>;

type Params = Of<typeof searchParams>;
type Searching = { [K in keyof typeof searching]?: Of<(typeof searching)[K]> | null | undefined };

/** A query, or none: then points come in the order of their ids. */
export type Planned = { search: Query } | { page: PagedQuery };
interface PagedQuery extends Selection {
  filter: SearchOptions['filter'];
  limit: number;
  offset: number;
}

const LIMIT = 10;

/** What a request of the universal query asks for. */
export async function planQuery(
  catalog: Catalog,
  body: QueryBody,
  signal: AbortSignal,
): Promise<Planned> {
  refuseUnsupported('query', body);
  const { limit, offset } = { limit: body.limit ?? LIMIT, offset: body.offset ?? 0 };
  const target = await readTarget(catalog, body);
  if (target === undefined) {
    if (body.using) throw outOfRange('using', 'given with a query', body.using);
    if (body.score_threshold)
      throw outOfRange('score_threshold', 'given with a query', body.score_threshold);
    return {
      page: { ...readSelection(body, false), filter: readFilter(body.filter), limit, offset },
    };
  }
  const options = searchOptions(body, limit + offset, signal);
  const using = body.using ?? undefined;
  return { search: { ...target, ...options, ...readSelection(body, false), using, limit, offset } };
}

/** The options of a search for so many results. */
export function searchOptions(body: Searching, wanted: number, signal: AbortSignal): SearchOptions {
  return {
    filter: readFilter(body.filter),
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

/** Kinds of queries that leandex does not have. */
const UNSUPPORTED_QUERIES = [
  'recommend',
  'discover',
  'context',
  'order_by',
  'fusion',
  'rrf',
  'formula',
  'sample',
  'relevance_feedback',
];

/** What a request looks for, the vector of another collection looked up. */
export async function readTarget(
  catalog: Catalog,
  { query, lookup_from }: Pick<QueryBody, 'query' | 'lookup_from'>,
): Promise<QueryTarget | undefined> {
  const target = readQuery(query);
  if (target === undefined || !lookup_from) return target;
  return lookUpTarget(catalog, target, lookup_from);
}

/** A vector, or the vector of a point; undefined where there is no query. */
function readQuery(given: unknown): QueryTarget | undefined {
  if (given === undefined || given === null) return undefined;
  if (!isObject(given)) return readNearest('query', given);
  const names = Object.keys(given).filter((name) => given[name] !== null);
  const kind = names.find((name) => UNSUPPORTED_QUERIES.includes(name));
  if (kind !== undefined) throw unsupported(`query.${kind}`, 'such queries are not supported yet');
  if (!names.includes('nearest')) return { vector: readVector('query', given) };
  const other = names.find((name) => name !== 'nearest');
  if (other === 'mmr') throw unsupported('query.mmr', 'it is not supported yet');
  if (other !== undefined) throw outOfRange('a member of query', 'nearest', other);
  return readNearest('query.nearest', given.nearest);
}

/** Of what a search looks for: a vector, or the id of a point. */
function readNearest(what: string, given: unknown): QueryTarget {
  const isId = ['number', 'bigint', 'string'].includes(typeof given);
  if (isId) return { id: readId(what, given) };
  if (given === null || given === undefined) throw wrongType(what, 'a vector or an id', given);
  return { vector: readVector(what, given) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  );
}

/** @throws RangeError where requests want more results at once than the server gives. */
export function checkResults(wanted: number, most: number): void {
  checkInteger('limit and offset, together', wanted, 0, most);
}

/** The results of planned queries, in order: searches are done together. */
export async function runPlanned(
  collection: Collection,
  planned: readonly Planned[],
  most: number,
): Promise<Hit[][]> {
  const wanted = planned.map((plan) => ('page' in plan ? plan.page : plan.search));
  checkResults(
    wanted.reduce((sum, { limit, offset }) => sum + limit! + offset!, 0),
    most,
  );
  const searches = planned.flatMap((plan) => ('search' in plan ? [plan.search] : []));
  const found =
    searches.length === 1
      ? [await collection.query(searches[0]!)]
      : searches.length > 1
        ? await collection.queryBatch(searches)
        : [];
  const results: Hit[][] = [];
  for (const plan of planned) {
    results.push('page' in plan ? await pageOf(collection, plan.page) : found.shift()!);
  }
  return results;
}

/** Points without a query are all as good as each other. */
async function pageOf(
  collection: Collection,
  { limit, offset, ...scroll }: PagedQuery,
): Promise<Hit[]> {
  const { points } = await collection.scroll({ ...scroll, limit: limit + offset });
  return points.slice(offset).map((record) => ({ ...record, score: 1 }));
}
