import { expect, test } from 'vitest';
import { DISTANCES } from '../../src/base/distance.js';
import { Random } from '../../src/base/random.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import { pairScore } from '../../src/eval/pair-score.js';

test.each(DISTANCES)('%s: what exactNeighbours gives', (distance) => {
  const random = new Random(3);
  for (const dimensions of [1, 3, 17]) {
    const rows = new Float32Array(40 * dimensions).map(() => random.gaussian());
    const queries = new Float32Array(5 * dimensions).map(() => random.gaussian());
    rows.fill(0, 0, dimensions);
    const { ids, scores } = exactNeighbours(rows, queries, dimensions, 40, distance);
    for (const [i, id] of ids.entries()) {
      const query = Math.floor(i / 40);
      const score = pairScore({ rows, dimensions }, id, queries, query, distance);
      expect(score).toBeCloseTo(scores[i]!, 12);
    }
  }
});

test('golden: a 3-4-5 triangle', () => {
  const rows = Float32Array.of(0, 0, 3, 4);
  const queries = Float32Array.of(3, 0);
  const score = (row: number, distance: (typeof DISTANCES)[number]) =>
    pairScore({ rows, dimensions: 2 }, row, queries, 0, distance);
  expect(score(1, 'Euclid')).toBe(4);
  expect(score(1, 'Dot')).toBe(9);
  expect(score(1, 'Cosine')).toBeCloseTo(0.6, 15);
  expect(score(0, 'Cosine')).toBe(0);
});
