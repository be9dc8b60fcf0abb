import { expect, test } from 'vitest';
import { goalsOverview } from '../../../bench/goals/overview.js';
import type { GoalsResult } from '../../../bench/goals/result.js';
import { ratios } from '../../../bench/ratios.js';
import { madeUpContender, madeUpResult } from '../made-up.js';

const { machine } = madeUpResult([]);

/** All goals met, but for what is changed. */
function goals(change: Partial<GoalsResult> = {}): GoalsResult {
  return {
    ...{ set: 'made-up', date: '2026-01-02T03:04:05.000Z', commit: null, machine, rounds: 3 },
    loss: [
      { ef: 48, codes: 0.95, floats: 0.954 },
      { ef: 128, codes: 0.98, floats: 0.983 },
    ],
    growth: [0.9, 0.95, 0.98].map((recall) => ({
      recall,
      micros: [
        { count: 100, micros: 10 },
        { count: 1000, micros: recall === 0.98 ? 30 : 15 },
      ],
    })),
    builds: [
      { threads: 1, seconds: 9 },
      { threads: 2, seconds: 5 },
    ],
    eventLoop: [{ what: 'build', seconds: 1, p50: 0, p99: 4, max: 20 }],
    ...change,
  };
}

/** leandex so many times as fast as both sides, at the same memory and twice the build speed. */
function curves(name: string, times: number) {
  const contenders = [
    madeUpContender('leandex', 'leandex', 1000 * times),
    madeUpContender('leandex', 'leandex compact', 1000),
    madeUpContender('hnswlib-node', 'hnswlib M16', 1000),
    { ...madeUpContender('usearch', 'usearch f16 M16', 1000), buildSeconds: 20 },
  ];
  const result = madeUpResult(contenders);
  return { ...result, case: name, ratios: ratios(contenders, 'leandex') };
}

const overview = (times: readonly [number, number], change: Partial<GoalsResult> = {}) =>
  goalsOverview(goals(change), curves('real-set', times[0]), curves('other-set', times[1]))
    .split('\n')
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

const rowOf = (rows: string[][], goal: string) => rows.find(([first]) => first === goal)!;

test('the columns are the sets of the curves', () => {
  expect(overview([20, 20])[0]).toEqual(['goal', 'target', 'real-set (real)', 'other-set', '']);
});

test('a goal is met where both sets reach it, or one of them, or none', () => {
  const goal = 'queries/s at recall@10 .95';
  expect(rowOf(overview([15, 16]), goal).slice(2)).toEqual(['15.0x', '16.0x', 'met']);
  expect(rowOf(overview([15, 14]), goal)[4]).toBe('met on real data');
  expect(rowOf(overview([14.9, 16]), goal)[4]).toBe('met on generated data');
  expect(rowOf(overview([1, 1]), goal)[4]).toBe('missed');
});

test('builds and memory are against the best of the others', () => {
  const rows = overview([20, 20]);
  expect(rows[7]!.slice(1)).toEqual([
    'faster than every peer that reaches .95',
    '2.0x',
    '2.0x',
    'met',
  ]);
  expect(rowOf(rows, 'memory, default').slice(2)).toEqual(['1/1.0', '1/1.0', 'missed']);
});

test('what has one set says from where on it is met, or by what it is missed', () => {
  expect(rowOf(overview([1, 1]), 'recall lost to compression at fixed ef').slice(2)).toEqual([
    ...['0.40 at 48, 0.30 at 128', '', 'met'],
  ]);
  const loss = [
    { ef: 48, codes: 0.95, floats: 0.957 },
    { ef: 128, codes: 0.98, floats: 0.983 },
  ];
  const lossy = rowOf(overview([1, 1], { loss }), 'recall lost to compression at fixed ef');
  expect(lossy[4]).toBe('met, from ef 128 on');
  const eventLoop = [
    ...goals().eventLoop,
    { what: 'close', seconds: 1, p50: 0, p99: 5.1, max: 20 },
  ];
  const late = rowOf(overview([1, 1], { eventLoop }), 'event loop late, anything asynchronous');
  expect(late.slice(2)).toEqual(['at most 5.1 ms at p99, 20 ms ever', '', 'missed, by: close']);
});

test('growth counts at .90 and .95, threads against all of them', () => {
  const rows = overview([1, 1]);
  const grown = rowOf(rows, 'time a query at equal recall, n times ten');
  expect(grown.slice(2)).toEqual(['1.5x at .90, 1.5x at .95', '', 'met']);
  expect(rowOf(rows, 'build with c threads').slice(2)).toEqual(['.90 of 2', '', 'met']);
});
