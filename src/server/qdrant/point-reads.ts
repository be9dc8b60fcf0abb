import { checkInteger } from '../../base/check.js';
import { wrongType } from '../../base/errors.js';
import { type Endpoint, endpoint, type ServerContext } from '../endpoint.js';
import { refused } from '../errors.js';
import {
  array,
  boolean,
  component,
  either,
  integer,
  nullable,
  type Of,
  object,
  string,
} from '../schema.js';
import { readFilter } from './filter.js';
import { idOfPath, readId, readIds } from './ids.js';
import { lookUpGroups, withLookup } from './lookups.js';
import { planQuery, runPlanned } from './plan.js';
import {
  checkResults,
  prefetchedBy,
  queryBody,
  readSearch,
  searching,
  targeting,
} from './queries.js';
import { readOrderBy } from './query-kinds.js';
import { readSelection, wireHit, wireRecord } from './records.js';
import {
  filter,
  groupsResult,
  pointId,
  readQuery,
  recordSchema,
  scoredPoint,
  shardKey,
  withPayload,
  withVector,
} from './schemas.js';

const COLLECTION = '/collections/{collection_name}';
const POINTS = `${COLLECTION}/points`;
const LIMIT = 10;
const GROUP_SIZE = 3;

const selecting = {
  with_payload: withPayload,
  with_vector: withVector,
  with_vectors: withVector,
  shard_key: shardKey,
};

const getPoint = endpoint({
  method: 'GET',
  path: `${POINTS}/{id}`,
  summary: 'A point by its id',
  access: 'read',
  query: readQuery,
  result: recordSchema,
  run: async ({ catalog }, { params }) => {
    const { collection } = await catalog.find(params.collection_name!);
    const id = idOfPath(params.id!);
    const [found] = await collection.retrieve([id], { withPayload: true, withVector: true });
    if (found === undefined) throw refused(404, `Not found: Point with id ${id} does not exists!`);
    return wireRecord(found);
  },
});

const getPoints = endpoint({
  method: 'POST',
  path: POINTS,
  summary: 'Points by their ids',
  access: 'read',
  query: readQuery,
  body: object({ ids: array(pointId) }, selecting),
  result: array(recordSchema),
  run: async ({ catalog, options }, { params, body }) => {
    const served = await catalog.find(params.collection_name!);
    checkResults(body.ids.length, options.limits.results);
    const found = await served.collection.retrieve(
      readIds('ids', body.ids),
      readSelection(body, true, served),
    );
    return found.map(wireRecord);
  },
});

const scroll = endpoint({
  method: 'POST',
  path: `${POINTS}/scroll`,
  summary: 'A page of points in the order of their ids',
  access: 'read',
  query: readQuery,
  body: object(
    {},
    {
      ...selecting,
      filter,
      offset: pointId,
      limit: integer({ minimum: 1 }),
      order_by: component<unknown>('OrderBy'),
    },
  ),
  result: object({ points: array(recordSchema), next_page_offset: nullable(pointId) }),
  run: async ({ catalog, options }, { params, body, signal }) => {
    const served = await catalog.find(params.collection_name!);
    const { collection, unnamed } = served;
    const limit = body.limit ?? LIMIT;
    checkResults(limit, options.limits.results);
    const from = body.offset ?? undefined;
    const { points, next } = await collection.scroll({
      ...readSelection(body, true, served),
      filter: readFilter(body.filter, unnamed),
      limit,
      offset: from === undefined ? undefined : readId('offset', from),
      orderBy: body.order_by ? readOrderBy('order_by', body.order_by) : undefined,
      signal,
    });
    return { points: points.map(wireRecord), next_page_offset: next };
  },
});

const count = endpoint({
  method: 'POST',
  path: `${POINTS}/count`,
  summary: 'How many points match; always exact',
  access: 'read',
  query: readQuery,
  body: object({}, { filter, exact: boolean(), shard_key: shardKey }),
  result: object({ count: integer() }),
  run: async ({ catalog }, { params, body, signal }) => {
    const { collection, unnamed } = await catalog.find(params.collection_name!);
    const given = readFilter(body.filter, unnamed);
    return { count: await collection.count({ ...(given && { filter: given }), signal }) };
  },
});

const facet = endpoint({
  method: 'POST',
  path: `${COLLECTION}/facet`,
  summary: 'The most frequent values of a payload field; always exact',
  access: 'read',
  query: readQuery,
  body: object(
    { key: string({ minLength: 1 }) },
    { filter, limit: integer({ minimum: 1 }), exact: boolean(), shard_key: shardKey },
  ),
  result: object({
    hits: array(object({ value: either(string(), integer(), boolean()), count: integer() })),
  }),
  run: async ({ catalog, options }, { params, body, signal }) => {
    const { collection, unnamed } = await catalog.find(params.collection_name!);
    const limit = body.limit ?? LIMIT;
    checkResults(limit, options.limits.results);
    const given = readFilter(body.filter, unnamed);
    return {
      hits: await collection.facet(body.key, { ...(given && { filter: given }), limit, signal }),
    };
  },
});

const queryPoints = endpoint({
  method: 'POST',
  path: `${POINTS}/query`,
  summary: 'The points nearest to a vector, or to a point',
  access: 'read',
  query: readQuery,
  body: queryBody,
  result: object({ points: array(scoredPoint) }),
  run: async ({ catalog, options }, { params, body, signal }) => {
    const served = await catalog.find(params.collection_name!);
    const planned = [await planQuery({ ...served, catalog, signal }, body)];
    const [hits] = await runPlanned(served.collection, planned, options.limits.results);
    return { points: hits!.map(wireHit) };
  },
});

const queryBatch = endpoint({
  method: 'POST',
  path: `${POINTS}/query/batch`,
  summary: 'Several queries at once',
  access: 'read',
  query: readQuery,
  body: object({ searches: array(queryBody) }),
  result: array(object({ points: array(scoredPoint) })),
  run: async ({ catalog, options }, { params, body, signal }) => {
    const { searches } = body;
    checkInteger('the number of searches', searches.length, 0, options.limits.searches);
    const served = await catalog.find(params.collection_name!);
    const reading = { ...served, catalog, signal };
    const planned = await Promise.all(searches.map((one) => planQuery(reading, one)));
    const results = await runPlanned(served.collection, planned, options.limits.results);
    return results.map((hits) => ({ points: hits.map(wireHit) }));
  },
});

const grouping = {
  group_by: string({ minLength: 1 }),
} as const;
const groupSizes = {
  group_size: integer({ minimum: 1 }),
  with_lookup: withLookup,
} as const;

const groupsBody = object(grouping, { ...searching, ...targeting, ...groupSizes });

/** Groups of what is nearest to a target. */
export async function runGroups(
  context: ServerContext,
  name: string,
  body: Omit<Of<typeof groupsBody>, 'query'> & { query?: unknown },
  signal: AbortSignal,
): Promise<{ groups: unknown[] }> {
  const { catalog } = context;
  const served = await catalog.find(name);
  const limit = body.limit ?? LIMIT;
  const groupSize = body.group_size ?? GROUP_SIZE;
  const reading = { ...served, catalog, signal };
  const search = await readSearch(reading, 'query', body, limit * groupSize);
  if (search === undefined) throw wrongType('query', 'a vector or an id', body.query);
  checkResults(limit * groupSize + prefetchedBy(search), context.options.limits.results);
  const groups = await served.collection.queryGroups({
    ...search,
    ...readSelection(body, false, served),
    groupBy: body.group_by,
    limit,
    groupSize,
  });
  const lookups = body.with_lookup && (await lookUpGroups(catalog, groups, body.with_lookup));
  return {
    groups: groups.map((group) => {
      const lookup = lookups ? lookups.get(group) : undefined;
      return { id: group.id, hits: group.hits.map(wireHit), ...(lookup && { lookup }) };
    }),
  };
}

const queryGroups = endpoint({
  method: 'POST',
  path: `${POINTS}/query/groups`,
  summary: 'The nearest points, in groups that share a value',
  access: 'read',
  query: readQuery,
  body: groupsBody,
  result: groupsResult,
  run: (context, { params, body, signal }) =>
    runGroups(context, params.collection_name!, body, signal),
});

export const pointReads: readonly Endpoint[] = [
  getPoints,
  scroll,
  count,
  facet,
  queryPoints,
  queryBatch,
  queryGroups,
  // After the others, whose last part might be taken for an id.
  getPoint,
];
