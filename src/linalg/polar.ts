import { checkInteger } from '../base/check.js';
import { wrongDimension, wrongType } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { eigenSymmetricSteps } from './eigen-symmetric.js';
import { matrixProductSteps, rowProductsSteps, transposeSteps } from './row-products.js';
import { largestMagnitude, powerOfTwoNear } from './scale.js';

/**
 * Singular values below this share of the largest count as 0: the Gram matrix, which squares them,
 * does not tell them from rounding errors.
 */
const NOISE = 1e-7;

/**
 * The orthonormal factor U Vᵀ of the singular value decomposition U Σ Vᵀ of a count × length
 * matrix, count ≤ length, row-major, not changed: the orthonormal rows nearest to its own (Higham
 * 1986), and the G with ‖G‖₂ ≤ 1 of the largest tr(G Mᵀ). Directions of singular values below 1e-7
 * of the largest are left out: a partial isometry, the zero matrix for zero.
 *
 * (M Mᵀ)^−½ M by the eigenvectors of the Gram matrix, then one Newton–Schulz step G (3 − Gᵀ G) / 2,
 * which squares the error and leaves no singular value above 1 + 1e-15.
 *
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`: not such a finite matrix.
 */
export function* polarSteps(
  kernels: Kernels,
  matrix: Float64Array,
  count: number,
  length: number,
): Steps<Float64Array> {
  requireMatrix(matrix, count, length);
  const scale = powerOfTwoNear(yield* largestMagnitude('matrix', matrix));
  const rows = matrix.map((x) => x / scale);
  yield;
  const gram = yield* rowProductsSteps(kernels, rows, rows, length);
  const { values, vectors } = yield* eigenSymmetricSteps(kernels, gram, count);
  const largest = Math.max(0, values[0]!);
  const least = NOISE * NOISE * largest;
  const inverses = values.map((value) => (value > least ? 1 / Math.sqrt(value) : 0));
  const columns = yield* transposeSteps(vectors, count);
  const scaled = columns.map((x, at) => x * inverses[at % count]!);
  const inverseRoot = yield* rowProductsSteps(kernels, scaled, columns, count);
  const factor = yield* matrixProductSteps(kernels, inverseRoot, rows, count);
  return yield* newtonSchulzSteps(kernels, factor, count, length);
}

/** polarSteps without a pause. */
export function polar(
  kernels: Kernels,
  matrix: Float64Array,
  count: number,
  length: number,
): Float64Array {
  return drain(polarSteps(kernels, matrix, count, length));
}

/** (3 I − G Gᵀ) G / 2: maps each singular value σ to σ (3 − σ²) / 2, at most 1 for σ ≤ √3. */
function* newtonSchulzSteps(
  kernels: Kernels,
  rows: Float64Array,
  count: number,
  length: number,
): Steps<Float64Array> {
  const gram = yield* rowProductsSteps(kernels, rows, rows, length);
  for (let i = 0; i < gram.length; i++) gram[i] = -0.5 * gram[i]!;
  for (let i = 0; i < count; i++) gram[i * count + i] = gram[i * count + i]! + 1.5;
  return yield* matrixProductSteps(kernels, gram, rows, count);
}

function requireMatrix(matrix: Float64Array, count: number, length: number): void {
  if (!(matrix instanceof Float64Array)) throw wrongType('matrix', 'a Float64Array', matrix);
  checkInteger('count', count, 1, 16_384);
  checkInteger('length', length, count, 2 ** 24);
  if (matrix.length !== count * length) {
    throw wrongDimension('matrix', count * length, matrix.length);
  }
}
