import type { Random } from '../base/random.js';
import { drain, type Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { checkMatrix, type EigenPairs, eigenSymmetricSteps } from './eigen-symmetric.js';
import { subspaceSteps } from './subspace-iteration.js';

/**
 * Where the subspace iteration measured faster (bench/linalg.ts), by up to 4 times. The limit
 * depends on the spectrum: d / 24 pairs for a slow decay, beyond d / 10 for λ_i ~ 1 / i.
 */
const SUBSPACE_DIMENSIONS_MIN = 1024;
const SUBSPACE_SHARE_MAX = 1 / 16;

/**
 * The k largest eigenvalues of a symmetric positive semidefinite d × d matrix (row-major, not
 * changed) with eigenvectors. For a small share of a large matrix it tries the subspace iteration
 * (subspace-iteration.ts); otherwise, and when that does not converge, it takes k pairs from the
 * exact solver, for which the tridiagonal matrix is most of the work, whatever k is. Either way the
 * sum of the values is at least 1 − 1e-6 of the exact one, and well separated values have relative
 * errors below 1e-5. Same input and seed, same bytes.
 *
 * The steps yield about every millisecond and need `kernels` for themselves until they are done.
 *
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`: not a finite matrix, k
 * not a whole number from 1 to d.
 */
export function* leadingEigenSteps(
  kernels: Kernels,
  matrix: Float64Array,
  d: number,
  k: number,
  random: Random,
): Steps<EigenPairs> {
  checkMatrix(matrix, d, k);
  if (d >= SUBSPACE_DIMENSIONS_MIN && k <= d * SUBSPACE_SHARE_MAX) {
    const found = yield* subspaceSteps(kernels, matrix, d, k, random);
    if (found !== undefined) return found;
  }
  return yield* eigenSymmetricSteps(kernels, matrix, d, k);
}

/** leadingEigenSteps without a pause. */
export function leadingEigen(
  kernels: Kernels,
  matrix: Float64Array,
  d: number,
  k: number,
  random: Random,
): EigenPairs {
  return drain(leadingEigenSteps(kernels, matrix, d, k, random));
}
