import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { estimateShare } from '../../src/eval/share-estimate.js';
import { errorOf } from '../datasets/support.js';

describe('estimateShare', () => {
  test.each([
    [0, 0.001992, 0, 0.004806],
    [10, 0.011952, 0.005093, 0.018811],
  ])('golden: %i of 1,000', (hits, share, low, high) => {
    const found = estimateShare(hits, 1000);
    expect(found.share).toBeCloseTo(share, 6);
    expect(found.low).toBeCloseTo(low, 6);
    expect(found.high).toBeCloseTo(high, 6);
  });

  test('knows nothing from no sample', () => {
    expect(estimateShare(0, 0)).toEqual({ share: 0.5, low: 0, high: 1 });
  });

  test('is symmetric, within 0 … 1, and narrower with more', () => {
    const counts = fc.nat(10_000).chain((sample) => fc.tuple(fc.nat(sample), fc.constant(sample)));
    fc.assert(
      fc.property(counts, ([hits, sample]) => {
        const { share, low, high } = estimateShare(hits, sample);
        const misses = estimateShare(sample - hits, sample);
        expect(misses.share).toBeCloseTo(1 - share, 12);
        expect(misses.low).toBeCloseTo(1 - high, 12);
        expect(0 <= low && low < share && share < high && high <= 1).toBe(true);
        const more = estimateShare(hits * 4, sample * 4);
        expect(more.high - more.low).toBeLessThanOrEqual(high - low);
      }),
    );
  });

  test.each([0.002, 0.05, 0.5])('holds a true share of %f in 95 %% of samples', (truth) => {
    const random = new Random(1);
    const rounds = 1000;
    let held = 0;
    for (let round = 0; round < rounds; round++) {
      let hits = 0;
      for (let i = 0; i < 1000; i++) if (random.uniform() < truth) hits++;
      const { low, high } = estimateShare(hits, 1000);
      if (low <= truth && truth <= high) held++;
    }
    expect(held / rounds).toBeGreaterThan(0.93);
  });

  test('refuses more hits than there were draws', () => {
    for (const [hits, sample] of [
      [2, 1],
      [-1, 5],
      [0.5, 5],
      [0, -1],
    ] as const) {
      expect(errorOf(() => estimateShare(hits, sample)).code).toBe('INVALID_ARGUMENT');
    }
  });
});
