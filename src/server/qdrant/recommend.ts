import { outOfRange } from '../../base/errors.js';
import type { PointId } from '../../base/point-id.js';
import type { MultiVector } from '../../db/types.js';
import type { Served } from '../catalog.js';
import { refused } from '../errors.js';
import { type Example, readExamples, vectorsOf } from './examples.js';
import { normalised } from './similarity.js';

/** Points and vectors that are liked and disliked. */
export interface Recommend {
  positive: readonly Example[];
  negative: readonly Example[];
  strategy: Strategy;
}

type Strategy = (typeof STRATEGIES)[number];

const STRATEGIES = ['average_vector', 'best_score', 'sum_scores'] as const;

export function readRecommend(what: string, given: Record<string, unknown>): Recommend {
  const { positive, negative, strategy = 'average_vector' } = given;
  if (!STRATEGIES.includes(strategy as never)) {
    throw outOfRange(`${what}.strategy`, STRATEGIES.join(', '), strategy);
  }
  const read = {
    positive: readExamples(`${what}.positive`, positive),
    negative: readExamples(`${what}.negative`, negative),
    strategy: strategy as Strategy,
  };
  const needed =
    strategy === 'average_vector' ? read.positive : [...read.positive, ...read.negative];
  if (needed.length > 0) return read;
  throw refused(422, `Validation error in JSON body: ${what}: at least one example is needed`);
}

/**
 * The mean of what is liked, moved away from the mean of what is disliked; where points have several
 * vectors all of them, those that are disliked turned round. And the ids of both, which are no results.
 * @throws 404 for an id that is not there
 */
export async function recommendedVector(
  { positive, negative }: Recommend,
  served: Served,
  using: string,
): Promise<{ vector: Float32Array | MultiVector; ids: PointId[] }> {
  const { info, vectors, ids } = await vectorsOf([...positive, ...negative], served, using);
  const liked = vectors.slice(0, positive.length);
  const disliked = vectors.slice(positive.length);
  const { size, multivector } = info;
  if (multivector !== undefined) {
    const turned = disliked.map((rows) => rows.map((x) => -x));
    return { vector: [...liked, ...turned].flatMap((rows) => rowsOf(rows, size)), ids };
  }
  const mean = (list: readonly Float32Array[]) =>
    meanOf(info.distance === 'Cosine' ? list.map(normalised) : list, size);
  if (negative.length === 0) return { vector: mean(liked), ids };
  const away = mean(disliked);
  return { vector: mean(liked).map((x, i) => 2 * x - away[i]!), ids };
}

function rowsOf(rows: Float32Array, size: number): Float32Array[] {
  const count = rows.length / size;
  return Array.from({ length: count }, (_, i) => rows.subarray(i * size, (i + 1) * size));
}

function meanOf(vectors: readonly Float32Array[], size: number): Float32Array {
  const sum = new Float64Array(size);
  for (const vector of vectors) for (let i = 0; i < size; i++) sum[i]! += vector[i]!;
  return Float32Array.from(sum, (x) => x / vectors.length);
}
