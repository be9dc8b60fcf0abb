import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  type Contender,
  edgevecWith,
  hnswlibWith,
  usearchWith,
  withEfs,
  zvecWith,
} from '../../bench/contenders.js';
import { engineAbsence, engineNamed } from '../../bench/engines/registry.js';
import { runCase } from '../../bench/harness.js';
import { requireFreshBuild } from './compiled.js';
import { TINY } from './tiny.js';

const folder = mkdtempSync(join(tmpdir(), 'leandex-engines-test-'));

beforeAll(() => {
  requireFreshBuild();
  vi.stubEnv('TMPDIR', folder);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const contenders = withEfs(
  [
    hnswlibWith(16),
    usearchWith('f32', 16),
    usearchWith('f16', 16),
    usearchWith('i8', 16),
    zvecWith('float32', 16),
    zvecWith('int8', 16, { refine: true }),
    edgevecWith(16),
  ],
  [10, 100],
);

/** An opponent that is not installed is no failure; its test says what it lacks. */
const cases = contenders.map((each) => {
  const absence = engineAbsence(engineNamed(each.engine));
  return { each, absence, title: absence === undefined ? each.name : `${each.name} (${absence})` };
});

async function run(each: Contender, options = {}) {
  const small = { ...TINY, contenders: [each], repeats: 1 };
  return (await runCase(small, options)).contenders[0];
}

describe.each(cases)('$title', ({ each, absence }) => {
  test.skipIf(absence !== undefined)('finds the neighbours', { timeout: 60_000 }, async () => {
    const cacheFolder = join(folder, each.name.replaceAll(' ', '-'));
    const result = await run(each, { cacheFolder });
    const [narrow, wide] = result.points;
    // Eight bits blur neighbours that are as close as those of this set.
    expect(wide.recall).toBeGreaterThan(each.name.includes('i8') ? 0.8 : 0.97);
    expect(narrow.recall).toBeLessThanOrEqual(wide.recall);
    const { total, ...parts } = result.bytesPerVector;
    expect(Object.values(parts).reduce((sum, part) => sum + part)).toBeCloseTo(total, 6);
    expect(total).toBeGreaterThan(32);
    expect(result.buildSeconds).toBeGreaterThan(0);
    // Where it saves its index, the next run has it without building, and finds the same.
    const again = await run(each, { cacheFolder });
    expect(again.cached).toBe(result.indexBytes !== undefined);
    if (again.cached) {
      expect(again.points.map(({ recall }) => recall)).toEqual(
        result.points.map(({ recall }) => recall),
      );
    }
  });
});
