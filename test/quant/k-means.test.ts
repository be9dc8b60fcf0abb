import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generateClusters } from '../../datasets/generate.js';
import { kMeans, kMeansSteps } from '../../src/quant/k-means.js';
import { gaussianRows, rowOf, scoreOf } from '../graph/oracle.js';

const squared = (a: Float32Array, b: Float32Array) => scoreOf(a, b, 'Euclid') ** 2;

describe('kMeans', () => {
  test('finds clusters that are far apart', () => {
    const options = { count: 600, queries: 0, dimensions: 8, clusters: 5, seed: 2 };
    const { corpus, labels } = generateClusters({ ...options, spread: 0.05 });
    const found = kMeans(corpus, 8, 5, 1);
    const names = new Map<number, number>();
    labels.forEach((label, r) => {
      names.set(label, names.get(label) ?? found.labels[r]!);
      expect(found.labels[r]).toBe(names.get(label));
    });
    expect(new Set(names.values()).size).toBe(5);
    expect(found.distortion).toBeLessThan(0.01);
  });

  test('labels are the nearest means, and means the means of their rows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 2 ** 31 }),
        (n, d, clusters, seed) => {
          const k = Math.min(n, clusters);
          const rows = gaussianRows(n, d, seed);
          const { means, labels, distortion } = kMeans(rows, d, k, seed);
          expect(means.length).toBe(k * d);
          let total = 0;
          for (let r = 0; r < n; r++) {
            const own = squared(rowOf(rows, d, r), rowOf(means, d, labels[r]!));
            for (let m = 0; m < k; m++) {
              const other = squared(rowOf(rows, d, r), rowOf(means, d, m));
              expect(own).toBeLessThanOrEqual(other + 1e-5 * (1 + other));
            }
            total += own;
          }
          expect(Math.abs(distortion - total / n)).toBeLessThan(1e-5 * (1 + total));
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });

  test('more means distort less; the same seed gives the same means, in slices too', () => {
    const rows = gaussianRows(2000, 16, 3);
    let previous = Infinity;
    for (const k of [1, 2, 8, 32, 128]) {
      const { distortion } = kMeans(rows, 16, k, 1);
      expect(distortion).toBeLessThan(previous);
      previous = distortion;
    }
    const once = kMeans(rows, 16, 8, 7);
    expect(kMeans(rows, 16, 8, 7)).toEqual(once);
    const steps = kMeansSteps(rows, 16, 8, 7);
    for (;;) {
      const { value, done } = steps.next();
      if (!done) continue;
      expect(value).toEqual(once);
      break;
    }
  });

  test('one mean is the mean; as many means as rows err by nothing; equal rows do no harm', () => {
    const rows = gaussianRows(50, 4, 5);
    const { means } = kMeans(rows, 4, 1);
    for (let j = 0; j < 4; j++) {
      let sum = 0;
      for (let r = 0; r < 50; r++) sum += rows[r * 4 + j]!;
      expect(means[j]).toBeCloseTo(sum / 50, 6);
    }
    expect(kMeans(rows, 4, 50).distortion).toBe(0);
    const equal = kMeans(new Float32Array(40).fill(2), 4, 3);
    expect(equal.distortion).toBe(0);
    expect(equal.means.every((x) => x === 2)).toBe(true);
  });

  test('refuses wrong input', () => {
    expect(() => kMeans(new Float32Array(8), 4, 3)).toThrow(RangeError);
    expect(() => kMeans(new Float32Array(7), 4, 1)).toThrow(/multiple of 4/);
    expect(() => kMeans(new Float32Array(8), 4, 0)).toThrow(RangeError);
  });
});
