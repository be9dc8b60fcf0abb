import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { CASES } from '../../bench/cases.js';
import { ENGINES } from '../../bench/engines/registry.js';
import { requireFreshBuild } from './compiled.js';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');

beforeAll(requireFreshBuild);

function bench(...args: string[]) {
  return spawnSync(process.execPath, [MAIN, 'bench', ...args], { encoding: 'utf8' });
}

test('--list names every case and every engine', () => {
  const { status, stdout } = bench('--list');
  expect(status).toBe(0);
  for (const { name } of [...CASES, ...ENGINES]) expect(stdout).toContain(`  ${name} `);
  expect(stdout).toMatch(/hnswlib-node +\d+\.\d+\.\d+/);
});

test.each([
  [['--case', 'quick', '--case', 'nope'], /--case must be quick or .*received "nope"/],
  [['--engines', 'leandex,faiss'], /an engine must be one of leandex.*received "faiss"/],
  [['--case', 'generated-100k-128', '--engines', 'edgevec'], /an engine of this case must be/],
  [['--repeats', '0'], /--repeats must be an integer from 1/],
])('%j is refused, before anything is measured', (args, message) => {
  const { status, stdout, stderr } = bench(...args);
  expect(status).toBe(1);
  expect(stderr).toMatch(message);
  expect(stdout).toBe('');
});
