import { outOfRange, wrongType } from '../../base/errors.js';
import type { PointId } from '../../base/point-id.js';
import type { Served } from '../catalog.js';
import { refused, unsupported } from '../errors.js';
import { readId } from './ids.js';
import { vectorsById } from './lookups.js';
import { readVector } from './vectors.js';

/** Points and vectors that are liked and disliked. */
export interface Recommend {
  positive: readonly Example[];
  negative: readonly Example[];
}

type Example = { id: PointId } | { vector: ArrayLike<number> };

/** The strategy `average_vector`, which is Qdrant's default; others are refused. */
export function readRecommend(what: string, given: Record<string, unknown>): Recommend {
  const { positive, negative, strategy } = given;
  if (strategy !== undefined && strategy !== 'average_vector') {
    throw unsupported(`${what}.strategy`, 'only average_vector is supported');
  }
  const read = {
    positive: examples(`${what}.positive`, positive),
    negative: examples(`${what}.negative`, negative),
  };
  if (read.positive.length === 0)
    throw outOfRange(`${what}.positive`, 'one example at least', 'none');
  return read;
}

function examples(what: string, given: unknown): Example[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) throw wrongType(what, 'a list of ids and vectors', given);
  return given.map((one: unknown, i) => {
    const isId = ['number', 'bigint', 'string'].includes(typeof one);
    if (isId) return { id: readId(`${what}[${i}]`, one) };
    const vector = readVector(`${what}[${i}]`, one);
    if (Array.isArray(vector) && typeof vector[0] === 'number') return { vector };
    if (vector instanceof Float32Array) return { vector };
    throw unsupported(`${what}[${i}]`, 'examples are ids or single dense vectors');
  });
}

/**
 * The mean of what is liked, moved away from the mean of what is disliked, and the ids of both, which
 * are no results. @throws 404 for an id that is not there
 */
export async function recommendedVector(
  { positive, negative }: Recommend,
  served: Served,
  using: string,
): Promise<{ vector: Float32Array; ids: PointId[] }> {
  const info = (await served.collection.info()).vectors[using];
  if (info === undefined || info.multivector !== undefined) {
    throw unsupported('query.recommend', 'it needs a vector that is single and dense');
  }
  const ids = [...positive, ...negative].flatMap((one) => ('id' in one ? [one.id] : []));
  const known = await vectorsById<Float32Array>(served, ids, using);
  const mean = (list: readonly Example[]) =>
    meanOf(
      list.map((one) => {
        if ('vector' in one) return one.vector;
        const vector = known.get(one.id);
        if (vector === undefined) throw refused(404, `Not found: No point with id ${one.id} found`);
        return info.distance === 'Cosine' ? normalised(vector) : vector;
      }),
      info.size,
    );
  const liked = mean(positive);
  if (negative.length === 0) return { vector: liked, ids };
  const disliked = mean(negative);
  return { vector: liked.map((x, i) => 2 * x - disliked[i]!), ids };
}

function meanOf(vectors: readonly ArrayLike<number>[], size: number): Float32Array {
  const sum = new Float64Array(size);
  for (const vector of vectors) {
    if (vector.length !== size)
      throw refused(
        400,
        `Wrong input: Vector dimension error: expected dim: ${size}, got ${vector.length}`,
      );
    for (let i = 0; i < size; i++) sum[i]! += vector[i]!;
  }
  return Float32Array.from(sum, (x) => x / vectors.length);
}

function normalised(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  return vector.map((x) => x / length);
}
