import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runCase } from '../../bench/harness.js';
import { Journal } from '../../bench/journal.js';
import type { CaseResult } from '../../bench/result.js';
import { renderResult } from '../../bench/table.js';
import { requireFreshBuild } from './compiled.js';
import { TINY } from './tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'leandex-resume-test-'));

beforeAll(() => {
  requireFreshBuild();
  vi.stubEnv('TMPDIR', folder);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a case that is interrupted after so many measurements. */
async function interrupted(cacheFolder: string, measurements: number): Promise<void> {
  const onProgress = ({ done }: { done: number }) => {
    if (done === measurements) throw new Error('pulled the plug');
  };
  await expect(runCase(TINY, { cacheFolder, onProgress })).rejects.toThrow('pulled the plug');
}

function journals(cacheFolder: string): string[] {
  return readdirSync(cacheFolder).filter((name) => name.startsWith('unfinished-'));
}

function samplesOf({ contenders }: CaseResult) {
  return contenders.flatMap(({ points }) => points.flatMap(({ samples }) => samples));
}

describe('a run that was interrupted', () => {
  const cacheFolder = join(folder, 'cache');
  const lines: string[] = [];
  let result: CaseResult;
  let written: string;

  beforeAll(async () => {
    await interrupted(cacheFolder, 6);
    const [journal] = journals(cacheFolder);
    written = readFileSync(join(cacheFolder, journal!), 'utf8');
    // Killed in the middle of a line.
    appendFileSync(join(cacheFolder, journal!), '{"key":"leandex');
    result = await runCase(TINY, { cacheFolder, log: (line) => lines.push(line) });
  });

  test('keeps what it measured, and measures the rest', () => {
    // Two contenders, 3 + 2 beam widths, 2 repeats: the first 5 are repeat 1.
    expect(samplesOf(result).filter(({ resumed }) => resumed)).toHaveLength(6);
    expect(samplesOf(result)).toHaveLength(10);
    const [first, second] = result.contenders[0].points[0].samples;
    expect([first.resumed, second.resumed]).toEqual([true, true]);
    const { qps } = first;
    expect(written).toContain(`"qps":${qps}`);
    for (const { points } of result.contenders.slice(1)) {
      expect(points[0].samples.map(({ resumed }) => resumed)).toEqual([true, false]);
    }
  });

  test('is said in the result and in the log', () => {
    expect(Date.parse(result.resumedFrom!)).toBeLessThan(Date.parse(result.date));
    expect(result.contenders.map(({ resumed }) => resumed)).toEqual([
      { build: true, measurements: 4 },
      { build: true, measurements: 2 },
    ]);
    expect(renderResult(result)).toContain(
      `2 builds and 6 measurements are from the interrupted run of ${result.resumedFrom}`,
    );
    expect(lines).toContain(`tiny: going on with the run of ${result.resumedFrom}`);
  });

  test('leaves nothing for the next one', async () => {
    expect(journals(cacheFolder)).toEqual([]);
    const next = await runCase(TINY, { cacheFolder, repeats: 1 });
    expect(next.resumedFrom).toBeNull();
    expect(samplesOf(next).some(({ resumed }) => resumed)).toBe(false);
  });

  test('starts no process for a contender of which nothing is missing', async () => {
    const again = join(folder, 'complete');
    await interrupted(again, 10);
    const log: string[] = [];
    await runCase(TINY, { cacheFolder: again, log: (line) => log.push(line) });
    const engine = (name: string) => log.filter((line) => line.includes(`building ${name}`));
    expect(engine('hnswlib')).toEqual([]);
  });

  test('is not taken over without a cache, nor by another case', async () => {
    const other = join(folder, 'other');
    await interrupted(other, 2);
    expect((await runCase(TINY, { repeats: 1 })).resumedFrom).toBeNull();
    const longer = { ...TINY, measureMs: 11 };
    expect((await runCase(longer, { cacheFolder: other, repeats: 1 })).resumedFrom).toBeNull();
    expect(journals(other)).toHaveLength(1);
  });
});

test('a journal without a path remembers nothing', () => {
  const journal = new Journal();
  journal.write('key', 1);
  expect(journal.read('key')).toBeUndefined();
  expect(journal.resumed).toBe(0);
  journal.remove();
});
