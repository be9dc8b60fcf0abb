import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { contender, withEfs } from '../../bench/contenders.js';
import { leandex } from '../../bench/engines/leandex.js';
import { entryList } from '../../bench/entry.js';
import { runCase } from '../../bench/harness.js';
import * as packages from '../../bench/packages.js';
import { requireFreshBuild } from './compiled.js';
import { TINY } from './tiny.js';

vi.mock(import('../../bench/packages.js'), async (original) => {
  const real = await original();
  return { ...real, installedVersion: vi.fn(real.installedVersion) };
});

const folder = mkdtempSync(join(tmpdir(), 'leandex-skip-test-'));

beforeAll(() => {
  requireFreshBuild();
  vi.stubEnv('TMPDIR', folder);
});
afterEach(() => vi.mocked(packages.installedVersion).mockReset());
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const everybody = ['leandex', 'hnswlib-node', 'usearch'].map((engine) => ({
  ...{ engine, name: engine, settings: {}, search: {}, efs: [10] },
}));

function install(...names: string[]): void {
  vi.mocked(packages.installedVersion).mockImplementation((name) =>
    names.includes(name) ? '1.0.0' : undefined,
  );
}

describe('who takes part', () => {
  test('an engine that is not installed is skipped, and the command said', () => {
    install('hnswlib-node');
    const { contenders, skipped } = entryList(everybody);
    expect(contenders.map(({ name }) => name)).toEqual(['leandex', 'hnswlib-node']);
    expect(skipped).toEqual([
      {
        ...{ engine: 'usearch', name: 'usearch', settings: {}, search: {} },
        reason: 'not installed: npm install --prefix bench/opponents',
      },
    ]);
  });

  test('one that was chosen and is not installed is an error', () => {
    install('hnswlib-node');
    expect(() => entryList(everybody, ['usearch'])).toThrow(
      expect.objectContaining({
        code: 'NOT_FOUND',
        message: 'usearch is not installed: npm install --prefix bench/opponents',
      }),
    );
  });

  test('only those that were chosen', () => {
    install('hnswlib-node', 'usearch');
    const { contenders, skipped } = entryList(everybody, ['usearch', 'leandex']);
    expect(contenders.map(({ name }) => name)).toEqual(['leandex', 'usearch']);
    expect(skipped).toEqual([]);
  });

  test('no engine that there is not, or that the case lacks', () => {
    install('hnswlib-node', 'usearch');
    expect(() => entryList(everybody, ['faiss'])).toThrow(
      /an engine must be one of leandex.*faiss/,
    );
    expect(() => entryList(everybody, ['zvec'])).toThrow(/an engine of this case .*zvec/);
  });
});

describe('settings that an engine refuses', () => {
  const refused = withEfs([contender(leandex, 'one link', { m: 1 })], [10]);
  const unknown = withEfs([contender(leandex, 'later', { notYet: true })], [10]);

  test('skip the contender with the reason, not the run', async () => {
    const lines: string[] = [];
    const mixed = { ...TINY, contenders: [...refused, TINY.contenders[0], ...unknown] };
    const result = await runCase(mixed, { repeats: 1, log: (line) => lines.push(line) });
    expect(result.contenders.map(({ name }) => name)).toEqual(['leandex']);
    expect(result.skipped).toEqual([
      expect.objectContaining({ name: 'one link', settings: { m: 1 } }),
      expect.objectContaining({ name: 'later', settings: { notYet: true } }),
    ]);
    expect(result.skipped[0].reason).toMatch(/^m must be an integer/);
    expect(result.skipped[1].reason).toContain('"notYet"');
    expect(lines).toContain(`tiny: one link skipped, ${result.skipped[0].reason}`);
  });

  test('are an error where nobody is left', async () => {
    await expect(runCase({ ...TINY, contenders: refused })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(/^nobody can take part in tiny: one link: m must be/),
    });
  });
});
