import { expect, test } from 'vitest';
import { ratios } from '../../bench/ratios.js';
import { renderResult } from '../../bench/table.js';
import { madeUpContender, madeUpResult } from './made-up.js';

const contenders = [
  { ...madeUpContender('leandex', 'leandex', 9000), buildThreads: 2, buildSeconds: 2 },
  madeUpContender('hnswlib-node', 'hnswlib M16', 1000),
];
const skipped = [
  { engine: 'usearch', name: 'usearch f16', settings: {}, search: {}, reason: 'not installed: x' },
];
const text = renderResult({
  ...madeUpResult(contenders),
  ...{ skipped, ratios: ratios(contenders, 'leandex') },
});
const tables = text.split('\n\n').filter((part) => part.startsWith('|'));

/** The cell of a table under a heading, in its nth row. */
function cell(table: string, heading: string, row: number): string {
  const rows = table.trimEnd().split('\n');
  const cells = rows.map((line) => line.split('|').map((part) => part.trim()));
  return cells[row + 2][cells[0].indexOf(heading)];
}

test('the tables have a row for everything and line up', () => {
  const rows = tables.map((table) => table.trimEnd().split('\n'));
  expect(rows.map(({ length }) => length)).toEqual([2 + 2, 2 + 1, 2 + 2, 2 + 2, 2 + 6]);
  for (const lines of rows) expect(new Set(lines.map((line) => line.length)).size).toBe(1);
});

test('tail latency at .95 and its ratio to the median', () => {
  const { p50, p99 } = contenders[0].points[1];
  expect(cell(tables[0], 'p50 µs at 0.95', 0)).toBe(p50.toFixed(1));
  expect(cell(tables[0], 'p99', 0)).toBe(p99.toFixed(1));
  expect(cell(tables[0], 'p99/p50', 0)).toBe('2.0');
});

test('the threads of the builds stand beside their ratio', () => {
  expect(cell(tables[1], 'build', 0)).toBe('5.0x');
  expect(cell(tables[1], 'threads, ours : theirs', 0)).toBe('2 : 1');
  expect(cell(tables[1], '0.95', 0)).toBe('9.0x');
});

test('bytes by part, and who was skipped', () => {
  expect(cell(tables[2], 'by part', 0)).toBe('codes 64, graph 136');
  expect(text).toContain('\nSkipped: usearch f16, not installed: x\n');
});
