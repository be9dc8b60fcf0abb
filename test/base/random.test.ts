import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';

describe('Random', () => {
  test('gives the same numbers for a seed, others for another', () => {
    const take = (seed: number) => {
      const random = new Random(seed);
      return Array.from({ length: 5 }, () => random.uint32());
    };
    expect(take(1)).toEqual(take(1));
    expect(take(1)).not.toEqual(take(2));
  });

  test('keeps to its sequence, which saved indexes depend on', () => {
    const random = new Random(42);
    const numbers = [random.uint32(), random.uint32(), random.gaussian(), random.below(1000)];
    expect(numbers).toMatchInlineSnapshot(`
      [
        660444221,
        3652823732,
        0.0939946153109954,
        64,
      ]
    `);
  });

  test('is uniform', () => {
    const random = new Random(3);
    const buckets = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) buckets[Math.floor(random.uniform() * 10)]!++;
    for (const count of buckets) expect(Math.abs(count - 10_000)).toBeLessThan(4 * 95);
  });

  test('has gaussians of mean 0, variance 1, kurtosis 3', () => {
    const random = new Random(4);
    const values = Array.from({ length: 200_000 }, () => random.gaussian());
    const moment = (power: number) =>
      values.reduce((sum, x) => sum + x ** power, 0) / values.length;
    expect(Math.abs(moment(1))).toBeLessThan(0.01);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.015);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.1);
    expect(Math.max(...values.slice(0, 100_000))).toBeGreaterThan(3.5);
  });

  test('permutes: every number once, every place alike', () => {
    const random = new Random(5);
    expect(Array.from(random.permutation(100)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    let sum = 0;
    for (let i = 0; i < 2000; i++) sum += random.permutation(10)[0]!;
    expect(Math.abs(sum / 2000 - 4.5)).toBeLessThan(0.3);
    expect(random.permutation(0)).toHaveLength(0);
  });
});
