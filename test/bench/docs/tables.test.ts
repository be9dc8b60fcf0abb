import { expect, test } from 'vitest';
import {
  type CollectionsResult,
  filterTable,
  ingestionTable,
} from '../../../bench/collections/result.js';
import { growthTable } from '../../../bench/docs/growth.js';
import { kvContestTable, kvPerplexityTable, kvSpeedTable } from '../../../bench/docs/kv.js';
import { serverShareLine, serverTable, soakTable } from '../../../bench/docs/server.js';
import { kernelTable } from '../../../bench/kernels/result.js';
import { changeoverTable, decompositionTable } from '../../../bench/linalg/result.js';
import { stampSentence } from '../../../bench/stamped.js';
import { madeUpContender, madeUpResult } from '../made-up.js';

/** The cells of a table, without its head. */
function cells(markdown: string): string[][] {
  return markdown
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

test('growth is the time in the second case over that in the first', () => {
  const few = madeUpResult([madeUpContender('a', 'a', 200), madeUpContender('b', 'b', 1)]);
  const many = madeUpResult([madeUpContender('a', 'a', 50)]);
  expect(cells(growthTable([few, many]))).toEqual([['a', '4.0x', '4.0x', '4.0x - 4.0x']]);
});

test('linear algebra', () => {
  const matrix = { matrix: 'm', dimensions: 768, pairs: 160 };
  expect(
    cells(
      decompositionTable({
        decompositions: [{ ...matrix, theirs: 300, ours: 20, residual: 2e-15 }],
      }),
    ),
  ).toEqual([['m', '160 of 768', '300', '20', '15.0x', '2e-15']]);
  expect(
    cells(changeoverTable({ changeovers: [{ dimensions: 9, pairs: 3, exact: 2, subspace: 1 }] })),
  ).toEqual([['3 of 9', '2', '1']]);
});

test('kernels, one variant of which is missing', () => {
  const times = [{ least: 1.26, median: 2 }, null];
  const rows = [{ name: 'dot', bits: 8, dimensions: 64, times }];
  expect(cells(kernelTable({ variants: ['simd', 'relaxed-simd'], rows }))).toEqual([
    ['dot', '8', '64', '1.3 / 2.0', 'not available'],
  ]);
});

test('collections', () => {
  const late = { p50: 0.1, p99: 5, max: 20 };
  const ingestion = {
    ...{ pointsPerSecond: 20_000.4, indexedSeconds: 30, late, lateWhileIndexed: late },
    queries: { count: 7, p50: 1, p99: 2 },
  };
  const result = {
    ...{ count: 1, dimensions: 1, batch: 1, streamMs: 10, rounds: 1, indexed: 1 },
    ingestions: [
      { ...ingestion, rate: null },
      { ...ingestion, rate: 6000 },
    ],
    ...{ closedSeconds: 0.1, openedSeconds: 0.5, lateWhileOpened: late },
    bytes: { memory: 101e6, disk: 437e6 },
    filters: [
      { share: null, p50: 0.2, again: null, recall: 0.97 },
      { share: 0.5, p50: 0.4, again: 0.3, recall: 0.98 },
    ],
  } satisfies Partial<CollectionsResult>;
  const rows = cells(ingestionTable(result));
  expect(rows[0]).toEqual(['as fast as it goes: points a second acknowledged', '20,000']);
  expect(rows[7]).toEqual([
    'at 6,000 a second: event loop late, ms, p50 / p99 / max',
    '0.1 / 5.0 / 20.0',
  ]);
  expect(rows.at(-1)).toEqual(['MB in memory / on disk', '101 / 437']);
  expect(cells(filterTable(result))).toEqual([
    ['no filter', '0.200', '1.0', '-', '0.970'],
    ['0.5', '0.400', '2.0', '1.5', '0.980'],
  ]);
});

test('caches of a run, with their size where it is not the level', () => {
  const row = { method: 'm', level: 8, keys: 0, values: 0, attention: 0.1, compression: 8 };
  const contest = [
    { run: 'one', rows: [{ ...row, compressionWithBases: 8.01 }] },
    { run: 'other', rows: [{ ...row, level: 4, compressionWithBases: 2 }] },
  ];
  expect(cells(kvContestTable({ contest }, { runs: [], methods: [] }))).toEqual([
    ['one', 'm', '0.100', '-'],
    ['other', 'm', '-', '0.100 (2.0x)'],
  ]);
  expect(cells(kvContestTable({ contest }, { runs: [], methods: ['no'] }))).toEqual([]);
  expect(cells(kvContestTable({ contest }, { runs: ['one'], methods: ['m'] }))).toEqual([
    ['one', 'm', '0.100'],
  ]);
  const perplexity = { exact: 4, rows: [{ bitsPerNumber: 2, perplexity: 5 }] };
  expect(cells(kvPerplexityTable({ perplexity }))[1]).toEqual(['2', '5.000', '25.0 %']);
  const both = { compressed: 1, float32: 2 };
  const speed = {
    compress: { milliseconds: 3, layers: 4, tokens: 2048, width: 512 },
    ...{ rotated: both, plain: both },
  };
  expect(cells(kvSpeedTable({ speed }))[0]![0]).toContain('2,048 tokens of 4 layers');
});

test('the server, and what went through it', () => {
  const shares = {
    ...{ batchMsgpack: 0.75, batchJson: 0.5, singleJsonOfEcho: 0.4, singleJsonOfBoth: 0.8 },
  };
  const row = { queriesPerSecond: 3782, queriesPerProcessorSecond: 3000, p50: 1, p99: 2 };
  const result = {
    shares: { byTime: shares, byProcessorTime: shares },
    rows: [{ name: 'batchJson', ...row }],
  };
  expect(cells(serverTable(result))).toEqual([
    [
      ...['JSON, 64 queries a request', '3,782', '50 % of in process', '3,000'],
      ...['50 % of in process', '1.0', '2.0'],
    ],
  ]);
  expect(serverShareLine(result)).toContain('80 %');
  const soak = {
    ...{ seconds: 600, requests: 52_059, writes: 7, errors: 0, lost: 0, growth: 1 },
    ...{ residentMiBMax: 272, lateMsP99: 48, lateMsMax: 436 },
  };
  expect(cells(soakTable(soak))[1]).toEqual(['requests', '52,059']);
});

test('when, of which commit and on what machine something was measured', () => {
  const { date, machine } = madeUpResult([]);
  const stamp = { name: 'x', date, commit: '0123456789abcdef', machine };
  expect(stampSentence({ ...stamp, rounds: 3 })).toBe(
    'Measured on 2026-01-02, commit 012345678, A <fast> & "quiet" CPU, 2 cores, load 0 at the start, ' +
      'Node 20.0.0, 3 rounds.',
  );
  expect(stampSentence({ ...stamp, commit: null })).toContain('unknown commit');
});
