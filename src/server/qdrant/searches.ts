import { checkInteger } from '../../base/check.js';
import { wrongType } from '../../base/errors.js';
import { type Endpoint, endpoint } from '../endpoint.js';
import { array, integer, type Of, object, string } from '../schema.js';
import { withLookup } from './lookups.js';
import { planQuery, runPlanned } from './plan.js';
import { runGroups } from './point-reads.js';
import { searching } from './queries.js';
import { wireHit } from './records.js';
import { groupsResult, query, readQuery, scoredPoint } from './schemas.js';

/** The search of older clients: what `query` does, without its kinds of queries. */
const SEARCH = '/collections/{collection_name}/points/search';

const searchBody = object({ vector: query }, { ...searching, offset: integer({ minimum: 0 }) });
type SearchBody = Of<typeof searchBody>;

/** The same as a query. `vector` is one, or `{ name, vector }`. */
function asQuery({ vector, ...rest }: SearchBody) {
  return { ...rest, ...namedVector(vector) };
}

function namedVector(given: unknown): { query: unknown; using?: string } {
  const isNamed = typeof given === 'object' && given !== null && 'name' in given;
  if (isNamed) {
    const { name, vector } = given as { name: unknown; vector?: unknown };
    if (typeof name !== 'string') throw wrongType('vector.name', 'a string', name);
    if (!isVector(vector)) throw wrongType('vector.vector', 'a vector', vector);
    return { query: vector, using: name };
  }
  if (!isVector(given)) throw wrongType('vector', 'a vector, or { name, vector }', given);
  return { query: given };
}

/** Neither an id, which a search cannot look for, nor another kind of query. */
function isVector(given: unknown): boolean {
  const isSparse = typeof given === 'object' && given !== null && 'indices' in given;
  return isSparse || Array.isArray(given) || given instanceof Uint8Array;
}

const search = endpoint({
  method: 'POST',
  path: SEARCH,
  summary: 'The points nearest to a vector (older clients; see query)',
  access: 'read',
  query: readQuery,
  body: searchBody,
  result: array(scoredPoint),
  run: async ({ catalog, options }, { params, body, signal }) => {
    const served = await catalog.find(params.collection_name!);
    const planned = [await planQuery({ ...served, catalog, signal }, asQuery(body))];
    const [hits] = await runPlanned(served.collection, planned, options.limits.results);
    return hits!.map(wireHit);
  },
});

const searchBatch = endpoint({
  method: 'POST',
  path: `${SEARCH}/batch`,
  summary: 'Several searches at once (older clients; see query/batch)',
  access: 'read',
  query: readQuery,
  body: object({ searches: array(searchBody) }),
  result: array(array(scoredPoint)),
  run: async ({ catalog, options }, { params, body, signal }) => {
    const { searches } = body;
    checkInteger('the number of searches', searches.length, 0, options.limits.searches);
    const served = await catalog.find(params.collection_name!);
    const reading = { ...served, catalog, signal };
    const planned = await Promise.all(searches.map((one) => planQuery(reading, asQuery(one))));
    const results = await runPlanned(served.collection, planned, options.limits.results);
    return results.map((hits) => hits.map(wireHit));
  },
});

const searchGroups = endpoint({
  method: 'POST',
  path: `${SEARCH}/groups`,
  summary: 'Groups of the nearest points (older clients; see query/groups)',
  access: 'read',
  query: readQuery,
  body: object(
    { vector: query, group_by: string({ minLength: 1 }) },
    { ...searching, group_size: integer({ minimum: 1 }), with_lookup: withLookup },
  ),
  result: groupsResult,
  run: (context, { params, body: { vector, ...body }, signal }) =>
    runGroups(context, params.collection_name!, { ...body, ...namedVector(vector) }, signal),
});

export const searches: readonly Endpoint[] = [search, searchBatch, searchGroups];
