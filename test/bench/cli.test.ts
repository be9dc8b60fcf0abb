import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
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
  [
    ['--suite', 'quick', '--case', 'quick'],
    /one of --suite, --data and --case, received "--suite and --case"/,
  ],
  [['--data', 'nope.npy', '--distance', 'Manhattan'], /distance must be Cosine/],
  [['--data', 'nope.npy'], /no task of own could run: nope\.npy: there is no .*nope\.npy/],
  [['--engines', 'leandex,faiss'], /an engine must be one of leandex.*received "faiss"/],
  [['--case', 'generated-100k-128', '--engines', 'edgevec'], /an engine of this case must be/],
  [['--repeats', '0'], /--repeats.* must be an integer from 1/],
  [['--suite', 'quick', '--distance', 'Dot'], /--distance must be together with --data/],
  [['--case', 'quick', '--queries', 'q.npy'], /--queries must be together with --data/],
  [['--out', 'package.json'], /EEXIST/],
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

test.skipIf(process.platform !== 'linux').each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  '%s in the middle of a build leaves neither a process nor a folder',
  { timeout: 120_000 },
  async (signal, status) => {
    const folder = mkdtempSync(join(tmpdir(), 'leandex-signal-'));
    const scratch = join(folder, 'scratch');
    mkdirSync(scratch);
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const data = { kind: 'generated', generator: 'spectrum', count: 30_000, dimensions: 128 };
    const task = { kind: 'filtered', name: 'slow', data: { ...data, seed: 1, decay: 1 } };
    const more = { contenders: ['hnswlib M32'], queries: 10, shares: [0.5], ef: 20, seed: 1 };
    const suite = { name: 'slow', description: 'Slow.', tasks: [{ ...task, ...more }] };
    writeFileSync(join(folder, 'slow.json'), JSON.stringify(suite));
    const args = ['bench', '--suite', join(folder, 'slow.json'), '--out', join(folder, 'out')];
    const env = { ...process.env, TMPDIR: scratch };
    const run = spawn(process.execPath, [MAIN, ...args, '--no-cache'], { env, stdio: 'ignore' });
    const ended = new Promise((resolve) => run.once('exit', resolve));
    const worker = await vi.waitFor(() => busyChildOf(run.pid!), { timeout: 60_000, interval: 50 });
    run.kill(signal);
    expect(await ended).toBe(status);
    expect(readdirSync(scratch)).toEqual([]);
    await vi.waitFor(() => expect(existsSync(`/proc/${worker}`)).toBe(false), { timeout: 2000 });
  },
);

/** A child process that has worked for a second: it is in the middle of the build then. */
function busyChildOf(pid: number): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  expect(child).not.toBe('');
  const ticks = Number(readFileSync(`/proc/${child}/stat`, 'utf8').split(' ')[13]);
  expect(ticks).toBeGreaterThan(100);
  return Number(child);
}

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
