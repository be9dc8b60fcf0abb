import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';
import { covariance, createMoments, type Moments } from '../../src/linalg/moments.js';
import { errorOf } from './support.js';

const kernels = new Kernels();

/** Two passes in float64. */
function oracle(rows: Float32Array, d: number): Moments {
  const count = rows.length / d;
  const mean = new Float64Array(d);
  rows.forEach((x, i) => {
    mean[i % d]! += x / count;
  });
  const expected = new Float64Array(d * d);
  for (let r = 0; r < count; r++) {
    for (let i = 0; i < d; i++) {
      const x = (rows[r * d + i]! - mean[i]!) / count;
      for (let j = 0; j < d; j++) expected[i * d + j]! += x * (rows[r * d + j]! - mean[j]!);
    }
  }
  return { count, mean, covariance: expected };
}

/** Correlated rows with different scales and a mean. */
function sample(count: number, d: number, seed: number, mean = 0, scale = 1): Float32Array {
  const random = new Random(seed);
  const rows = new Float32Array(count * d);
  for (let r = 0; r < count; r++) {
    const common = random.gaussian();
    for (let j = 0; j < d; j++) {
      rows[r * d + j] = scale * (mean + (random.gaussian() + 0.5 * common) / (1 + (j % 7)));
    }
  }
  return rows;
}

/** Errors of the covariance relative to √(c_ii c_jj), and of the mean to √c_ii. */
function expectMoments(received: Moments, rows: Float32Array, d: number, tolerance: number): void {
  const expected = oracle(rows, d);
  expect(received.count).toBe(expected.count);
  let worst = 0;
  let worstMean = 0;
  for (let i = 0; i < d; i++) {
    const deviation = Math.sqrt(expected.covariance[i * d + i]!);
    const rounding = 1e-13 * Math.abs(expected.mean[i]!) + 1e-300;
    const meanError = Math.abs(received.mean[i]! - expected.mean[i]!);
    worstMean = Math.max(worstMean, meanError / (tolerance * deviation + rounding));
    for (let j = 0; j < d; j++) {
      const unit = deviation * Math.sqrt(expected.covariance[j * d + j]!) + 1e-300;
      const value = received.covariance[i * d + j]!;
      worst = Math.max(worst, Math.abs(value - expected.covariance[i * d + j]!) / unit);
      // Not a call of expect for each: there are millions.
      if (value !== received.covariance[j * d + i]!) throw new Error('not symmetric');
    }
  }
  expect(worstMean).toBeLessThanOrEqual(1);
  expect(worst).toBeLessThanOrEqual(tolerance);
}

describe('covariance', () => {
  test.each([1, 2, 7, 8, 9, 33, 100])('%i dimensions against float64', (d) => {
    for (const count of [1, 2, 3, 255, 256, 257, 1000]) {
      const rows = sample(count, d, count + d);
      const tolerance = count === 1 ? 0 : 2e-6;
      expectMoments(covariance(kernels, rows, d), rows, d, tolerance);
    }
  });

  test('a mean 10,000 times the deviation costs no digits', () => {
    const rows = sample(3000, 40, 1, 10_000);
    expectMoments(covariance(kernels, rows, 40), rows, 40, 2e-6);
  });

  test('huge, tiny and growing scales', () => {
    for (const scale of [1e-30, 1e30]) {
      const rows = sample(600, 20, 2, 3, scale);
      expectMoments(covariance(kernels, rows, 20), rows, 20, 2e-6);
    }
    const rows = new Float32Array(900 * 20);
    rows.set(sample(300, 20, 3), 300 * 20);
    rows.set(sample(300, 20, 4, 0, 1e25), 600 * 20);
    expectMoments(covariance(kernels, rows, 20), rows, 20, 2e-6);
  });

  test('equal rows have no variance, exactly', () => {
    const rows = new Float32Array(300 * 5).fill(0.1);
    const { mean, covariance: zero } = covariance(kernels, rows, 5);
    expect(zero).toEqual(new Float64Array(25));
    for (const x of mean) expect(x).toBeCloseTo(Math.fround(0.1), 14);
  });
});

describe('createMoments', () => {
  test('property: blocks of any size give the moments of all rows', () => {
    const cases = fc.record({
      d: fc.integer({ min: 1, max: 20 }),
      sizes: fc.array(fc.nat(300), { minLength: 1, maxLength: 6 }),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(cases, ({ d, sizes, seed }) => {
        const count = sizes.reduce((a, b) => a + b, 0);
        fc.pre(count > 1);
        const rows = sample(count, d, seed, 5);
        const moments = createMoments(kernels, d);
        let first = 0;
        for (const size of sizes) {
          moments.add(rows.subarray(first * d), size);
          first += size;
        }
        expectMoments(moments.finish(), rows, d, 5e-6);
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  test('gives its memory back; adding in steps is the same', () => {
    const before = kernels.mark();
    const rows = sample(500, 30, 6);
    const expected = covariance(kernels, rows, 30);
    expect(kernels.mark()).toBe(before);
    const moments = createMoments(kernels, 30);
    expect([...moments.addSteps(rows, 500)].length).toBeGreaterThanOrEqual(2);
    expect(moments.finish()).toEqual(expected);
  });

  test('refuses wrong blocks and stays usable', () => {
    const before = kernels.mark();
    const moments = createMoments(kernels, 3);
    expect(errorOf(() => moments.finish())).toMatchObject({ code: 'INVALID_ARGUMENT' });
    const wrong: [unknown, number, string][] = [
      [[1, 2, 3], 1, 'INVALID_ARGUMENT'],
      [new Float32Array(4), 1, 'DIMENSION_MISMATCH'],
      [new Float32Array(6), 3, 'INVALID_ARGUMENT'],
      [Float32Array.of(1, 2, 3, 4, Number.NaN, 6), 2, 'INVALID_ARGUMENT'],
      [Float32Array.of(1, Infinity, 3), 1, 'INVALID_ARGUMENT'],
    ];
    for (const [block, count, code] of wrong) {
      expect(errorOf(() => moments.add(block as Float32Array, count))).toMatchObject({ code });
    }
    moments.add(Float32Array.of(1, 2, 3, 3, 2, 1), 2);
    const { count, mean, covariance: result } = moments.finish();
    expect([count, ...mean]).toEqual([2, 2, 2, 2]);
    expect([...result]).toEqual([1, 0, -1, 0, 0, 0, -1, 0, 1]);
    expect(kernels.mark()).toBe(before);
    expect(errorOf(() => covariance(kernels, new Float32Array(0), 3))).toBeInstanceOf(RangeError);
    for (const d of [0, 2.5]) expect(errorOf(() => createMoments(kernels, d))).toBeDefined();
  });
});
