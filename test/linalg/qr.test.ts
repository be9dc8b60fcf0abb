import fc from 'fast-check';
import { Matrix, QrDecomposition } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';
import { randomOrthogonal, randomOrthogonalSteps, thinQr } from '../../src/linalg/qr.js';
import { errorOf, orthonormalityError, transposed } from './support.js';

const kernels = new Kernels();

function gaussian(count: number, length: number, seed: number): Float64Array {
  const random = new Random(seed);
  return Float64Array.from({ length: count * length }, () => random.gaussian());
}

/** The largest |vector_j − Σ r_ij q_i|, relative to the largest number. */
function residual(vectors: Float64Array, count: number, length: number): number {
  const { q, r } = thinQr(kernels, vectors, count, length);
  expect(orthonormalityError(q, length)).toBeLessThan(1e-13);
  const largest = Math.max(...vectors.map(Math.abs)) || 1;
  let worst = 0;
  for (let j = 0; j < count; j++) {
    expect(r[j * count + j]).toBeGreaterThanOrEqual(0);
    for (let k = 0; k < length; k++) {
      let value = vectors[j * length + k]!;
      for (let i = 0; i <= j; i++) value -= r[i * count + j]! * q[i * length + k]!;
      worst = Math.max(worst, Math.abs(value) / largest);
    }
    for (let i = j + 1; i < count; i++) expect(r[i * count + j]).toBe(0);
  }
  return worst;
}

describe('thinQr', () => {
  test('all small shapes', () => {
    for (let count = 1; count <= 10; count++) {
      for (const length of [count, count + 1, count + 2, count + 7, 40]) {
        expect(residual(gaussian(count, length, count), count, length)).toBeLessThan(1e-14);
      }
    }
    expect(residual(gaussian(90, 333, 1), 90, 333)).toBeLessThan(1e-13);
  });

  test('R of ml-matrix up to signs', () => {
    const vectors = gaussian(12, 30, 2);
    const columns = Matrix.from1DArray(30, 12, transposed(vectors, 30));
    const expected = new QrDecomposition(columns).upperTriangularMatrix.to1DArray();
    const { r } = thinQr(kernels, vectors, 12, 30);
    r.forEach((x, i) => {
      expect(Math.abs(x)).toBeCloseTo(Math.abs(expected[i]!), 12);
    });
  });

  test('dependent, zero and badly scaled vectors still give an orthonormal basis', () => {
    const vectors = gaussian(9, 20, 3);
    vectors.copyWithin(20, 0, 20);
    vectors.fill(0, 40, 60);
    for (let k = 60; k < 80; k++) vectors[k]! *= 1e-200;
    for (let k = 80; k < 100; k++) vectors[k]! *= 1e200;
    expect(residual(vectors, 9, 20)).toBeLessThan(1e-14);
    expect(residual(new Float64Array(30), 3, 10)).toBe(0);
  });

  test('property: any shape and scale', () => {
    const shapes = fc.record({
      count: fc.integer({ min: 1, max: 20 }),
      more: fc.nat(20),
      seed: fc.nat(),
      power: fc.integer({ min: -30, max: 30 }),
    });
    fc.assert(
      fc.property(shapes, ({ count, more, seed, power }) => {
        const vectors = gaussian(count, count + more, seed).map((x) => x * 10 ** power);
        expect(residual(vectors, count, count + more)).toBeLessThan(1e-14);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test('refuses wrong arguments', () => {
    const six = new Float64Array(6);
    const wrong: [unknown, number, number, string][] = [
      [new Float32Array(6), 2, 3, 'INVALID_ARGUMENT'],
      [six, 3, 2, 'INVALID_ARGUMENT'],
      [six, 0, 3, 'INVALID_ARGUMENT'],
      [six, 2, 4, 'DIMENSION_MISMATCH'],
      [Float64Array.of(1, 2, Number.NaN, 4, 5, 6), 2, 3, 'INVALID_ARGUMENT'],
    ];
    const before = kernels.mark();
    for (const [vectors, count, length, code] of wrong) {
      const error = errorOf(() => thinQr(kernels, vectors as Float64Array, count, length));
      expect(error).toMatchObject({ code });
    }
    expect(kernels.mark()).toBe(before);
  });
});

describe('randomOrthogonal', () => {
  test.each([1, 2, 3, 64, 200])('size %i is orthogonal', (d) => {
    const q = randomOrthogonal(d, new Random(d));
    expect(orthonormalityError(q, d)).toBeLessThan(1e-13);
    expect(orthonormalityError(transposed(q, d), d)).toBeLessThan(1e-13);
  });

  test('same seed, same bytes; yields on the way', () => {
    const first = randomOrthogonal(32, new Random(5));
    expect(randomOrthogonal(32, new Random(5))).toEqual(first);
    expect(randomOrthogonal(32, new Random(6))).not.toEqual(first);
    expect([...randomOrthogonalSteps(32, new Random(5))].length).toBeGreaterThan(8);
  });

  test('Haar: entries have mean 0, variance 1 / d; the sign of the diagonal is fair', () => {
    const random = new Random(9);
    let sum = 0;
    let squares = 0;
    let positive = 0;
    const draws = 2000;
    for (let i = 0; i < draws; i++) {
      const q = randomOrthogonal(2, random);
      sum += q[0]!;
      squares += q[0]! * q[0]!;
      if (q[0]! * q[3]! - q[1]! * q[2]! > 0) positive++;
    }
    expect(Math.abs(sum / draws)).toBeLessThan(0.06);
    expect(squares / draws).toBeCloseTo(0.5, 1);
    expect(Math.abs(positive / draws - 0.5)).toBeLessThan(0.05);
  });

  test('refuses a wrong size', () => {
    for (const d of [0, 1.5, Number.NaN]) {
      expect(errorOf(() => randomOrthogonal(d, new Random(1)))).toBeInstanceOf(RangeError);
    }
  });
});
