import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { PUBLIC_SETS } from '../../datasets/download/catalogue.js';
import { requireFreshBuild } from '../bench/compiled.js';
import { type Mirror, startMirror } from '../datasets/download/mirror.js';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');
const NAME = 'openai_small_50k';
const FILES = ['train', 'test', 'neighbors'].map((file) => `${NAME}/${file}.parquet`);

let folder: string;
let mirror: Mirror;

beforeAll(requireFreshBuild);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'leandex-datasets-cli-'));
  mirror = await startMirror(Object.fromEntries(FILES.map((file) => [file, Buffer.from(file)])));
});

afterEach(async () => {
  await mirror.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Not with spawnSync: the mirror answers from this process. */
function datasets(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, LEANDEX_DATASETS: folder };
    execFile(process.execPath, [MAIN, 'datasets', ...args], { env }, (error, stdout, stderr) => {
      resolve({ status: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

test('lists all sets, and which are here, without a request', async () => {
  const before = await datasets('list');
  for (const { name } of PUBLIC_SETS) expect(before.stdout).toContain(`  ${name} `);
  expect(before.stdout).not.toContain('(here)');
  expect(mirror.requests).toEqual([]);
  await datasets('download', NAME, '--mirror', mirror.url);
  const after = await datasets('list', '--json');
  const here = JSON.parse(after.stdout).filter(({ isHere }: { isHere: boolean }) => isHere);
  expect(here.map(({ name }: { name: string }) => name)).toEqual([NAME]);
});

test('downloads a set from a mirror into $LEANDEX_DATASETS, and says where it is', async () => {
  const { status, stdout } = await datasets('download', NAME, '--mirror', mirror.url);
  expect(status).toBe(0);
  expect(stdout).toContain(`${NAME}: ${join(folder, NAME)}`);
  expect(readdirSync(join(folder, NAME)).sort()).toEqual([
    'neighbors.parquet',
    'test.parquet',
    'train.parquet',
  ]);
  expect(readFileSync(join(folder, NAME, 'test.parquet'), 'utf8')).toBe(FILES[1]);
});

test.each([
  [['nope'], /a data set must be one of .*received "nope"/],
  [[NAME, '--bytes-most', '3'], /expected at most 3/],
  [[NAME, '--bytes-most', 'x'], /--bytes-most.* must be an integer.*, received "x"/],
  [['scifact'], /expected the file, received status 404/],
])('%j fails and leaves no set behind', async (args, message) => {
  const { status, stderr } = await datasets('download', ...args, '--mirror', mirror.url);
  expect(status).not.toBe(0);
  expect(stderr).toMatch(message);
  expect(existsSync(join(folder, NAME))).toBe(false);
});

test('a mirror that is no address is wrong usage', async () => {
  const { status, stderr } = await datasets('download', NAME, '--mirror', 'no address');
  expect(status).toBe(2);
  expect(stderr).toMatch(/--mirror must be an address/);
  expect(readdirSync(folder)).toEqual([]);
});
