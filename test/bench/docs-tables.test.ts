import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { docsPages, withTables } from '../../bench/docs-tables.js';

const PAGE = join(import.meta.dirname, '..', '..', 'docs', 'benchmarks.md');

test.each(
  docsPages(),
)('the tables of %s are those of the result files: npm run bench:docs', (page) => {
  const text = readFileSync(page, 'utf8');
  expect(withTables(text)).toBe(text);
});

test('the pages that tell measurements have tables from result files', () => {
  const counts = docsPages().map((page) => {
    const tables = readFileSync(page, 'utf8').match(/<!-- table /g) ?? [];
    return [basename(page), tables.length] as const;
  });
  const least = { 'benchmarks.md': 20, 'kv-cache.md': 4, 'multi-vector.md': 4, 'server.md': 2 };
  for (const [page, count] of Object.entries({ ...least, 'advisor.md': 1, 'README.md': 1 })) {
    expect(Object.fromEntries(counts)[page], page).toBeGreaterThanOrEqual(count);
  }
});

test.each(docsPages())('the files of bench/results that %s names are there', (page) => {
  const text = readFileSync(page, 'utf8');
  const named = [...text.matchAll(/bench\/results\/([\w./-]+\.(?:json|md))/g)];
  for (const [, name] of named) {
    const isThere = existsSync(join(dirname(PAGE), '..', 'bench', 'results', name!));
    expect(isThere || text.includes(`writes bench/results/${name}.*`), name).toBe(true);
  }
});

test('a number that was changed by hand is put right', () => {
  const text = readFileSync(PAGE, 'utf8');
  const changed = text.replace(/(<!-- table ratios [\s\S]*?\d)(\.\dx)/, '$19$2');
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
  expect(write('goals-part wordnet-mpnet768.json nope')).toThrow(/no part nope/);
});
