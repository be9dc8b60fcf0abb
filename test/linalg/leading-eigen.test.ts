import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { drain } from '../../src/base/steps.js';
import { Kernels } from '../../src/kernels/index.js';
import { eigenSymmetric } from '../../src/linalg/eigen-symmetric.js';
import { leadingEigen } from '../../src/linalg/leading-eigen.js';
import { subspaceSteps } from '../../src/linalg/subspace-iteration.js';
import { errorOf, orthonormalityError, randomSymmetric, sum, symmetricWith } from './support.js';

const kernels = new Kernels();

function subspace(matrix: Float64Array, d: number, k: number, seed = 1) {
  return drain(subspaceSteps(kernels, matrix, d, k, new Random(seed)));
}

/** λ_i = scale · i^-power. */
function powerLaw(d: number, power: number, scale = 1): number[] {
  return Array.from({ length: d }, (_, i) => scale * (i + 1) ** -power);
}

function expectLeading(
  pairs: { values: Float64Array; vectors: Float64Array } | undefined,
  matrix: Float64Array,
  d: number,
  k: number,
): void {
  const exact = eigenSymmetric(kernels, matrix, d, k);
  expect(pairs).toBeDefined();
  const { values, vectors } = pairs!;
  expect(values).toHaveLength(k);
  expect(vectors).toHaveLength(k * d);
  expect(sum(values) / sum(exact.values)).toBeGreaterThan(1 - 1e-6);
  expect(orthonormalityError(vectors, d)).toBeLessThan(1e-12);
  values.forEach((value, i) => {
    expect(Math.abs(value / exact.values[i]! - 1)).toBeLessThan(1e-5);
    const row = vectors.subarray(i * d, (i + 1) * d);
    expect(Math.max(...row)).toBe(Math.max(...row.map(Math.abs)));
  });
}

describe('subspace iteration', () => {
  test.each([
    [0.5, 1],
    [1, 1],
    [1, 1e-30],
    [1, 1e30],
    [2, 1],
  ])('λ_i ~ i^-%d, scale %d', (power, scale) => {
    const matrix = symmetricWith(powerLaw(250, power, scale), 1);
    expectLeading(subspace(matrix, 250, 10), matrix, 250, 10);
  });

  test('odd sizes, one vector, a whole basis', () => {
    for (const [d, k] of [
      [3, 1],
      [17, 1],
      [41, 5],
      [30, 29],
    ] as const) {
      const matrix = symmetricWith(powerLaw(d, 1), d);
      expectLeading(subspace(matrix, d, k), matrix, d, k);
    }
  });

  test('leading vectors where the spectrum is well separated', () => {
    const matrix = symmetricWith(powerLaw(200, 1), 4);
    const exact = eigenSymmetric(kernels, matrix, 200, 8);
    const { vectors } = subspace(matrix, 200, 8)!;
    vectors.forEach((x, i) => {
      expect(Math.abs(x - exact.vectors[i]!)).toBeLessThan(1e-4);
    });
  });

  test('repeated eigenvalues, a low-rank part above a floor', () => {
    const spectrum = [...Array(6).fill(4), ...Array(6).fill(2), ...Array(188).fill(0.01)];
    const matrix = symmetricWith(spectrum, 5);
    expectLeading(subspace(matrix, 200, 12), matrix, 200, 12);
  });

  test('a rank above and below the number of pairs', () => {
    const spectrum = [...powerLaw(20, 1), ...Array(180).fill(0)];
    const matrix = symmetricWith(spectrum, 10);
    for (const k of [1, 12, 20]) expectLeading(subspace(matrix, 200, k), matrix, 200, k);
    expect(subspace(matrix, 200, 21)).toBeUndefined();
  });

  test('a gap that would amplify beyond float32', () => {
    const spectrum = Array.from({ length: 100 }, (_, i) => (i < 8 ? 1 + i / 8 : 1e-9 * (100 - i)));
    const matrix = symmetricWith(spectrum, 11);
    expectLeading(subspace(matrix, 100, 8), matrix, 100, 8);
  });

  test('says when it cannot: zero, steep or negative eigenvalues', () => {
    const before = kernels.mark();
    expect(subspace(new Float64Array(1600), 40, 3)).toBeUndefined();
    const steep = Array.from({ length: 100 }, (_, i) => 0.3 ** i);
    expect(subspace(symmetricWith(steep, 6), 100, 30)).toBeUndefined();
    const negative = powerLaw(60, 1).map((x, i) => (i % 2 === 0 ? x : -x));
    expect(subspace(symmetricWith(negative, 7), 60, 3)).toBeUndefined();
    expect(kernels.mark()).toBe(before);
  });

  test('same seed, same bytes', () => {
    const matrix = symmetricWith(powerLaw(150, 1), 8);
    const first = subspace(matrix, 150, 10, 3);
    expect(subspace(matrix, 150, 10, 3)).toEqual(first);
    expect(subspace(matrix, 150, 10, 4)!.vectors).not.toEqual(first!.vectors);
  });
});

describe('leadingEigen', () => {
  test('is the exact solver but for few pairs of a large matrix', () => {
    const matrix = symmetricWith(powerLaw(120, 1), 9);
    for (const k of [1, 5, 60, 120]) {
      const expected = eigenSymmetric(kernels, matrix, 120, k);
      expect(leadingEigen(kernels, matrix, 120, k, new Random(1))).toEqual(expected);
    }
  });

  test('few pairs of a large matrix, and one that the subspace iteration cannot do', () => {
    const d = 1024;
    // A convex, falling function of the distance is positive definite (Pólya).
    const matrix = new Float64Array(d * d);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++)
        matrix[i * d + j] = 1 / (1 + Math.abs(i - j) / 40) + (i === j ? 1 : 0);
    }
    const pairs = subspace(matrix, d, 16);
    expectLeading(pairs, matrix, d, 16);
    expect(leadingEigen(kernels, matrix, d, 16, new Random(1))).toEqual(pairs);
    const identity = new Float64Array(d * d);
    for (let i = 0; i < d; i++) identity[i * (d + 1)] = 2;
    const { values } = leadingEigen(kernels, identity, d, 4, new Random(1));
    for (const value of values) expect(value).toBeCloseTo(2, 12);
  });

  test('refuses wrong arguments', () => {
    const matrix = randomSymmetric(3, 1);
    const random = new Random(1);
    for (const k of [0, 4, 1.5]) {
      expect(errorOf(() => leadingEigen(kernels, matrix, 3, k, random))).toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
    expect(errorOf(() => leadingEigen(kernels, matrix, 2, 1, random))).toMatchObject({
      code: 'DIMENSION_MISMATCH',
    });
    matrix[4] = Number.NaN;
    expect(errorOf(() => leadingEigen(kernels, matrix, 3, 1, random))).toBeInstanceOf(RangeError);
    expect(errorOf(() => subspace(matrix, 3, 1))).toBeInstanceOf(RangeError);
  });
});
