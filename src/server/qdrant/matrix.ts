import { checkInteger } from '../../base/check.js';
import type { PointId } from '../../base/point-id.js';
import type { Filter } from '../../db/types.js';
import { type Call, type Endpoint, endpoint, type ServerContext } from '../endpoint.js';
import { array, integer, number, type Of, object, string } from '../schema.js';
import { shortestFloat32 } from '../wire/float-text.js';
import { vectorsOf } from './examples.js';
import { readFilter } from './filter.js';
import { sampleIds } from './scan.js';
import { filter, pointId, readQuery, shardKey } from './schemas.js';
import { similarityOf } from './similarity.js';
import { storedName } from './unnamed.js';

const MATRIX = '/collections/{collection_name}/points/search/matrix';
const SAMPLE = 10;
const LIMIT = 3;
/** Each of the sample is compared with all others, in this thread. */
const SAMPLE_MAX = 1000;

const matrixBody = object(
  {},
  {
    filter,
    sample: integer({ minimum: 2 }),
    limit: integer({ minimum: 1 }),
    using: string(),
    shard_key: shardKey,
  },
);

interface Pair {
  /** Numbers of two of the sample. */
  a: number;
  b: number;
  score: number;
}

/** Of a random sample of points the nearest ones of each among the sample; exact. */
async function nearestInSample(
  { catalog }: ServerContext,
  { params, body, signal }: Call<unknown, Of<typeof matrixBody>>,
): Promise<{ ids: PointId[]; pairs: Pair[] }> {
  const served = await catalog.find(params.collection_name!);
  const name = storedName(body.using ?? '', served.unnamed);
  // Before a filter asks for a vector that nothing has.
  const { info } = await vectorsOf([], served, name);
  const count = checkInteger('sample', body.sample ?? SAMPLE, 2, SAMPLE_MAX);
  const given = readFilter(body.filter, served.unnamed);
  const has: Filter = { must: [{ has_vector: name }, ...(given ? [given] : [])] };
  const ids = (await sampleIds(served.collection, { filter: has, count, signal })).sort(byId);
  const examples = ids.map((id) => ({ id }));
  const { vectors } = await vectorsOf(examples, served, name);
  const similarity = similarityOf(info.distance, info.size, info.multivector !== undefined);
  // What is squared and turned round there is a distance again.
  const scoreOf = (x: number) =>
    shortestFloat32(Math.fround(info.distance === 'Euclid' ? Math.sqrt(-x) : x));
  const pairs = vectors.flatMap((vector, a) => {
    const others = vectors.map((other, b) => ({ a, b, score: similarity(vector, other) }));
    others.splice(a, 1);
    others.sort((x, y) => y.score - x.score);
    return others.slice(0, body.limit ?? LIMIT);
  });
  return { ids, pairs: pairs.map((pair) => ({ ...pair, score: scoreOf(pair.score) })) };
}

function byId(a: PointId, b: PointId): number {
  const isText = (id: PointId) => typeof id === 'string';
  return Number(isText(a)) - Number(isText(b)) || (a < b ? -1 : 1);
}

const pairs = endpoint({
  method: 'POST',
  path: `${MATRIX}/pairs`,
  summary: 'How near the points of a random sample are to each other, as pairs',
  access: 'read',
  query: readQuery,
  body: matrixBody,
  result: object({ pairs: array(object({ a: pointId, b: pointId, score: number() })) }),
  run: async (context, call) => {
    const { ids, pairs } = await nearestInSample(context, call);
    return { pairs: pairs.map(({ a, b, score }) => ({ a: ids[a], b: ids[b], score })) };
  },
});

const offsets = endpoint({
  method: 'POST',
  path: `${MATRIX}/offsets`,
  summary: 'The same as a sparse matrix',
  access: 'read',
  query: readQuery,
  body: matrixBody,
  result: object({
    offsets_row: array(integer()),
    offsets_col: array(integer()),
    scores: array(number()),
    ids: array(pointId),
  }),
  run: async (context, call) => {
    const { ids, pairs } = await nearestInSample(context, call);
    return {
      offsets_row: pairs.map(({ a }) => a),
      offsets_col: pairs.map(({ b }) => b),
      scores: pairs.map(({ score }) => score),
      ids,
    };
  },
});

export const matrix: readonly Endpoint[] = [pairs, offsets];
