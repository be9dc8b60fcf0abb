import { describe, expect, test } from 'vitest';
import { Kernels } from '../../src/kernels/index.js';
import { symmetricRoots } from '../../src/linalg/symmetric-roots.js';
import { errorOf, symmetricWith } from './support.js';

const kernels = new Kernels();

function multiply(a: Float64Array, b: Float64Array, d: number): Float64Array {
  const out = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let k = 0; k < d; k++) {
      for (let j = 0; j < d; j++) out[i * d + j]! += a[i * d + k]! * b[k * d + j]!;
    }
  }
  return out;
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
}

function identity(d: number): Float64Array {
  return Float64Array.from({ length: d * d }, (_, i) => (i % (d + 1) === 0 ? 1 : 0));
}

describe('symmetricRoots', () => {
  test('of a diagonal matrix', () => {
    const { root, inverseRoot } = symmetricRoots(kernels, Float64Array.of(4, 0, 0, 9), 2);
    expect([...root]).toEqual([2, 0, 0, 3]);
    expect(largestDifference(inverseRoot, Float64Array.of(0.5, 0, 0, 1 / 3))).toBeLessThan(1e-16);
  });

  test.each([1, 2, 5, 33, 70])('root² = A and root · inverse = I for d = %i', (d) => {
    const spectrum = Array.from({ length: d }, (_, i) => 3 / (i + 1) ** 2);
    const matrix = symmetricWith(spectrum, d);
    const { root, inverseRoot } = symmetricRoots(kernels, matrix, d);
    expect(largestDifference(multiply(root, root, d), matrix)).toBeLessThan(1e-13);
    expect(largestDifference(multiply(root, inverseRoot, d), identity(d))).toBeLessThan(1e-11);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < i; j++) expect(root[i * d + j]).toBe(root[j * d + i]);
    }
  });

  test('a singular matrix has an inverse root of bounded size', () => {
    const matrix = symmetricWith([1, 0.5, 0, 0], 3);
    const { root, inverseRoot } = symmetricRoots(kernels, matrix, 4);
    expect(largestDifference(multiply(root, root, 4), matrix)).toBeLessThan(2e-9);
    expect(largestDifference(multiply(root, inverseRoot, 4), identity(4))).toBeLessThan(1e-9);
    expect(inverseRoot.every((x) => Math.abs(x) < 1.001 * Math.sqrt(1e9))).toBe(true);
  });

  test('refuses what has no root', () => {
    expect(errorOf(() => symmetricRoots(kernels, new Float64Array(4), 2))).toBeInstanceOf(
      RangeError,
    );
    expect(errorOf(() => symmetricRoots(kernels, Float64Array.of(-1), 1))).toBeInstanceOf(
      RangeError,
    );
    const wrong = Float64Array.of(1, Number.NaN, Number.NaN, 1);
    expect(errorOf(() => symmetricRoots(kernels, wrong, 2))).toBeInstanceOf(RangeError);
    expect(errorOf(() => symmetricRoots(kernels, wrong, 3))).toMatchObject({
      code: 'DIMENSION_MISMATCH',
    });
  });
});
