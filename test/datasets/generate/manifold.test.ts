import { describe, expect, test } from 'vitest';
import { generateManifold, generateSpectrum } from '../../../datasets/generate.js';
import { exactNeighbours } from '../../../src/eval/ground-truth.js';
import { meanSquareLength, principalAxes } from './support.js';

/** The maximum likelihood estimate of Levina and Bickel, 20 neighbours, averaged as inverses. */
function intrinsicDimension(corpus: Float32Array, queries: Float32Array, d: number): number {
  const k = 20;
  const { scores } = exactNeighbours(corpus, queries, d, k, 'Euclid');
  let inverse = 0;
  for (let start = 0; start < scores.length; start += k) {
    const last = scores[start + k - 1];
    for (let i = start; i < start + k - 1; i++) inverse += Math.log(last / scores[i]) / (k - 2);
  }
  return scores.length / k / inverse;
}

describe('generateManifold', () => {
  const options = { count: 6000, queries: 200, dimensions: 48, seed: 8 };

  test.each([
    [2, 1.6, 2.4],
    [4, 3.2, 4.8],
    [8, 5.6, 9.6],
  ])('intrinsic dimension %i is measured between %f and %f', (intrinsic, low, high) => {
    const { corpus, queries } = generateManifold({ ...options, intrinsic });
    const measured = intrinsicDimension(corpus, queries, 48);
    expect(measured).toBeGreaterThan(low);
    expect(measured).toBeLessThan(high);
  });

  test('white noise of as many dimensions measures far higher', () => {
    const { corpus, queries } = generateSpectrum({ ...options, decay: 0 });
    expect(intrinsicDimension(corpus, queries, 48)).toBeGreaterThan(15);
  });

  test('it is curved: its rows span more linear dimensions than it has', () => {
    const { corpus } = generateManifold({ ...options, intrinsic: 4, noise: 0 });
    const { variances } = principalAxes(corpus, 48);
    const total = variances.reduce((a, b) => a + b);
    const beyond = variances.slice(4).reduce((a, b) => a + b);
    expect(beyond / total).toBeGreaterThan(0.05);
    expect(variances.slice(8).reduce((a, b) => a + b) / total).toBeLessThan(1e-9);
  });

  test('the mean square length is about 1', () => {
    const { corpus } = generateManifold({ ...options, intrinsic: 8 });
    expect(Math.abs(meanSquareLength(corpus, 48) - 1)).toBeLessThan(0.3);
  });
});
