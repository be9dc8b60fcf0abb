import { describe, expect, test } from 'vitest';
import { generateOutOfDistribution, generateSpectrum } from '../../../datasets/generate.js';
import { meanOf, meanSquareLength, principalAxes } from './support.js';

describe('generateSpectrum', () => {
  test.each([0, 0.5, 1, 2])('measured variances follow i^-%f', (decay) => {
    const dimensions = 16;
    const options = { count: 40_000, queries: 40_000, dimensions, decay, seed: 5 };
    const { corpus, queries } = generateSpectrum(options);
    const total = Array.from({ length: dimensions }, (_, i) => (i + 1) ** -decay);
    const sum = total.reduce((a, b) => a + b);
    for (const rows of [corpus, queries]) {
      const { variances } = principalAxes(rows, dimensions);
      for (const [i, variance] of variances.entries()) {
        const expected = total[i] / sum;
        expect([i, Math.abs(variance / expected - 1) < 0.05]).toEqual([i, true]);
      }
    }
  });

  test('the principal axes are not the coordinate axes', () => {
    const { corpus } = generateSpectrum({
      count: 4000,
      queries: 0,
      dimensions: 64,
      decay: 1,
      seed: 5,
    });
    const { axes } = principalAxes(corpus, 64);
    for (let axis = 0; axis < 4; axis++) {
      const largest = Math.max(...axes.getColumn(axis).map((value) => value * value));
      expect(largest).toBeLessThan(0.4);
    }
  });

  test('meanNorm is the length of the mean while the mean square length stays 1', () => {
    const options = { count: 5000, queries: 5000, dimensions: 64, decay: 0.5, seed: 9 };
    for (const meanNorm of [0, 0.4, 0.84]) {
      const { corpus, queries } = generateSpectrum({ ...options, meanNorm });
      for (const rows of [corpus, queries]) {
        expect(Math.abs(Math.hypot(...meanOf(rows, 64)) - meanNorm)).toBeLessThan(0.03);
        expect(Math.abs(meanSquareLength(rows, 64) - 1)).toBeLessThan(0.03);
      }
    }
  });
});

describe('generateOutOfDistribution', () => {
  const dimensions = 64;
  const options = { count: 5000, queries: 5000, dimensions, decay: 1.5, seed: 11 };

  test('queries are shifted, the corpus is not', () => {
    const { corpus, queries } = generateOutOfDistribution({ ...options, shift: 0.6 });
    expect(Math.hypot(...meanOf(corpus, dimensions))).toBeLessThan(0.03);
    expect(Math.hypot(...meanOf(queries, dimensions))).toBeCloseTo(0.6, 1);
    expect(meanSquareLength(queries, dimensions)).toBeCloseTo(1, 1);
  });

  test('queries have a decay of their own', () => {
    const { queries } = generateOutOfDistribution({ ...options, queryDecay: 0, shift: 0 });
    const { variances } = principalAxes(queries, dimensions);
    expect(variances[0] / variances[dimensions - 1]).toBeLessThan(2);
  });

  test('the main axes of the corpus hold little of the variance of the queries', () => {
    const { corpus, queries } = generateOutOfDistribution(options);
    const { variances, axes } = principalAxes(corpus, dimensions);
    const share = (rows: Float32Array) => {
      const mean = meanOf(rows, dimensions);
      let held = 0;
      let all = 0;
      for (let start = 0; start < rows.length; start += dimensions) {
        const row = rows.subarray(start, start + dimensions).map((value, i) => value - mean[i]);
        for (let axis = 0; axis < 8; axis++) {
          held += row.reduce((sum, value, i) => sum + value * axes.get(i, axis), 0) ** 2;
        }
        all += row.reduce((sum, value) => sum + value * value, 0);
      }
      return held / all;
    };
    expect(variances[0]).toBeGreaterThan(variances[7]);
    expect(share(corpus)).toBeGreaterThan(0.7);
    // Random axes hold 8 / 64 on average.
    expect(share(queries)).toBeLessThan(0.35);
  });
});
