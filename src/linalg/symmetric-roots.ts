import { checkInteger } from '../base/check.js';
import { outOfRange } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { eigenSymmetricSteps } from './eigen-symmetric.js';
import { rowProductsSteps, transposeSteps } from './row-products.js';

/** Eigenvalues below this share of the largest are taken to be that: the inverse root exists. */
const FLOOR = 1e-9;

export interface SymmetricRoots {
  /** A^½, d × d, symmetric positive definite. */
  readonly root: Float64Array;
  /** A^−½, its inverse. */
  readonly inverseRoot: Float64Array;
}

/**
 * The symmetric square root of a positive semidefinite d × d matrix (row-major, not changed) and
 * its inverse: V diag(λ^±½) Vᵀ. Eigenvalues below 1e-9 of the largest, negative rounding errors
 * included, are raised to that floor, so that root · inverseRoot = I for singular matrices too. The
 * steps need `kernels` for themselves until they are done.
 *
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`: not a finite matrix of
 * d × d with a positive eigenvalue.
 */
export function* symmetricRootsSteps(
  kernels: Kernels,
  matrix: Float64Array,
  d: number,
): Steps<SymmetricRoots> {
  checkInteger('d', d, 1, 16_384);
  const { values, vectors } = yield* eigenSymmetricSteps(kernels, matrix, d);
  const largest = values[0]!;
  if (!(largest > 0)) throw outOfRange('the largest eigenvalue', 'positive', largest);
  const columns = yield* transposeSteps(vectors, d);
  const roots = values.map((value) => Math.sqrt(Math.max(value, FLOOR * largest)));
  const root = yield* spectralSteps(kernels, columns, roots);
  const inverse = roots.map((value) => 1 / value);
  return { root, inverseRoot: yield* spectralSteps(kernels, columns, inverse) };
}

/** symmetricRootsSteps without a pause. */
export function symmetricRoots(kernels: Kernels, matrix: Float64Array, d: number): SymmetricRoots {
  return drain(symmetricRootsSteps(kernels, matrix, d));
}

/** V diag(values) Vᵀ for eigenvectors as columns, symmetric to the last bit. */
function* spectralSteps(
  kernels: Kernels,
  columns: Float64Array,
  values: Float64Array,
): Steps<Float64Array> {
  const d = values.length;
  const scaled = columns.map((x, at) => x * values[at % d]!);
  yield;
  const result = yield* rowProductsSteps(kernels, scaled, columns, d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < i; j++) result[j * d + i] = result[i * d + j]!;
  }
  yield;
  return result;
}
