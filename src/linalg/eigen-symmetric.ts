import { checkInteger } from '../base/check.js';
import { wrongDimension, wrongType } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { eigenvectorSteps } from './eigenvectors.js';
import { rowStride } from './householder.js';
import { recordQlSteps } from './implicit-ql.js';
import { largestMagnitude, powerOfTwoNear } from './scale.js';
import { tridiagonaliseSteps } from './tridiagonal.js';

/** Rows that a plain loop handles between two yields. */
const ROWS_PER_STEP = 32;
/** The most that anything in leandex has; all the eigenvectors of so many exceed 4 GiB. */
const DIMENSIONS_MAX = 16_384;

export interface EigenPairs {
  /** k eigenvalues, descending. */
  readonly values: Float64Array;
  /** k × d: row i is the unit eigenvector of values[i], its largest component positive. */
  readonly vectors: Float64Array;
}

/**
 * The `count` largest eigenvalues (default: all d) of a symmetric d × d matrix with eigenvectors.
 * Only the lower triangle of `matrix` (row-major) is read; it is not changed. Householder
 * tridiagonalisation and implicit QL in float64: values are within a modest multiple of
 * 2^-53 · ‖A‖ of the exact ones, rows orthonormal to about d · 2^-53, equal ones included.
 * Same input, same bytes, on every engine.
 *
 * The steps yield about every millisecond. Until they are done they need `kernels` for themselves,
 * since it hands out memory as a stack; they take about 22 d² bytes there.
 *
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`: not a finite matrix.
 * @throws LeandexError `RESOURCE_EXHAUSTED` past 4 GiB, from about d = 13,000 on.
 */
export function* eigenSymmetricSteps(
  kernels: Kernels,
  matrix: Float64Array,
  d: number,
  count = d,
): Steps<EigenPairs> {
  checkMatrix(matrix, d, count);
  // Divided by a power of two near the largest, squares neither overflow nor vanish.
  const scale = powerOfTwoNear(yield* largestMagnitude('matrix', matrix));
  const mark = kernels.mark();
  try {
    const stride = rowStride(d);
    const pointer = kernels.alloc(d * stride * 8);
    yield* copyTriangle(kernels, matrix, d, pointer, scale);
    const tridiagonal = yield* tridiagonaliseSteps(kernels, pointer, d, stride);
    const ql = yield* recordQlSteps(kernels, tridiagonal);
    const order = Uint32Array.from(ql.values.keys());
    order.sort((a, b) => ql.values[b]! - ql.values[a]! || a - b);
    const wanted = order.subarray(0, count);
    const reflectors = { pointer, n: d, stride };
    const vectors = yield* eigenvectorSteps(kernels, reflectors, ql, wanted);
    for (let i = 0; i < count; i++) {
      makeLargestPositive(vectors.subarray(i * d, (i + 1) * d));
      if (i % ROWS_PER_STEP === 0) yield;
    }
    return { values: Float64Array.from(wanted, (j) => ql.values[j]! * scale), vectors };
  } finally {
    kernels.release(mark);
  }
}

/** eigenSymmetricSteps without a pause. */
export function eigenSymmetric(
  kernels: Kernels,
  matrix: Float64Array,
  d: number,
  count = d,
): EigenPairs {
  return drain(eigenSymmetricSteps(kernels, matrix, d, count));
}

/** @throws TypeError, RangeError unless matrix is a Float64Array of d × d and 1 ≤ count ≤ d. */
export function checkMatrix(matrix: Float64Array, d: number, count: number): void {
  if (!(matrix instanceof Float64Array)) throw wrongType('matrix', 'a Float64Array', matrix);
  checkInteger('d', d, 1, DIMENSIONS_MAX);
  if (matrix.length !== d * d) throw wrongDimension('matrix', d * d, matrix.length);
  checkInteger('the number of eigenpairs', count, 1, d);
}

/** Copies the lower triangle divided by `scale` into rows rowStride(d) apart. */
function* copyTriangle(
  kernels: Kernels,
  matrix: Float64Array,
  d: number,
  pointer: number,
  scale: number,
): Steps<void> {
  const stride = rowStride(d);
  for (let i = 0; i < d; i++) {
    const row = kernels.f64(pointer + i * stride * 8, stride).fill(0);
    for (let j = 0; j <= i; j++) row[j] = matrix[i * d + j]! / scale;
    if (i % ROWS_PER_STEP === 0) yield;
  }
}

/** Of equal magnitudes, the first one decides. */
export function makeLargestPositive(vector: Float64Array): void {
  let largest = 0;
  for (const x of vector) if (Math.abs(x) > Math.abs(largest)) largest = x;
  if (largest >= 0) return;
  for (let i = 0; i < vector.length; i++) vector[i] = -vector[i]!;
}
