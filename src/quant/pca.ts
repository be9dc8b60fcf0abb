import { Random } from '../base/random.js';
import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { leadingEigenSteps } from '../linalg/leading-eigen.js';
import type { Moments } from '../linalg/moments.js';
import { trace } from '../linalg/trace.js';
import { innerProduct } from './projection-loss.js';
import { rowVariancesSteps } from './query-aware.js';
import type { Kept } from './target.js';

export interface PrincipalComponents {
  /** target × dimensions, orthonormal rows by falling variance. */
  readonly basis: Float64Array;
  /** The variance along each row, and along all dimensions together. */
  readonly variance: Kept;
  /** What each row keeps of the inner products' energy tr(K_Q K_X); a prefix loses the rest. */
  readonly inner: Kept;
}

/**
 * The leading principal components, LeanVec's in-distribution map (arXiv 2312.16335, section 2.2),
 * with what they keep of the inner products with queries of moments `queries`, taken about `about`
 * (the origin if undefined): along component p of variance λ that is λ · pᵀ K_Q p.
 */
export function* pcaSteps(
  kernels: Kernels,
  data: Moments,
  queries: Moments,
  about: Float64Array | undefined,
  target: number,
  seed: number,
): Steps<PrincipalComponents> {
  const d = data.mean.length;
  const random = new Random(seed);
  const pairs = yield* leadingEigenSteps(kernels, data.covariance, d, target, random);
  const basis = pairs.vectors.slice(0, target * d);
  const variances = pairs.values.slice(0, target).map((value) => Math.max(0, value));
  const queryVariances =
    queries === data ? variances : yield* rowVariancesSteps(kernels, basis, queries.covariance);
  // K_Q is the queries' covariance and the square of their mean's offset, which stays apart here: a
  // sum would take as much memory as a covariance.
  const offset = queries.mean.map((x, i) => x - (about?.[i] ?? 0));
  const inner = variances.map(
    (variance, i) => variance * (queryVariances[i]! + along(basis, i, offset) ** 2),
  );
  yield;
  const total =
    innerProduct(data.covariance, queries.covariance) + (yield* quadratic(data.covariance, offset));
  return {
    basis,
    variance: { each: variances, total: trace(data.covariance, d) },
    inner: { each: inner, total },
  };
}

/** <p_i, x> for row i of a basis. */
function along(basis: Float64Array, i: number, x: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < x.length; j++) sum += basis[i * x.length + j]! * x[j]!;
  return sum;
}

/** xᵀ K x. */
function* quadratic(matrix: Float64Array, x: Float64Array): Steps<number> {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    sum += x[i]! * along(matrix, i, x);
    if (i % 256 === 0) yield;
  }
  return sum;
}
