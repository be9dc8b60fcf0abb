import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';
import { polar } from '../../src/linalg/polar.js';
import { randomOrthogonal } from '../../src/linalg/qr.js';
import { errorOf, orthonormalityError } from './support.js';

const kernels = new Kernels();

function gaussian(count: number, length: number, seed: number): Float64Array {
  const random = new Random(seed);
  return Float64Array.from({ length: count * length }, () => random.gaussian());
}

function svdOf(matrix: Float64Array, count: number, length: number) {
  const rows = Matrix.from1DArray(count, length, matrix);
  return new SingularValueDecomposition(rows.transpose(), { autoTranspose: true });
}

/** U Vᵀ by ml-matrix's SVD, of the transpose since it wants tall matrices. */
function oracle(matrix: Float64Array, count: number, length: number): number[] {
  const svd = svdOf(matrix, count, length);
  return svd.leftSingularVectors.mmul(svd.rightSingularVectors.transpose()).transpose().to1DArray();
}

describe('polar', () => {
  test.each([
    [1, 1],
    [1, 5],
    [2, 2],
    [3, 7],
    [8, 8],
    [12, 50],
  ])('of %i × %i is U Vᵀ of the singular value decomposition', (count, length) => {
    const matrix = gaussian(count, length, count + length);
    const factor = polar(kernels, matrix, count, length);
    expect(orthonormalityError(factor, length)).toBeLessThan(1e-13);
    oracle(matrix, count, length).forEach((x, i) => {
      expect(Math.abs(factor[i]! - x)).toBeLessThan(1e-9);
    });
  });

  test('orthonormal rows are their own factor, whatever their size', () => {
    const q = randomOrthogonal(20, new Random(3)).subarray(0, 6 * 20);
    for (const size of [1, 1e-200, 1e200]) {
      const factor = polar(
        kernels,
        q.map((x) => x * size),
        6,
        20,
      );
      factor.forEach((x, i) => {
        expect(Math.abs(x - q[i]!)).toBeLessThan(1e-13);
      });
    }
  });

  test('no singular value exceeds 1, and those of dependent rows are 1 or 0', () => {
    const rows = gaussian(4, 9, 7);
    // Row 3 is the sum of rows 0 and 1; row 2 is nearly row 0.
    for (let j = 0; j < 9; j++) {
      rows[27 + j] = rows[j]! + rows[9 + j]!;
      rows[18 + j] = rows[j]! + 1e-6 * rows[18 + j]!;
    }
    const factor = polar(kernels, rows, 4, 9);
    const singular = [...svdOf(factor, 4, 9).diagonal].sort((a, b) => b - a);
    expect(singular[0]).toBeLessThanOrEqual(1 + 1e-14);
    expect(singular[2]).toBeGreaterThan(0.999);
    expect(singular[3]).toBeLessThan(1e-6);
    expect(polar(kernels, new Float64Array(12), 3, 4).every((x) => x === 0)).toBe(true);
  });

  test('refuses wrong input', () => {
    expect(errorOf(() => polar(kernels, new Float64Array(6), 3, 2))).toBeInstanceOf(RangeError);
    expect(errorOf(() => polar(kernels, new Float64Array(5), 2, 3))).toMatchObject({
      code: 'DIMENSION_MISMATCH',
    });
    expect(errorOf(() => polar(kernels, [1] as never, 1, 1))).toBeInstanceOf(TypeError);
    expect(errorOf(() => polar(kernels, Float64Array.of(Infinity), 1, 1))).toBeInstanceOf(
      RangeError,
    );
  });
});
