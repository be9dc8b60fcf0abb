import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fuse, type RankedList, readFusion } from '../../src/db/fusion.js';

/** A list of rows, best first, with falling scores. */
const listOf = (...rows: number[]): RankedList => ({
  rows: rows.map((row, i) => ({ row, score: 1 - i / 10 })),
  isDistance: false,
});

const aList = fc
  .uniqueArray(fc.record({ row: fc.nat(20), score: fc.integer({ min: -9, max: 9 }) }), {
    selector: ({ row }) => row,
    maxLength: 12,
  })
  .map((rows) => rows.sort((a, b) => b.score - a.score));

describe('reciprocal rank fusion', () => {
  test('gives the scores that Qdrant gives', () => {
    const lists = [listOf(2, 1), listOf(1, 2, 3), listOf(5, 3, 1)];
    const fused = fuse(lists, readFusion('rrf', 3));
    expect(fused.map(({ row }) => row)).toEqual([1, 2, 3, 5]);
    [13 / 12, 5 / 6, 7 / 12, 1 / 2].forEach((score, i) => {
      expect(fused[i]!.score).toBeCloseTo(score, 12);
    });
    expect(fuse([listOf(9)], readFusion('rrf', 1))).toEqual([{ row: 9, score: 0.5 }]);
  });

  test('takes k, and weights that stretch the ranks', () => {
    const fused = fuse(
      [listOf(1, 2), listOf(2)],
      readFusion({ rrf: { k: 60, weights: [3, 1] } }, 2),
    );
    const scores = new Map(fused.map(({ row, score }) => [row, score]));
    expect(scores.get(1)).toBeCloseTo(1 / (1 / 3 + 59), 12);
    expect(scores.get(2)).toBeCloseTo(1 / (2 / 3 + 59) + 1 / 60, 12);
    const without = fuse([listOf(1), listOf(2)], readFusion({ rrf: { weights: [1, 0] } }, 2));
    expect(without).toEqual([
      { row: 1, score: 0.5 },
      { row: 2, score: 0 },
    ]);
  });

  test('sums over all lists, each row once', () => {
    fc.assert(
      fc.property(fc.array(aList, { minLength: 1, maxLength: 4 }), (given) => {
        const lists = given.map((rows) => ({ rows, isDistance: false }));
        const fused = fuse(lists, readFusion('rrf', lists.length));
        const all = new Set(given.flat().map(({ row }) => row));
        expect(new Set(fused.map(({ row }) => row))).toEqual(all);
        expect(fused).toHaveLength(all.size);
        for (const { row, score } of fused) {
          const places = given.map((rows) => rows.findIndex((one) => one.row === row));
          const sum = places.filter((at) => at >= 0).reduce((s, at) => s + 1 / (at + 2), 0);
          expect(score).toBeCloseTo(sum, 12);
        }
        const inOrder = fused.toSorted((a, b) => b.score - a.score || a.row - b.row);
        expect(fused).toEqual(inOrder);
      }),
      { seed: 1, numRuns: 200 },
    );
  });
});

describe('distribution-based score fusion', () => {
  test('places scores between three deviations', () => {
    const rows = [3, 2, 1].map((score, row) => ({ row, score }));
    const fused = fuse([{ rows, isDistance: false }], readFusion('dbsf', 1));
    // The mean is 2, the deviation of the sample 1.
    expect(fused.map(({ row }) => row)).toEqual([0, 1, 2]);
    [4 / 6, 3 / 6, 2 / 6].forEach((score, i) => {
      expect(fused[i]!.score).toBeCloseTo(score, 12);
    });
  });

  test('ranks the nearest first where scores are distances', () => {
    const rows = [1, 2, 5].map((score, row) => ({ row, score }));
    const fused = fuse([{ rows, isDistance: true }], readFusion('dbsf', 1));
    expect(fused.map(({ row }) => row)).toEqual([0, 1, 2]);
  });

  test('takes equal scores, and one alone, as the middle', () => {
    const equal = [1, 2].map((row) => ({ row, score: 7 }));
    const lists = [equal, [{ row: 2, score: 3 }], []].map((rows) => ({ rows, isDistance: false }));
    expect(fuse(lists, readFusion('dbsf', 3))).toEqual([
      { row: 2, score: 1 },
      { row: 1, score: 0.5 },
    ]);
  });

  test('does not change with the unit or the zero of the scores', () => {
    fc.assert(
      fc.property(
        aList,
        aList,
        fc.integer({ min: 1, max: 9 }),
        fc.integer(),
        (a, b, unit, zero) => {
          const plan = readFusion('dbsf', 2);
          const scaled = b.map(({ row, score }) => ({ row, score: unit * score + (zero % 1000) }));
          const plain = fuse(
            [a, b].map((rows) => ({ rows, isDistance: false })),
            plan,
          );
          const other = fuse(
            [a, scaled].map((rows) => ({ rows, isDistance: false })),
            plan,
          );
          const scores = new Map(other.map(({ row, score }) => [row, score]));
          for (const { row, score } of plain) expect(scores.get(row)).toBeCloseTo(score, 9);
        },
      ),
      { seed: 2, numRuns: 200 },
    );
  });
});

test.each([
  ['max'],
  [7],
  [null],
  [{}],
  [{ dbsf: {} }],
  [{ rrf: { k: 0 } }],
  [{ rrf: { k: 1.5 } }],
  [{ rrf: { weights: [1] } }],
  [{ rrf: { weights: [1, -1] } }],
  [{ rrf: { weights: [1, Number.NaN] } }],
  [{ rrf: { weights: 2 } }],
  [{ rrf: {}, dbsf: {} }],
])('%j is no fusion', (value) => {
  expect(() => readFusion(value, 2)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});
