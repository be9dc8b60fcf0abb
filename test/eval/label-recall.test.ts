import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Distance } from '../../src/base/distance.js';
import { Random } from '../../src/base/random.js';
import { drain } from '../../src/base/steps.js';
import { labelRecall } from '../../src/eval/label-recall.js';
import { errorOf } from '../datasets/support.js';

const of = (...args: Parameters<typeof labelRecall>) => drain(labelRecall(...args));

/** From the definition, by sorting. */
function oracle(rows: number[][], labels: number[], k: number, row: number, distance: Distance) {
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const score = (a: number[], b: number[]) => {
    if (distance === 'Dot') return dot(a, b);
    if (distance === 'Cosine') return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    return -Math.hypot(...a.map((x, i) => x - b[i]));
  };
  const nearest = rows
    .map((other, id) => ({ id, score: score(rows[row], other) }))
    .filter(({ id }) => id !== row)
    .sort((a, b) => b.score - a.score || a.id - b.id)
    .slice(0, k);
  return nearest.filter(({ id }) => labels[id] === labels[row]).length / k;
}

describe('labelRecall', () => {
  test('is the mean of what sorting gives, with the error of a difference', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 6 }), (seed, k) => {
        const random = new Random(seed >>> 0);
        const rows = Array.from({ length: 30 }, () =>
          Array.from({ length: 3 }, () => Math.fround(random.gaussian())),
        );
        const labels = rows.map(() => random.below(3));
        const found = of(Float32Array.from(rows.flat()), 3, labels, k, 9);
        const shares = (distance: Distance) =>
          Array.from({ length: 9 }, (_, row) => oracle(rows, labels, k, row, distance));
        const mean = (values: number[]) => values.reduce((sum, x) => sum + x, 0) / 9;
        const [cosine, dot, euclid] = (['Cosine', 'Dot', 'Euclid'] as const).map(shares);
        expect(found.asked).toBe(9);
        expect(found.cosine).toBeCloseTo(mean(cosine), 12);
        expect(found.dot).toBeCloseTo(mean(dot), 12);
        expect(found.euclid).toBeCloseTo(mean(euclid), 12);
        const differences = cosine.map((x, i) => x - euclid[i]);
        const centre = mean(differences);
        const variance = (mean(differences.map((x) => (x - centre) ** 2)) * 9) / 8;
        expect(found.error).toBeCloseTo(Math.sqrt(variance / 9), 12);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test('refuses too few rows, and labels of other rows', () => {
    expect(errorOf(() => of(new Float32Array(6), 2, [1, 1, 1], 3, 9)).code).toBe(
      'INVALID_ARGUMENT',
    );
    expect(errorOf(() => of(new Float32Array(6), 2, [1], 1, 9)).code).toBe('DIMENSION_MISMATCH');
  });
});
