import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { requireFreshBuild } from '../bench/compiled.js';

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'src', 'cli', 'main.js');
const run = (...args: string[]) => promisify(execFile)(process.execPath, [MAIN, ...args]);

beforeAll(requireFreshBuild);

describe('leandex quickstart', () => {
  test('--json prints one object; recall and nDCG are close to exact search', async () => {
    const { stdout } = await run('quickstart', '--json');
    const result = JSON.parse(stdout);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(result.recallAt10).toBeGreaterThanOrEqual(0.95);
    expect(result.recallAt10).toBeLessThanOrEqual(1);
    expect(result.ndcgAt10.exact).toBeCloseTo(0.4019, 3);
    expect(Math.abs(result.ndcgAt10.exact - result.ndcgAt10.leandex)).toBeLessThanOrEqual(0.005);
    expect(result.queriesPerSecond.leandex).toBeGreaterThan(0);
    expect(result.queriesPerSecond.exact).toBeGreaterThan(0);
    expect(result.bytesPerVector.float32).toBe(1536);
    expect(result.bytesPerVector.leandex).toBeLessThan(768);
    expect(result.buildSeconds).toBeGreaterThan(0);
  });

  test('prints a table and answers to the demo questions, and keeps a collection', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'leandex-quickstart-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { stdout } = await run('quickstart', '--keep', folder);
    const next = stdout.match(/^ {2}leandex (?:inspect|query) .*$/gm)!;
    expect(next).toHaveLength(3);
    expect(stdout).toContain(`leandex serve ${folder}`);
    const words = await run('query', folder, 'wordnet', '--text', 'raw fish', '--payload', 'title');
    expect(words.stdout).toMatch(/sushi/);
    const [info] = (await run('inspect', folder, '--json')).stdout.trim().split('\n');
    expect(JSON.parse(info!)).toMatchObject({ name: 'wordnet', count: 12_000, status: 'ready' });
    expect(stdout).toMatch(/\| exact float32 \|/);
    expect(stdout).toMatch(/\| leandex \s*\|/);
    expect(stdout).toMatch(/fear of open or public places\n {2}agoraphobia/);
  });
});

describe('leandex', () => {
  test('knows its version and its commands', async () => {
    expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const { stdout } = await run('--help');
    expect(stdout).toContain('quickstart');
    expect(stdout).toContain('bench');
  });

  test.each([
    [['quickstart', '--colour'], /unknown option '--colour'/],
    [['fly'], /unknown command 'fly'/],
    [['bench', '--case', 'nonsense'], /--case must be quick or .*received "nonsense"/],
    [['bench', '--repeats', 'x'], /--repeats.* must be an integer.*, received "x"/],
  ])('%j fails with a message and no stack', async (args, message) => {
    const failed = await run(...args).catch((error) => error);
    expect(failed.code).toBe(2);
    expect(failed.stderr).toMatch(message);
    expect(failed.stderr).not.toMatch(/\n\s+at /);
  });
});
