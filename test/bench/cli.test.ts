import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { CASES } from '../../bench/cases.js';
import { ENGINES } from '../../bench/engines/registry.js';
import { caseOf, readSuite, suiteNames } from '../../bench/suite/suite.js';
import { generateSpectrum } from '../../datasets/generate.js';
import { encodeFvecs } from '../../datasets/vecs.js';
import { requireFreshBuild } from './compiled.js';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');

beforeAll(requireFreshBuild);

function bench(...args: string[]) {
  return spawnSync(process.execPath, [MAIN, 'bench', ...args], { encoding: 'utf8' });
}

test('--list names every suite, case and engine', () => {
  const { status, stdout } = bench('--list');
  expect(status).toBe(0);
  const suites = suiteNames().map((name) => ({ name }));
  for (const { name } of [...suites, ...CASES, ...ENGINES]) expect(stdout).toContain(`  ${name} `);
  expect(stdout).toMatch(/hnswlib-node +\d+\.\d+\.\d+/);
});

test.each([
  [['--case', 'quick', '--case', 'nope'], /--case must be quick or .*received "nope"/],
  [['--suite', 'nope'], /--suite must be public or quick or real, received "nope"/],
  [['--suite', 'nope.json'], /there is no suite nope\.json/],
  [['--suite', 'quick', '--case', 'quick'], /one of --suite, --data and --case/],
  [['--data', 'nope.npy', '--distance', 'Manhattan'], /distance must be Cosine/],
  [['--data', 'nope.npy'], /no task of own could run: nope\.npy: there is no .*nope\.npy/],
  [['--engines', 'leandex,faiss'], /an engine must be one of leandex.*received "faiss"/],
  [['--case', 'generated-100k-128', '--engines', 'edgevec'], /an engine of this case must be/],
  [['--repeats', '0'], /--repeats.* must be an integer from 1/],
])('%j is refused, before anything is measured', (args, message) => {
  const { status, stdout, stderr } = bench(...args);
  expect(status).toBe(/INVALID_ARGUMENT|is invalid/.test(stderr) ? 2 : 1);
  expect(stderr).toMatch(message);
  expect(stdout).toBe('');
});

test('own vectors give a result and its reports', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'leandex-own-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { corpus } = generateSpectrum({
    count: 1500,
    queries: 1,
    dimensions: 16,
    seed: 2,
    decay: 1,
  });
  writeFileSync(join(folder, 'rows.fvecs'), encodeFvecs(corpus, 16));
  const out = join(folder, 'out');
  const { status, stderr } = bench(
    ...['--data', join(folder, 'rows.fvecs'), '--distance', 'dot', '--out', out],
    ...['--engines', 'leandex', '--repeats', '1', '--no-cache', '--json'],
  );
  expect(stderr).toContain('written to');
  expect(status).toBe(0);
  expect(readdirSync(out).sort()).toEqual(['report.html', 'report.md', 'results.json']);
  const { tasks } = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8'));
  const [curves, filtered] = tasks;
  expect(curves.results[0]).toMatchObject({ distance: 'Dot', data: { count: 1350, queries: 150 } });
  // So few are scanned exactly.
  expect(curves.results[0].contenders[0].points[0].recall).toBe(1);
  expect(filtered.contenders.map(({ name }: { name: string }) => name)).toEqual(['leandex']);
});

test('every suite of curves has float32 and a byte a number beside the default', async () => {
  for (const name of suiteNames()) {
    for (const task of (await readSuite(name)).tasks) {
      if (task.kind !== 'ann') continue;
      const names = caseOf(task, 10).contenders.map((each) => each.name);
      for (const needed of ['leandex', 'leandex float32', 'leandex 7 bits', 'hnswlib M16']) {
        expect(names).toContain(needed);
      }
    }
  }
});
