import { describe, expect, test } from 'vitest';
import {
  type AtRecall,
  atRecallLevels,
  type Comparable,
  type CurvePoint,
  paretoFrontier,
  qpsAtRecall,
  ratios,
} from '../../bench/frontier.js';

function points(...pairs: [recallAt10: number, qps: number][]): CurvePoint[] {
  return pairs.map(([recallAt10, qps]) => ({ recallAt10, qps }));
}

describe('paretoFrontier', () => {
  test('drops what another point beats in both, and sorts by recall', () => {
    const given = points([0.9, 100], [0.5, 900], [0.8, 90], [0.95, 50], [0.7, 400], [0.6, 400]);
    const expected = points([0.5, 900], [0.7, 400], [0.9, 100], [0.95, 50]);
    expect(paretoFrontier(given)).toEqual(expected);
  });

  test('keeps the faster of equal recalls and one of equal points', () => {
    const given = points([0.9, 100], [0.9, 120], [0.9, 120]);
    expect(paretoFrontier(given)).toEqual(points([0.9, 120]));
    expect(paretoFrontier([])).toEqual([]);
  });

  test('leaves its input alone', () => {
    const given = points([0.9, 1], [0.8, 2]);
    paretoFrontier(given);
    expect(given).toEqual(points([0.9, 1], [0.8, 2]));
  });
});

describe('qpsAtRecall', () => {
  const curve = points([0.8, 10_000], [0.9, 1000], [1, 10]);

  test('interpolates the logarithm of the speed linearly in recall', () => {
    // Half way from 10^4 to 10^3 is 10^3.5; a quarter of the way from 10^3 to 10 is 10^2.5.
    expect(qpsAtRecall(curve, 0.85)).toBeCloseTo(10 ** 3.5, 6);
    expect(qpsAtRecall(curve, 0.925)).toBeCloseTo(10 ** 2.5, 6);
  });

  test('gives measured points as they are', () => {
    for (const { recallAt10, qps } of curve) expect(qpsAtRecall(curve, recallAt10)).toBe(qps);
  });

  test('interpolates between points of the frontier only', () => {
    const dominated = points([0.85, 50], [0.9, 500]);
    expect(qpsAtRecall([...curve, ...dominated], 0.85)).toBeCloseTo(10 ** 3.5, 6);
  });

  test('is null beyond the best recall, and the fastest setting below the least', () => {
    expect(qpsAtRecall(points([0.8, 7]), 0.81)).toBeNull();
    expect(qpsAtRecall([], 0.5)).toBeNull();
    expect(qpsAtRecall(curve, 0.1)).toBe(10_000);
  });
});

test('atRecallLevels covers the four levels', () => {
  const expected: AtRecall = { '0.90': 100, '0.95': 10, '0.98': null, '0.99': null };
  expect(atRecallLevels(points([0.9, 100], [0.95, 10]))).toEqual(expected);
});

describe('ratios', () => {
  function contender(
    engine: string,
    qps: (number | null)[],
    buildSeconds: number,
    total: number,
  ): Comparable {
    const [a = null, b = null, c = null, d = null] = qps;
    const atRecall = { '0.90': a, '0.95': b, '0.98': c, '0.99': d };
    return { engine, atRecall, buildSeconds, bytesPerVector: { total } };
  }

  test("takes the opponent's best setting at every level and in every respect", () => {
    const small = contender('theirs', [100, 50, null, null], 10, 1000);
    const large = contender('theirs', [80, 60, 40, null], 20, 2000);
    const mine = contender('ours', [300, 120, null, 10], 5, 500);
    expect(ratios([small, mine, large], 'ours')).toEqual([
      {
        contender: 1,
        opponent: 'theirs',
        qps: { '0.90': 3, '0.95': 2, '0.98': null, '0.99': null },
        build: 2,
        memory: 2,
      },
    ]);
  });

  test('pairs each of our settings with each other engine', () => {
    const engines = ['ours', 'b', 'ours', 'c', 'b'];
    const pairs = ratios(
      engines.map((engine) => contender(engine, [1, 1, 1, 1], 1, 1)),
      'ours',
    ).map((ratio) => [ratio.contender, ratio.opponent]);
    expect(pairs).toEqual([
      [0, 'b'],
      [0, 'c'],
      [2, 'b'],
      [2, 'c'],
    ]);
  });
});
