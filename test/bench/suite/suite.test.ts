import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Contender } from '../../../bench/contenders.js';
import { ownSuite } from '../../../bench/suite/own.js';
import {
  caseOf,
  checkSuite,
  isOnVectors,
  readSuite,
  suiteNames,
  type VectorTask,
} from '../../../bench/suite/suite.js';
import { folderWith } from '../../datasets/support.js';

const QUICK = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../bench/suites/quick.json'), 'utf8'),
);

const GENERATED = { kind: 'generated', generator: 'spectrum', count: 99, dimensions: 4, seed: 1 };

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

test('the quick suite has every kind of task, on data that ships or is generated', async () => {
  const { tasks } = await readSuite('quick');
  expect(tasks.map(({ kind }) => kind)).toEqual(['ann', 'ir', 'filtered', 'churn', 'multi', 'kv']);
  for (const task of tasks)
    if (isOnVectors(task)) expect(caseOf(task, 10).data.kind).toBe('quickstart');
});

/** How a number is stored in what a contender traverses, as far as that is a column of its own. */
function columnOf({ engine, settings }: Contender): 'float32' | '8 bits' | undefined {
  const { primaryBits, scalar, codes } = settings as Readonly<Record<string, unknown>>;
  switch (engine) {
    case 'hnswlib-node':
    case 'edgevec':
      return 'float32';
    case 'usearch':
      return scalar === 'f32' ? 'float32' : scalar === 'i8' ? '8 bits' : undefined;
    case 'zvec':
      return codes === 'float32' ? 'float32' : codes === 'int8' ? '8 bits' : undefined;
    default:
      // Seven bits are a byte a number.
      return primaryBits === 32 ? 'float32' : primaryBits === 7 ? '8 bits' : undefined;
  }
}

describe.each(suiteNames())('the suite %s compares like with like', (name) => {
  test('curves have columns of float32 and of 8 bits, of leandex and of others', async () => {
    const tasks = (await readSuite(name)).tasks.filter((task) => task.kind === 'ann');
    expect(tasks).not.toEqual([]);
    for (const task of tasks) {
      for (const k of task.k) {
        const { contenders } = caseOf(task, k);
        const isOurs = ({ engine }: Contender) => engine === 'leandex';
        const ours = new Set(contenders.filter(isOurs).map(columnOf));
        const others = new Set(contenders.filter((each) => !isOurs(each)).map(columnOf));
        for (const columns of [ours, others]) {
          expect(columns).toContain('float32');
          expect(columns).toContain('8 bits');
        }
      }
    }
  });

  test.each([
    ['filtered', ['leandex', 'hnswlib-node', 'zvec']],
    ['churn', ['leandex', 'hnswlib-node', 'usearch', 'zvec']],
  ] as const)('%s: with every engine that can, natively', async (kind, engines) => {
    const tasks = (await readSuite(name)).tasks.filter(isOnVectors);
    const ofKind = tasks.filter((task) => task.kind === kind);
    // What npm has is measured by curves and judgements alone.
    expect(ofKind.length > 0).toBe(name !== 'public');
    for (const task of ofKind) {
      const names = new Set(caseOf(task, 10).contenders.map(({ engine }) => engine));
      expect([...names]).toEqual(expect.arrayContaining([...engines]));
    }
  });
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
    [changed({ kind: 'filtered', shares: [0.5], ef: 9, seed: 1 }, ['k']), /at \/tasks\/0\/ef/],
    [changed({ distance: 'Manhattan' }), /at \/tasks\/0\/distance/],
    [changed({ data: { kind: 'shared' } }, ['case']), /required property 'folder'/],
    [changed({ data: { kind: 'npm', set: 'left-pad' } }, ['case']), /at \/tasks\/0\/data\/set/],
    [changed({}, ['case']), /at \/tasks\/0/],
    [changed({ case: 'nope' }), /case must be quick or/],
    [changed({ contenders: ['faiss'] }), /a contender must be leandex or/],
    [{ ...QUICK, tasks: [{ ...QUICK.tasks.at(-1), layers: [2, 4] }] }, /from … to must be/],
    [changed({ repaets: 5 }), /at \/tasks\/0/],
    [{ ...QUICK, tasks: [{ ...QUICK.tasks.at(-1), seeds: 2 }] }, /at \/tasks\/0/],
    [changed({ data: { kind: 'quickstart', folder: 'x' } }, ['case']), /at \/tasks\/0\/data/],
    [changed({ data: { kind: 'shared', folder: 'x', file: 1 } }, ['case']), /\/tasks\/0\/data/],
    [changed({ data: { ...GENERATED, generator: 'nope' } }, ['case']), /\/data\/generator/],
    [changed({ data: { ...GENERATED, sed: 1 } }, ['case']), /at \/tasks\/0\/data/],
    [changed({ efs: [320, 100] }), /efs of quickstart must be in ascending order/],
    [changed({ efs: [10, 50] }), /efs of quickstart must be some of at least 100/],
    [{ ...QUICK, tasks: [{ ...QUICK.tasks[1], ef: 999 }] }, /ef of .* must be at most 320/],
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

test('sweeps begin at k, the fastest setting that there is', async () => {
  const { tasks } = await checkSuite('suite', changed({}, ['efs']));
  for (const k of [10, 100] as const) {
    const { contenders } = caseOf(tasks[0] as VectorTask, k);
    for (const { efs } of contenders) {
      expect(efs[0]).toBe(k);
      expect(efs).toEqual(efs.toSorted((a, b) => a - b));
    }
  }
});

test('own data make a suite, which is judged where there are judgements', async () => {
  const folder = folderWith({ 'qrels/test.tsv': '' });
  const judged = ownSuite({ corpus: folder, distance: 'Dot' });
  const plain = ownSuite({ corpus: join(folder, 'a b.npy'), distance: 'Euclid' });
  for (const suite of [judged, plain]) await checkSuite('own', suite);
  expect(judged.tasks.map(({ kind }) => kind)).toEqual(['ann', 'filtered', 'ir']);
  expect(plain.tasks.map(({ kind }) => kind)).toEqual(['ann', 'filtered']);
});
