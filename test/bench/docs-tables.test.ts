import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withTables } from '../../bench/docs-tables.js';

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'benchmarks.md');

test('the tables of the page are those of the result files: npm run bench:docs', () => {
  const text = readFileSync(PAGE, 'utf8');
  expect(text.match(/<!-- table /g)!.length).toBeGreaterThanOrEqual(10);
  expect(withTables(text)).toBe(text);
});

test('a number that was changed by hand is put right', () => {
  const text = readFileSync(PAGE, 'utf8');
  const changed = text.replace('| 30,561 |', '| 40,561 |');
  expect(changed).not.toBe(text);
  expect(withTables(changed)).toBe(text);
});

test('contenders are chosen by whole names, and left out by parts of them', () => {
  const tableOf = (words: string) =>
    withTables(`<!-- table summary quick-none.json ${words} -->\n<!-- end of table -->`);
  expect(() => tableOf('')).toThrow(/ENOENT/);
  const summary = withTables(
    '<!-- table summary wordnet-mpnet768.json only=leandex,hnswlib M16 -->\n<!-- end of table -->',
  );
  const names = [...summary.matchAll(/^\| (\w[\w ]*?) +\|/gm)].map(([, name]) => name);
  expect(names).toEqual(['contender', 'leandex', 'hnswlib M16']);
});

test('unknown kinds and tasks are errors', () => {
  const write = (words: string) => () =>
    withTables(`<!-- table ${words} -->\n<!-- end of table -->`);
  expect(write('nope wordnet-mpnet768.json')).toThrow(/kind nope/);
  expect(write('task quick/results.json nope')).toThrow(/no task nope/);
});
