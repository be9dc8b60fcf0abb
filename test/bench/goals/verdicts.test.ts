import { expect, test } from 'vitest';
import { GOAL_PARTS, type GoalsResult } from '../../../bench/goals/result.js';
import { goalsTable } from '../../../bench/goals/verdicts.js';
import type { CaseResult } from '../../../bench/result.js';
import { madeUpContender, madeUpResult } from '../made-up.js';

const late = { seconds: 1, p50: 0, p99: 2, max: 20 };

function goals(changes: Partial<GoalsResult> = {}): GoalsResult {
  return {
    ...{ name: 'goals', date: '2026-01-02T03:04:05.000Z', commit: null },
    machine: madeUpResult([]).machine,
    ...{ set: 'real', count: 1000, dimensions: 8, queries: [20, 10], rounds: 3 },
    eventLoop: [
      { what: 'build', ...late },
      { what: 'add', ...late, p99: 6 },
    ],
    build: [
      { threads: 1, seconds: 4 },
      { threads: 2, seconds: 2.5 },
    ],
    growth: {
      sizes: [100, 1000],
      rows: [
        { recall: '0.90', micros: [10, 15] },
        { recall: '0.95', micros: [10, 20] },
        { recall: '0.99', micros: [30, null] },
      ],
    },
    loss: [
      { ef: 48, codes: 0.94, floats: 0.952 },
      { ef: 320, codes: 0.995, floats: 0.998 },
    ],
    ...changes,
  };
}

/** leandex `ahead` times as fast as its opponents. */
function caseOf(name: string, ahead: number): CaseResult {
  const contenders = [
    madeUpContender('leandex', 'leandex', ahead * 100),
    madeUpContender('leandex', 'leandex compact', ahead * 80),
    madeUpContender('hnswlib-node', 'hnswlib M16', 100),
  ];
  const bytes = [200, 100, 620];
  const sized = contenders.map((contender, i) => ({
    ...contender,
    bytesPerVector: { codes: bytes[i]!, total: bytes[i]! },
  }));
  const qps = { '0.90': ahead, '0.95': ahead, '0.98': ahead, '0.99': null };
  const ratio = { qps, build: ahead, buildThreads: [1, 1] as const, memory: 3.1 };
  return {
    ...madeUpResult(sized),
    case: name,
    ratios: ['hnswlib-node', 'usearch, zvec'].map((opponent) => ({
      ...{ ...ratio, contender: 0, opponent },
    })),
  } as CaseResult;
}

function rowsOf(markdown: string): string[][] {
  const [, , ...lines] = markdown.split('\n');
  return lines.map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

const find = (rows: string[][], ...words: string[]) =>
  rows.find((row) => words.every((word) => `${row[0]} ${row[1]}`.includes(word)))!;

test('a goal is met, met on some data, or missed, as the numbers say', () => {
  const rows = rowsOf(goalsTable(goals(), [caseOf('real', 16), caseOf('generated', 12)]));
  expect(find(rows, '0.95', '15x').slice(2)).toEqual(['16.0x', '12.0x', 'met on real']);
  expect(find(rows, '0.95', '10x').at(-1)).toBe('met');
  expect(find(rows, '0.99', '8x').slice(2)).toEqual([
    ...['ends at 0.990', 'ends at 0.990', 'missed'],
  ]);
  expect(find(rows, 'memory, default').slice(2)).toEqual(['1/3.1', '1/3.1', 'met']);
  expect(find(rows, 'memory, compact').slice(2)).toEqual(['1/6.2', '1/6.2', 'met']);
});

test('what has no opponent is measured on one set', () => {
  const rows = rowsOf(goalsTable(goals(), [caseOf('real', 1), caseOf('generated', 1)]));
  expect(find(rows, 'ef 48').slice(2)).toEqual(['1.20', '', 'missed']);
  expect(find(rows, 'ef 320').slice(2)).toEqual(['0.30', '', 'met']);
  expect(find(rows, 'time a query at 0.90').slice(2)).toEqual(['1.50x', '', 'met']);
  expect(find(rows, 'time a query at 0.95').slice(2)).toEqual(['2.00x', '', 'missed']);
  expect(find(rows, '2 threads').slice(1)).toEqual(['1.70x', '1.60x', '', 'missed']);
  expect(find(rows, 'late, ms, p99').slice(2)).toEqual(['6.0 (add)', '', 'missed']);
  expect(find(rows, 'late, ms, ever').at(-1)).toBe('met');
});

test('compact codes that do not reach .95 miss their goal at any size', () => {
  const { contenders, ...rest } = caseOf('real', 1);
  const low = contenders.map((contender) =>
    contender.name === 'leandex compact'
      ? { ...contender, points: contender.points.slice(0, 1) }
      : contender,
  );
  const rows = rowsOf(goalsTable(goals(), [{ ...rest, contenders: low }]));
  expect(find(rows, 'memory, compact').slice(2)).toEqual(['1/6.2, but ends at 0.850', 'missed']);
});

test('the parts as tables', () => {
  const result = goals();
  expect(rowsOf(GOAL_PARTS.growth!(result))).toEqual([
    ['0.90', '10.0', '15.0', '1.50'],
    ['0.95', '10.0', '20.0', '2.00'],
    ['0.99', '30.0', '-', '-'],
  ]);
  expect(rowsOf(GOAL_PARTS.build!(result))[1]).toEqual(['2', '2.50', '1.60', '0.80']);
  expect(rowsOf(GOAL_PARTS.loss!(result))[0]).toEqual(['48', '0.9400', '0.9520', '1.20']);
  expect(rowsOf(GOAL_PARTS['event-loop']!(result))[1]).toEqual([
    'add',
    '1.00',
    '0.0',
    '6.0',
    '20.0',
  ]);
});
