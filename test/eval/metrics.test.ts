import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Distance } from '../../src/base/distance.js';
import { exactNeighbours, exactScorer } from '../../src/eval/ground-truth.js';
import {
  meanOverJudged,
  mrrAtK,
  NO_ID,
  ndcgAtK,
  recallAtK,
  recallFromQrelsAtK,
  recallPerQuery,
} from '../../src/eval/metrics.js';
import { errorOf } from '../datasets/support.js';

/** Points on a line and the query 0: the distances are the points' absolute values. */
function line(points: number[], k: number, distance: Distance = 'Euclid') {
  const corpus = Float32Array.from(points);
  const query = Float32Array.of(distance === 'Euclid' ? 0 : 1);
  return {
    truth: exactNeighbours(corpus, query, 1, k, distance),
    scoreOf: exactScorer(corpus, query, 1, distance),
  };
}

describe('recallAtK', () => {
  test('counts the true neighbours that were found, in any order', () => {
    const { truth } = line([5, 1, 2, 3, 4], 3);
    expect(recallAtK(Uint32Array.of(1, 2, 3), truth, 3)).toBe(1);
    expect(recallAtK(Uint32Array.of(3, 1, 2), truth, 3)).toBe(1);
    expect(recallAtK(Uint32Array.of(0, 1, 4), truth, 3)).toBeCloseTo(1 / 3, 15);
    expect(recallAtK(Uint32Array.of(1), truth, 1)).toBe(1);
    expect(recallAtK(Uint32Array.of(2), truth, 1)).toBe(0);
  });

  test('is the mean over the queries', () => {
    const corpus = Float32Array.of(1, 2, 3, 4);
    const truth = exactNeighbours(corpus, Float32Array.of(0, 5), 1, 2, 'Euclid');
    const found = Uint32Array.of(0, 1, 3, 0);
    expect([...recallPerQuery(found, truth, 2)]).toEqual([1, 0.5]);
    expect(recallAtK(found, truth, 2)).toBe(0.75);
    expect(recallAtK(new Uint32Array(0), { ...truth, ids: new Uint32Array(0) }, 2)).toBeNaN();
  });

  test('an id tied with the k-th counts when the ground truth is longer than k', () => {
    const points = [1, 2, -2, 2 + 5e-7, 2.001];
    const { truth } = line(points, 5);
    for (const tied of [1, 2, 3]) expect(recallAtK(Uint32Array.of(0, tied), truth, 2)).toBe(1);
    expect(recallAtK(Uint32Array.of(0, 4), truth, 2)).toBe(0.5);
    // Both tied ids, without the best one.
    expect(recallAtK(Uint32Array.of(1, 2), truth, 2)).toBe(1);
  });

  test.each(['Euclid', 'Dot'] as const)('is the same for %s whatever the unit', (distance) => {
    const points = Array.from({ length: 40 }, (_, i) => i + 1);
    const found = Uint32Array.of(0, 39, 20, 21);
    const [whole, small] = [1, 1e-8].map((unit) =>
      line(
        points.map((x) => x * unit),
        8,
        distance,
      ),
    );
    const expected = recallAtK(found, whole.truth, 4, { scoreOf: whole.scoreOf });
    expect(expected).toBe(0.25);
    expect(recallAtK(found, small.truth, 4, { scoreOf: small.scoreOf })).toBe(expected);
  });

  test('similarities tie downwards', () => {
    for (const distance of ['Dot', 'Cosine'] as const) {
      const corpus = Float32Array.of(1, 0, 0, 1, 0.6, 0.8, 0.8, 0.6);
      const truth = exactNeighbours(corpus, Float32Array.of(1, 1), 2, 4, distance);
      expect([...recallPerQuery(Uint32Array.of(2), truth, 1)]).toEqual([1]);
      expect([...recallPerQuery(Uint32Array.of(3), truth, 1)]).toEqual([1]);
      expect([...recallPerQuery(Uint32Array.of(0), truth, 1)]).toEqual([0]);
      expect(recallAtK(Uint32Array.of(2, 3, 1), truth, 3)).toBe(1);
    }
  });

  test('ties beyond the ground truth: misses without scoreOf, hits with it', () => {
    const { truth, scoreOf } = line([1, 2, -2, 2, 3], 2);
    expect([...truth.ids]).toEqual([0, 1]);
    expect(recallAtK(Uint32Array.of(0, 3), truth, 2)).toBe(0.5);
    expect(recallAtK(Uint32Array.of(0, 3), truth, 2, { scoreOf })).toBe(1);
    expect(recallAtK(Uint32Array.of(0, 4), truth, 2, { scoreOf })).toBe(0.5);
  });

  test('scoreOf is not asked where the ground truth decides', () => {
    const { truth } = line([1, 2, 3, 4, 5], 3);
    const scoreOf = () => {
      throw new Error('asked');
    };
    expect(recallAtK(Uint32Array.of(0, 4), truth, 2, { scoreOf })).toBe(0.5);
    expect(recallAtK(Uint32Array.of(0, 1, 2), truth, 3, { scoreOf })).toBe(1);
  });

  test('an id returned twice counts once, and NO_ID never', () => {
    const { truth, scoreOf } = line([1, 2, 3], 3);
    expect(recallAtK(Uint32Array.of(0, 0, 0), truth, 3)).toBeCloseTo(1 / 3, 15);
    expect(recallAtK(Uint32Array.of(0, NO_ID, NO_ID), truth, 3, { scoreOf })).toBeCloseTo(
      1 / 3,
      15,
    );
  });

  test('foundPerQuery: only the first k of each row count', () => {
    const { truth } = line([1, 2, 3, 4], 4);
    const found = Uint32Array.of(3, 0, 1);
    expect(recallAtK(found, truth, 2, { foundPerQuery: 3 })).toBe(0.5);
    expect(recallAtK(found, truth, 1, { foundPerQuery: 3 })).toBe(0);
  });

  test('equals the definition by distances on data full of ties', () => {
    const points = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 4, maxLength: 20 });
    fc.assert(
      fc.property(points, fc.array(fc.nat(19), { minLength: 3, maxLength: 3 }), (row, picks) => {
        const found = picks.map((pick) => pick % row.length);
        const kth = row.map(Math.abs).sort((a, b) => a - b)[2];
        const hits = new Set(found.filter((id) => Math.abs(row[id]) <= kth)).size;
        for (const length of [3, row.length]) {
          const { truth, scoreOf } = line(row, length);
          const recall = recallAtK(Uint32Array.from(found), truth, 3, { scoreOf });
          expect(recall).toBe(hits / 3);
        }
      }),
    );
  });

  test('refuses k and lengths that do not fit', () => {
    const { truth } = line([1, 2, 3], 2);
    for (const k of [0, 3, 1.5]) {
      expect(errorOf(() => recallAtK(new Uint32Array(2), truth, k)).code).toBe('INVALID_ARGUMENT');
    }
    expect(errorOf(() => recallAtK(new Uint32Array(3), truth, 2)).code).toBe('DIMENSION_MISMATCH');
    const options = { foundPerQuery: 1 };
    expect(errorOf(() => recallAtK(new Uint32Array(1), truth, 2, options)).code).toBe(
      'INVALID_ARGUMENT',
    );
  });
});

const JUDGEMENTS = new Map([
  ['a', 3],
  ['b', 2],
  ['c', 1],
  ['d', 0],
  ['e', -1],
]);

describe('ndcgAtK', () => {
  // By hand: the ideal of the first three is 3/1 + 2/log2(3) + 1/2 = 4.761859507142915.
  test.each([
    [['a', 'b', 'c'], 3, 1],
    [['b', 'x', 'a', 'c'], 3, 3.5 / 4.761859507142915],
    [['b', 'x', 'a', 'c'], 4, (3.5 + 1 / Math.log2(5)) / 4.761859507142915],
    [['b', 'x', 'a'], 1, 2 / 3],
    [['c', 'b', 'a'], 10, (1 + 2 / Math.log2(3) + 1.5) / 4.761859507142915],
    [['e', 'd', 'x'], 3, 0],
    [['e', 'a'], 3, 3 / Math.log2(3) / 4.761859507142915],
    [['a', 'a', 'a'], 3, 3 / 4.761859507142915],
    [[], 3, 0],
  ])('%j at %i', (ranked, k, expected) => {
    expect(ndcgAtK(ranked, JUDGEMENTS, k)).toBeCloseTo(expected, 14);
  });

  test('one relevant document at rank r has 1 / log2(r + 1)', () => {
    const judgements = new Map([['x', 1]]);
    const ranked = ['1', '2', '3', '4', '5', '6', 'x'];
    expect(ndcgAtK(ranked, judgements, 10)).toBeCloseTo(1 / 3, 14);
    expect(ndcgAtK(ranked, judgements, 6)).toBe(0);
  });

  test('is 0 without a positive judgement', () => {
    expect(ndcgAtK(['a'], new Map([['a', 0]]), 10)).toBe(0);
    expect(ndcgAtK(['a'], new Map(), 10)).toBe(0);
  });

  test('is within [0, 1], and 1 for the ideal ranking', () => {
    const scores = fc.array(fc.integer({ min: -1, max: 4 }), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(scores, fc.integer({ min: 1, max: 20 }), fc.nat(), (values, k, turn) => {
        const judgements = new Map(values.map((value, i) => [`${i}`, value]));
        const ids = [...judgements.keys()];
        const start = turn % ids.length;
        const value = ndcgAtK([...ids.slice(start), ...ids.slice(0, start)], judgements, k);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1 + 1e-12);
        const ideal = ids.sort((a, b) => judgements.get(b)! - judgements.get(a)!);
        const relevant = values.some((score) => score > 0);
        expect(ndcgAtK(ideal, judgements, k)).toBeCloseTo(relevant ? 1 : 0, 12);
      }),
    );
  });
});

describe('mrrAtK and recallFromQrelsAtK', () => {
  test.each([
    [['a'], 10, 1, 1 / 3],
    [['d', 'x', 'c', 'a'], 10, 1 / 3, 2 / 3],
    [['d', 'x', 'c', 'a'], 3, 1 / 3, 1 / 3],
    [['d', 'x', 'c', 'a'], 2, 0, 0],
    [['e', 'c', 'b', 'a'], 10, 1 / 2, 1],
    [['a', 'a', 'b'], 10, 1, 2 / 3],
    [[], 10, 0, 0],
  ])('%j at %i', (ranked, k, mrr, recall) => {
    expect(mrrAtK(ranked, JUDGEMENTS, k)).toBeCloseTo(mrr, 15);
    expect(recallFromQrelsAtK(ranked, JUDGEMENTS, k)).toBeCloseTo(recall, 15);
  });

  test('are 0 without a positive judgement', () => {
    expect(mrrAtK(['d'], new Map([['d', 0]]), 10)).toBe(0);
    expect(recallFromQrelsAtK(['d'], new Map([['d', 0]]), 10)).toBe(0);
  });

  test('all refuse a cut-off below 1', () => {
    for (const metric of [ndcgAtK, mrrAtK, recallFromQrelsAtK]) {
      expect(errorOf(() => metric(['a'], JUDGEMENTS, 0)).code).toBe('INVALID_ARGUMENT');
    }
  });
});

describe('meanOverJudged', () => {
  test('unjudged queries do not count, judged ones without a ranking count 0', () => {
    const qrels = new Map([
      ['q1', new Map([['a', 1]])],
      ['q2', new Map([['a', 1]])],
      ['none-positive', new Map([['a', 0]])],
      ['no-ranking', new Map([['a', 1]])],
    ]);
    const rankings = new Map([
      ['q1', ['a']],
      ['q2', ['b', 'a']],
      ['none-positive', ['a']],
      ['unjudged', ['a']],
    ]);
    expect(meanOverJudged(mrrAtK, rankings, qrels, 10)).toEqual({ mean: 0.5, queries: 3 });
    expect(meanOverJudged(mrrAtK, rankings, new Map(), 10)).toEqual({ mean: NaN, queries: 0 });
  });
});
