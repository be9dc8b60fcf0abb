import { expect, test } from 'vitest';
import {
  type GroupResult,
  type SettingRow,
  settingBytesTable,
  settingsTable,
} from '../../../bench/settings/result.js';
import { madeUpResult } from '../made-up.js';

const row = (name: string, efs: readonly number[], micros: number): SettingRow => ({
  name,
  bytesPerVector: { primary: 64, secondary: 784, graph: 136, other: 35.4, total: 1019.4 },
  resolved: { mode: 'graph', primaryDimensions: 240, primaryBits: 2 },
  points: efs.map((ef) => ({ ef, recall: 0.9 + ef / 10_000, distances: 10 * ef, micros })),
});

const group = (name: string, rows: SettingRow[]): GroupResult => ({
  ...{ group: name, data: madeUpResult([]).data, asked: 10, rows },
});

const groups = [
  group('codes', [row('default', [32, 128], 20), row('`primaryBits: 7`', [32, 128], 50)]),
  group('rerank', [row('default', [64, 160], 20), row('`rerank: 64`', [160], 30)]),
  group('codes', [row('default', [32, 128], 1000)]),
];

test('recall, distances, and times against the first of the same data', () => {
  const lines = settingsTable({ groups }, 'codes').split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[3]!.split('|').map((cell) => cell.trim())).toEqual([
    ...['', 'quickstart', '`primaryBits: 7`', '240 x 2', '1,019', '0.903', '0.913'],
    ...['320', '1,280', '2.50', '2.50', ''],
  ]);
  expect(lines[4]).toMatch(/1\.00 \| +1\.00 \|$/);
});

test('a variant of one width leaves the others out', () => {
  const line = settingsTable({ groups }, 'rerank').split('\n')[3]!;
  expect(line.split('|').map((cell) => cell.trim())).toEqual([
    ...['', 'quickstart', '`rerank: 64`', '240 x 2', '1,019', '-', '0.916'],
    ...['-', '1,600', '-', '1.50', ''],
  ]);
});

test('bytes by part', () => {
  expect(settingBytesTable({ groups }, 'rerank').split('\n')[2]).toMatch(
    /default +\| +64 \| +784 \| +136 \| +35 \| +1,019 \|/,
  );
});
