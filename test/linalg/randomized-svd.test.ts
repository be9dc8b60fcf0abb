import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';
import { randomOrthogonal, thinQr } from '../../src/linalg/qr.js';
import { randomizedSvd, type Svd } from '../../src/linalg/randomized-svd.js';
import { errorOf, orthonormalityError, sum, transposed } from './support.js';

const kernels = new Kernels();

/** A float32 matrix with the given singular values. */
function matrixWith(values: readonly number[], m: number, n: number, seed: number): Float32Array {
  const random = new Random(seed);
  const gaussian = Float64Array.from({ length: values.length * m }, () => random.gaussian());
  const left = thinQr(kernels, gaussian, values.length, m).q;
  const right = randomOrthogonal(n, random);
  const exact = new Float64Array(m * n);
  values.forEach((value, k) => {
    for (let i = 0; i < m; i++) {
      const factor = value * left[k * m + i]!;
      for (let j = 0; j < n; j++) exact[i * n + j]! += factor * right[k * n + j]!;
    }
  });
  return Float32Array.from(exact);
}

/** ‖A − U S Vᵀ‖² in float64. */
function squaredError(a: Float32Array, m: number, n: number, { u, s, v }: Svd): number {
  const r = s.length;
  let total = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let difference = a[i * n + j]!;
      for (let k = 0; k < r; k++) difference -= u[i * r + k]! * s[k]! * v[j * r + k]!;
      total += difference * difference;
    }
  }
  return total;
}

function oracle(a: Float32Array, m: number, n: number): number[] {
  const decomposition = new SingularValueDecomposition(Matrix.from1DArray(m, n, a), {
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
    autoTranspose: true,
  });
  return decomposition.diagonal;
}

function expectOrthonormal({ u, s, v }: Svd, tolerance: number): void {
  expect(orthonormalityError(transposed(v, s.length), v.length / s.length)).toBeLessThan(1e-6);
  expect(orthonormalityError(transposed(u, s.length), u.length / s.length)).toBeLessThan(tolerance);
}

describe('randomizedSvd', () => {
  test.each([
    ['tall', 300, 60, 1, 2],
    ['square', 120, 120, 1, 2],
    ['wide', 50, 200, 1, 2],
    ['flat spectrum', 300, 90, 0.5, 4],
    ['steep spectrum', 300, 90, 2, 2],
  ])('Eckart–Young, %s', (_name, m, n, power, iterations) => {
    const spectrum = Array.from({ length: Math.min(m, n) }, (_, i) => (i + 1) ** -power);
    const a = matrixWith(spectrum, m, n, 1);
    const exact = oracle(a, m, n);
    const svd = randomizedSvd(kernels, a, m, n, 20, { iterations });
    svd.s.forEach((value, i) => {
      expect(value).toBeLessThan(exact[i]! * (1 + 1e-6));
    });
    const discarded = sum(exact.slice(20).map((x) => x * x));
    const error = squaredError(a, m, n, svd);
    expect(error / discarded).toBeGreaterThan(1 - 1e-3);
    expect(error / discarded).toBeLessThan(1 + 1e-3);
    expectOrthonormal(svd, 1e-4);
  });

  test('all values of small matrices against ml-matrix', () => {
    const random = new Random(2);
    for (const [m, n] of [
      [1, 1],
      [1, 7],
      [7, 1],
      [5, 5],
      [12, 9],
      [9, 12],
      [40, 33],
    ] as const) {
      const a = Float32Array.from({ length: m * n }, () => random.gaussian());
      const rank = Math.min(m, n);
      const svd = randomizedSvd(kernels, a, m, n, rank);
      const exact = oracle(a, m, n);
      svd.s.forEach((value, i) => {
        expect(Math.abs(value - exact[i]!)).toBeLessThan(1e-6 * exact[0]!);
      });
      expect(squaredError(a, m, n, svd)).toBeLessThan(1e-11 * exact[0]! ** 2 * m * n);
    }
  });

  test('small singular values, down to the stated bound', () => {
    const spectrum = Array.from({ length: 24 }, (_, i) => 0.5 ** i);
    const a = matrixWith(spectrum, 400, 40, 3);
    const exact = oracle(a, 400, 40);
    const { s } = randomizedSvd(kernels, a, 400, 40, 24);
    s.forEach((value, i) => {
      expect(Math.abs(value - exact[i]!)).toBeLessThan(2 ** -22);
    });
  });

  test('rank-deficient and zero matrices: zero values with zero columns of u', () => {
    const a = matrixWith([3, 2, 1], 100, 30, 4);
    const svd = randomizedSvd(kernels, a, 100, 30, 8);
    expect([...svd.s].slice(3)).toEqual([0, 0, 0, 0, 0]);
    expect(squaredError(a, 100, 30, svd)).toBeLessThan(1e-10);
    for (let i = 0; i < 100; i++) for (let k = 3; k < 8; k++) expect(svd.u[i * 8 + k]).toBe(0);
    expect(orthonormalityError(transposed(svd.v, 8), 30)).toBeLessThan(1e-6);
    const zero = randomizedSvd(kernels, new Float32Array(60), 12, 5, 3);
    expect([...zero.s, ...zero.u]).toEqual(new Array(3 + 36).fill(0));
    expect(orthonormalityError(transposed(zero.v, 3), 5)).toBeLessThan(1e-6);
  });

  test.each([1e-30, 1e30])('scale %d', (scale) => {
    const a = matrixWith([4, 2, 1, 0.5], 60, 20, 5);
    const expected = randomizedSvd(kernels, a, 60, 20, 4);
    const svd = randomizedSvd(
      kernels,
      a.map((x) => x * scale),
      60,
      20,
      4,
    );
    svd.s.forEach((value, i) => {
      expect(value / scale).toBeCloseTo(expected.s[i]!, 5);
    });
    expectOrthonormal(svd, 1e-5);
  });

  test('blocks of rows: more than 256, and a last one of one row', () => {
    const spectrum = Array.from({ length: 30 }, (_, i) => (i + 1) ** -1);
    const a = matrixWith(spectrum, 1025, 30, 6);
    const svd = randomizedSvd(kernels, a, 1025, 30, 30);
    expect(squaredError(a, 1025, 30, svd)).toBeLessThan(1e-10);
    expectOrthonormal(svd, 1e-5);
  });

  test('same seed, same bytes; the memory is given back; more iterations do not harm', () => {
    const a = matrixWith([5, 4, 3, 2.9, 2.8, 2.7, 2.6, 2.5], 80, 30, 7);
    const before = kernels.mark();
    const options = { oversample: 1, iterations: 0, seed: 9 };
    const first = randomizedSvd(kernels, a, 80, 30, 3, options);
    expect(randomizedSvd(kernels, a, 80, 30, 3, options)).toEqual(first);
    expect(kernels.mark()).toBe(before);
    const better = randomizedSvd(kernels, a, 80, 30, 3, { ...options, iterations: 8 });
    expect(sum(better.s)).toBeGreaterThan(sum(first.s));
    expect(better.s[2]).toBeGreaterThan(2.98);
  });

  test('refuses wrong arguments', () => {
    const a = new Float32Array(12);
    const wrong: [unknown, number, number, number, object, string][] = [
      [new Float64Array(12), 4, 3, 2, {}, 'INVALID_ARGUMENT'],
      [a, 4, 4, 2, {}, 'DIMENSION_MISMATCH'],
      [a, 0, 3, 2, {}, 'INVALID_ARGUMENT'],
      [a, 4, 3, 0, {}, 'INVALID_ARGUMENT'],
      [a, 4, 3, 4, {}, 'INVALID_ARGUMENT'],
      [a, 4, 3, 2, { oversample: -1 }, 'INVALID_ARGUMENT'],
      [a, 4, 3, 2, { iterations: 1.5 }, 'INVALID_ARGUMENT'],
      [a, 4, 3, 2, { sead: 1 }, 'INVALID_ARGUMENT'],
      [new Float32Array(12).fill(Number.NaN), 4, 3, 2, {}, 'INVALID_ARGUMENT'],
    ];
    for (const [matrix, m, n, rank, options, code] of wrong) {
      const error = errorOf(() =>
        randomizedSvd(kernels, matrix as Float32Array, m, n, rank, options),
      );
      expect(error).toMatchObject({ code });
    }
  });
});
