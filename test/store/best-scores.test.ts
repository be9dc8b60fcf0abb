import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BestScores } from '../../src/store/best-scores.js';

test.each(['Dot', 'Euclid'] as const)('the best by %s are those of a sort', (distance) => {
  const sign = distance === 'Dot' ? -1 : 1;
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 3_000 }),
      fc.integer({ min: 1, max: 200 }),
      fc.nat(),
      (k, count, levels, start) => {
        const best = new BestScores(distance, k);
        // Scores in a pattern with many equal ones, rows in no order.
        const all = Array.from({ length: count }, (_, i) => ({
          row: (i * 7919) % 10_007,
          score: ((start + i * 613) % 1_009) % levels,
        }));
        for (const { row, score } of all) best.add(row, score);
        all.sort((a, b) => sign * (a.score - b.score) || a.row - b.row);
        const expected = all.slice(0, k);
        const { rows, scores } = best.best();
        expect([...rows]).toEqual(expected.map(({ row }) => row));
        expect([...scores]).toEqual(expected.map(({ score }) => score));
      },
    ),
    { seed: 12, numRuns: 200 },
  );
});
