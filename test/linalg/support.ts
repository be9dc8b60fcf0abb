import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { Random } from '../../src/base/random.js';
import { randomOrthogonal } from '../../src/linalg/qr.js';

/** Qᵀ diag(spectrum) Q with a random orthogonal Q; symmetric to the last bit. */
export function symmetricWith(spectrum: readonly number[], seed: number): Float64Array {
  const d = spectrum.length;
  const q = randomOrthogonal(d, new Random(seed));
  const matrix = new Float64Array(d * d);
  for (let k = 0; k < d; k++) {
    for (let i = 0; i < d; i++) {
      const factor = spectrum[k]! * q[k * d + i]!;
      for (let j = 0; j <= i; j++) matrix[i * d + j]! += factor * q[k * d + j]!;
    }
  }
  return mirrored(matrix, d);
}

/** A symmetric matrix of uniform numbers in [−1, 1). */
export function randomSymmetric(d: number, seed: number): Float64Array {
  const random = new Random(seed);
  return mirrored(
    Float64Array.from({ length: d * d }, () => 2 * random.uniform() - 1),
    d,
  );
}

function mirrored(matrix: Float64Array, d: number): Float64Array {
  for (let i = 0; i < d; i++) for (let j = 0; j < i; j++) matrix[j * d + i] = matrix[i * d + j]!;
  return matrix;
}

/** All eigenvalues by ml-matrix, descending. */
export function oracleValues(matrix: Float64Array, d: number): number[] {
  const rows = Matrix.from1DArray(d, d, matrix);
  const { realEigenvalues } = new EigenvalueDecomposition(rows, { assumeSymmetric: true });
  return realEigenvalues.sort((a, b) => b - a);
}

/** The largest |A v_i − λ_i v_i|, relative to the largest |λ|. */
export function eigenResidual(
  matrix: Float64Array,
  d: number,
  { values, vectors }: { values: Float64Array; vectors: Float64Array },
): number {
  const largest = Math.max(...values.map(Math.abs)) || 1;
  let worst = 0;
  values.forEach((value, k) => {
    const v = vectors.subarray(k * d, (k + 1) * d);
    for (let i = 0; i < d; i++) {
      let sum = -value * v[i]!;
      for (let j = 0; j < d; j++) sum += matrix[i * d + j]! * v[j]!;
      worst = Math.max(worst, Math.abs(sum) / largest);
    }
  });
  return worst;
}

/** The largest deviation of the rows' products from the identity. */
export function orthonormalityError(rows: ArrayLike<number>, n: number): number {
  const count = rows.length / n;
  let worst = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? -1 : 0;
      for (let k = 0; k < n; k++) sum += rows[i * n + k]! * rows[j * n + k]!;
      worst = Math.max(worst, Math.abs(sum));
    }
  }
  return worst;
}

export function transposed(matrix: ArrayLike<number>, columns: number): Float64Array {
  const rows = matrix.length / columns;
  const result = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j]!;
  }
  return result;
}

export function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const x of numbers) total += x;
  return total;
}

/** The error that a call throws. */
export function errorOf(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}
