import { describe, expect, test } from 'vitest';
import {
  type AtRecall,
  atRecallLevels,
  type CurvePoint,
  paretoFrontier,
  pointAbove,
  qpsAtRecall,
} from '../../bench/frontier.js';

function points(...pairs: [recall: number, qps: number][]): CurvePoint[] {
  return pairs.map(([recall, qps]) => ({ recall, qps }));
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
    for (const { recall, qps } of curve) expect(qpsAtRecall(curve, recall)).toBe(qps);
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

test('pointAbove gives the least beam width that reaches a recall', () => {
  const curve = points([0.8, 30], [0.96, 20], [0.99, 10]);
  expect(pointAbove(curve, 0.95)).toBe(curve[1]);
  expect(pointAbove(curve, 0.96)).toBe(curve[1]);
  expect(pointAbove(curve, 0.995)).toBeUndefined();
});
