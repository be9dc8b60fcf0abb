import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Kernels } from '../../src/kernels/index.js';
import { eigenSymmetric, eigenSymmetricSteps } from '../../src/linalg/eigen-symmetric.js';
import {
  eigenResidual,
  errorOf,
  oracleValues,
  orthonormalityError,
  randomSymmetric,
  sum,
  symmetricWith,
} from './support.js';

const kernels = new Kernels();

function expectDecomposition(matrix: Float64Array, d: number, count = d) {
  const pairs = eigenSymmetric(kernels, matrix, d, count);
  expect(pairs.values).toHaveLength(count);
  expect(pairs.vectors).toHaveLength(count * d);
  expect(eigenResidual(matrix, d, pairs)).toBeLessThan(1e-13);
  expect(orthonormalityError(pairs.vectors, d)).toBeLessThan(1e-13);
  for (let i = 1; i < count; i++) {
    expect(pairs.values[i]!).toBeLessThanOrEqual(pairs.values[i - 1]!);
  }
  return pairs;
}

describe('eigenSymmetric against ml-matrix', () => {
  test('sizes 1 … 60', () => {
    for (let d = 1; d <= 60; d++) {
      const matrix = randomSymmetric(d, d);
      const { values } = expectDecomposition(matrix, d);
      const expected = oracleValues(matrix, d);
      const largest = Math.max(...expected.map(Math.abs));
      values.forEach((value, i) => {
        expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-13 * largest);
      });
    }
  });

  test.each([128, 257, 300])('size %i', (d) => {
    const matrix = randomSymmetric(d, d);
    const { values } = expectDecomposition(matrix, d);
    oracleValues(matrix, d).forEach((value, i) => {
      expect(Math.abs(value - values[i]!)).toBeLessThan(1e-12);
    });
  });

  test('a steep spectrum keeps its small eigenvalues to 1e-15 of the largest', () => {
    const spectrum = Array.from({ length: 80 }, (_, i) => 0.5 ** i);
    const { values } = expectDecomposition(symmetricWith(spectrum, 3), 80);
    values.forEach((value, i) => {
      expect(Math.abs(value - spectrum[i]!)).toBeLessThan(2e-15);
    });
  });
});

describe('eigenSymmetric by its properties', () => {
  const matrices = fc
    .record({
      d: fc.integer({ min: 1, max: 24 }),
      seed: fc.nat(),
      power: fc.integer({ min: -20, max: 20 }),
    })
    .map(({ d, seed, power }) => ({
      d,
      matrix: randomSymmetric(d, seed).map((x) => x * 10 ** power),
    }));

  test('A v = λ v, orthonormal, descending; trace and Frobenius norm are kept', () => {
    fc.assert(
      fc.property(matrices, ({ d, matrix }) => {
        const { values } = expectDecomposition(matrix, d);
        const norm = Math.sqrt(sum(matrix.map((x) => x * x)));
        const trace = sum(Array.from({ length: d }, (_, i) => matrix[i * d + i]!));
        expect(Math.abs(sum(values) - trace)).toBeLessThanOrEqual(1e-13 * norm);
        const spectral = Math.sqrt(sum(values.map((x) => x * x)));
        expect(Math.abs(spectral - norm)).toBeLessThanOrEqual(1e-13 * norm);
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test('matrices of small integers: many equal and zero entries', () => {
    const small = fc.integer({ min: 1, max: 12 }).chain((d) =>
      fc
        .array(fc.integer({ min: -1, max: 1 }), { minLength: d * d, maxLength: d * d })
        .map((numbers) => {
          const matrix = Float64Array.from(numbers);
          for (let i = 0; i < d; i++) {
            for (let j = 0; j < i; j++) matrix[j * d + i] = matrix[i * d + j]!;
          }
          return { d, matrix };
        }),
    );
    fc.assert(
      fc.property(small, ({ d, matrix }) => {
        expectDecomposition(matrix, d);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('reads the lower triangle only and leaves the matrix alone', () => {
    const d = 13;
    const matrix = randomSymmetric(d, 5);
    const expected = eigenSymmetric(kernels, matrix, d);
    const lower = matrix.slice();
    for (let i = 0; i < d; i++) for (let j = i + 1; j < d; j++) lower[i * d + j] = 7;
    const copy = lower.slice();
    expect(eigenSymmetric(kernels, lower, d)).toEqual(expected);
    expect(lower).toEqual(copy);
  });

  test('the first pairs of a part are those of the whole, to the last bit', () => {
    const d = 50;
    const matrix = randomSymmetric(d, 6);
    const all = eigenSymmetric(kernels, matrix, d);
    for (const count of [1, 7, 8, 9, 49]) {
      const part = expectDecomposition(matrix, d, count);
      expect(part.values).toEqual(all.values.slice(0, count));
      expect(part.vectors).toEqual(all.vectors.slice(0, count * d));
    }
  });

  test('the largest component of each vector is positive; same bytes in both binaries', () => {
    const matrix = randomSymmetric(40, 7);
    const { values, vectors } = eigenSymmetric(kernels, matrix, 40);
    for (let i = 0; i < 40; i++) {
      const row = vectors.subarray(i * 40, (i + 1) * 40);
      expect(Math.max(...row)).toBe(Math.max(...row.map(Math.abs)));
    }
    const plain = new Kernels({ variant: 'simd' });
    expect(eigenSymmetric(plain, matrix, 40)).toEqual({ values, vectors });
  });
});

describe('eigenSymmetric on degenerate matrices', () => {
  test('1 × 1', () => {
    const pairs = eigenSymmetric(kernels, Float64Array.of(-3), 1);
    expect(pairs).toEqual({ values: Float64Array.of(-3), vectors: Float64Array.of(1) });
  });

  test.each([2, 9, 64])('zero, identity and rank one of size %i', (d) => {
    expect(expectDecomposition(new Float64Array(d * d), d).values).toEqual(new Float64Array(d));
    const identity = Float64Array.from({ length: d * d }, (_, i) => (i % (d + 1) === 0 ? 1 : 0));
    expect(expectDecomposition(identity, d).values).toEqual(new Float64Array(d).fill(1));
    const { values } = expectDecomposition(new Float64Array(d * d).fill(1), d);
    expect(values[0]).toBeCloseTo(d, 12);
    expect(Math.abs(values[1]!)).toBeLessThan(1e-13 * d);
  });

  test('diagonal: the sorted diagonal and unit vectors, exactly', () => {
    const diagonal = [3, -1, 0, 7, 3, 1e-9];
    const matrix = new Float64Array(36);
    diagonal.forEach((x, i) => {
      matrix[i * 7] = x;
    });
    const { values, vectors } = eigenSymmetric(kernels, matrix, 6);
    expect([...values]).toEqual([7, 3, 3, 1e-9, 0, -1]);
    expect([...vectors].filter((x) => x !== 0)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  test('repeated eigenvalues and a large null space', () => {
    const spectrum = [...Array(20).fill(5), ...Array(20).fill(1), ...Array(60).fill(0)];
    const { values } = expectDecomposition(symmetricWith(spectrum, 9), 100);
    values.forEach((value, i) => {
      expect(Math.abs(value - spectrum[i])).toBeLessThan(1e-13);
    });
  });

  test.each([1e-300, 1e-30, 1e30, 1e300])('scale %d', (scale) => {
    const matrix = randomSymmetric(30, 10);
    const expected = eigenSymmetric(kernels, matrix, 30);
    const { values } = expectDecomposition(
      matrix.map((x) => x * scale),
      30,
    );
    values.forEach((value, i) => {
      expect(Math.abs(value / scale - expected.values[i]!)).toBeLessThan(1e-13);
    });
  });

  test('scales that differ by 1e200 within one matrix', () => {
    const matrix = randomSymmetric(12, 11);
    for (let i = 0; i < 12; i++) {
      for (let j = 0; j < 12; j++) matrix[i * 12 + j]! *= 10 ** (-9 * (i + j));
    }
    expectDecomposition(matrix, 12);
  });

  test('the well-known Wilkinson matrix W21+, pairs of values that agree to 1e-14', () => {
    const matrix = new Float64Array(21 * 21);
    for (let i = 0; i < 21; i++) {
      matrix[i * 22] = Math.abs(i - 10);
      if (i > 0) matrix[i * 21 + i - 1] = matrix[(i - 1) * 21 + i] = 1;
    }
    const { values } = expectDecomposition(matrix, 21);
    // Wilkinson, The Algebraic Eigenvalue Problem, p. 309.
    expect(values[0]).toBeCloseTo(10.746194182903393, 12);
    expect(values[20]).toBeCloseTo(-1.1254415221199818, 12);
  });
});

describe('eigenSymmetric as steps and with wrong arguments', () => {
  test('yields often, gives the memory back, also when abandoned', () => {
    const matrix = randomSymmetric(200, 12);
    const before = kernels.mark();
    let pieces = 0;
    const steps = eigenSymmetricSteps(kernels, matrix, 200);
    let step = steps.next();
    for (; !step.done; step = steps.next()) pieces++;
    expect(pieces).toBeGreaterThan(200);
    expect(step.value).toEqual(eigenSymmetric(kernels, matrix, 200));
    expect(kernels.mark()).toBe(before);
    const abandoned = eigenSymmetricSteps(kernels, matrix, 200);
    for (let i = 0; i < 300; i++) abandoned.next();
    expect(kernels.mark()).toBeGreaterThan(before);
    abandoned.return(step.value);
    expect(kernels.mark()).toBe(before);
  });

  test('refuses what is not a finite d × d matrix', () => {
    const four = new Float64Array(4);
    const wrong: [unknown, number, number | undefined, string][] = [
      [[1, 2, 2, 1], 2, undefined, 'INVALID_ARGUMENT'],
      [new Float32Array(4), 2, undefined, 'INVALID_ARGUMENT'],
      [four, 3, undefined, 'DIMENSION_MISMATCH'],
      [four, 0, undefined, 'INVALID_ARGUMENT'],
      [four, 2.5, undefined, 'INVALID_ARGUMENT'],
      [four, 2, 0, 'INVALID_ARGUMENT'],
      [four, 2, 3, 'INVALID_ARGUMENT'],
      [Float64Array.of(1, 2, Number.NaN, 1), 2, undefined, 'INVALID_ARGUMENT'],
      [Float64Array.of(1, 2, 2, Infinity), 2, undefined, 'INVALID_ARGUMENT'],
    ];
    for (const [matrix, d, count, code] of wrong) {
      const error = errorOf(() => eigenSymmetric(kernels, matrix as Float64Array, d, count));
      expect(error).toMatchObject({ code });
    }
  });
});
