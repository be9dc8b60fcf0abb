import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ownSuite } from '../../../bench/suite/own.js';
import {
  caseOf,
  checkSuite,
  isOnVectors,
  readSuite,
  suiteNames,
} from '../../../bench/suite/suite.js';
import { folderWith } from '../../datasets/support.js';

const QUICK = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../bench/suites/quick.json'), 'utf8'),
);

/** The quick suite with its first task changed. */
const changed = (change: object, without: string[] = []) => {
  const task = { ...QUICK.tasks[0], ...change };
  for (const key of without) delete task[key];
  return { ...QUICK, tasks: [task] };
};

test.each(suiteNames())('the suite %s is of the form that the schema gives', async (name) => {
  const suite = await readSuite(name);
  expect(suite.name).toBe(name);
  const names = suite.tasks.map((task) => task.name);
  expect(new Set(names).size).toBe(names.length);
  for (const task of suite.tasks) {
    if (!isOnVectors(task)) continue;
    const { contenders, data } = caseOf(task, 100);
    expect(data).toBeDefined();
    for (const { efs } of contenders) expect(efs.every((ef) => ef >= 100)).toBe(true);
  }
});

// Not every machine gains by few bits, so what float32 and 8 bits give is always to be seen.
test.each(
  suiteNames(),
)('tasks on speed in %s have columns of float32 and of 8 bits', async (name) => {
  const { tasks } = await readSuite(name);
  for (const task of tasks) {
    if (task.kind !== 'ann') continue;
    const { contenders } = caseOf(task, 10);
    const has = (engine: RegExp, codes: RegExp) =>
      contenders.some((each) => engine.test(each.engine) && codes.test(each.name));
    expect(has(/^leandex$/, /float32/)).toBe(true);
    expect(has(/^leandex$/, /7 bits/)).toBe(true);
    expect(has(/^hnswlib-node$/, /./)).toBe(true);
    expect(has(/^(usearch|zvec)$/, /i8|int8/)).toBe(true);
  }
});

test('the quick suite has every kind of task, on data that ships or is generated', async () => {
  const { tasks } = await readSuite('quick');
  expect(tasks.map(({ kind }) => kind)).toEqual(['ann', 'ir', 'filtered', 'churn', 'multi', 'kv']);
  for (const task of tasks)
    if (isOnVectors(task)) expect(caseOf(task, 10).data.kind).toBe('quickstart');
});

describe('refused, saying where', () => {
  test.each([
    [{ ...QUICK, tasks: [] }, /at \/tasks/],
    [{ ...QUICK, name: 'No Name' }, /at \/name/],
    [{ ...QUICK, more: 1 }, /must NOT have additional properties/],
    [changed({ kind: 'nope' }), /at \/tasks\/0\/kind/],
    [changed({ k: [20] }), /at \/tasks\/0\/k\/0/],
    [changed({}, ['k']), /required property 'k'/],
    [changed({ efs: [0] }), /at \/tasks\/0\/efs\/0/],
    [changed({ distance: 'Manhattan' }), /at \/tasks\/0\/distance/],
    [changed({ data: { kind: 'shared' } }, ['case']), /required property 'folder'/],
    [changed({ data: { kind: 'npm', set: 'left-pad' } }, ['case']), /at \/tasks\/0\/data\/set/],
    [changed({}, ['case']), /at \/tasks\/0/],
    [changed({ case: 'nope' }), /case must be quick or/],
    [changed({ contenders: ['faiss'] }), /a contender must be leandex or/],
    [{ ...QUICK, tasks: [{ ...QUICK.tasks.at(-1), layers: [2, 4] }] }, /from … to must be/],
    [null, /must be object/],
  ])('%#', async (suite, message) => {
    await expect(checkSuite('suite', suite)).rejects.toThrow(message);
    await expect(checkSuite('suite', suite)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('files that are absent or no JSON, and unknown names', async () => {
    const folder = folderWith({ 'broken.json': '{' });
    await expect(readSuite(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(readSuite(join(folder, 'broken.json'))).rejects.toMatchObject({ code: 'CORRUPT' });
    await expect(readSuite('nope')).rejects.toThrow(/--suite must be public or quick or real/);
  });
});

test('own data make a suite, which is judged where there are judgements', async () => {
  const folder = folderWith({ 'qrels/test.tsv': '' });
  const judged = ownSuite({ corpus: folder, distance: 'Dot' });
  const plain = ownSuite({ corpus: join(folder, 'a b.npy'), distance: 'Euclid' });
  for (const suite of [judged, plain]) await checkSuite('own', suite);
  expect(judged.tasks.map(({ kind }) => kind)).toEqual(['ann', 'filtered', 'ir']);
  expect(plain.tasks.map(({ kind }) => kind)).toEqual(['ann', 'filtered']);
});
