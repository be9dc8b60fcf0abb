import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { DataSource } from '../../../bench/cases.js';
import { CONTENDERS } from '../../../bench/contenders.js';
import { engineAbsence, engineNamed } from '../../../bench/engines/registry.js';
import { describeMachine } from '../../../bench/machine.js';
import { runChurn } from '../../../bench/suite/churn.js';
import { runFiltered } from '../../../bench/suite/filtered.js';
import { requireFreshBuild } from '../compiled.js';

const folder = mkdtempSync(join(tmpdir(), 'leandex-opponents-test-'));
beforeAll(() => {
  requireFreshBuild();
  vi.stubEnv('TMPDIR', folder);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const DATA: DataSource = {
  ...{ kind: 'generated', generator: 'manifold', count: 2600, dimensions: 24 },
  ...{ seed: 7, intrinsic: 6 },
};

function casesOf(names: readonly string[]) {
  return names.map((name) => {
    const { engine } = CONTENDERS.find((each) => each.name === name)!;
    const absence = engineAbsence(engineNamed(engine));
    return { name, absence, title: absence === undefined ? name : `${name} (${absence})` };
  });
}

const on = (name: string) => ({
  ...{ name, data: DATA, contenders: [name], queries: 40, repeats: 1, measureMs: 1 },
  ...{ ef: 100, seed: 1 },
});
const options = { machine: describeMachine() };

describe.each(casesOf(['leandex', 'hnswlib M16', 'zvec float32 M16', 'zvec int8 M16']))('$title', ({
  name,
  absence,
}) => {
  test.skipIf(absence !== undefined)(
    'finds the nearest of those that a filter allows, and nothing else',
    { timeout: 60_000 },
    async () => {
      const task = { kind: 'filtered', ...on(name), shares: [0.5, 0.01] } as const;
      const { contenders, skipped } = await runFiltered(task, options);
      expect(skipped).toEqual([]);
      expect(contenders[0]!.points).toHaveLength(4);
      for (const { complete, recall } of contenders[0]!.points) {
        expect(complete).toBe(1);
        // Eight bits blur neighbours that are as close as those of this set.
        expect(recall).toBeGreaterThan(0.85);
      }
    },
  );
});

describe.each(
  casesOf([
    'leandex',
    'hnswlib M16',
    'usearch f16 M16',
    'zvec float32 M16',
    'zvec int8 unrotated M16',
  ]),
)('$title', ({ name, absence }) => {
  test.skipIf(absence !== undefined)(
    'finds what was added and replaced, and nothing deleted',
    { timeout: 60_000 },
    async () => {
      const task = { kind: 'churn', ...on(name), rounds: 2, share: 0.2 } as const;
      const { contenders, skipped } = await runChurn(task, options);
      expect(skipped).toEqual([]);
      const { points } = contenders[0]!;
      expect(points.map(({ round }) => round)).toEqual([0, 1, 2]);
      for (const { recall, ghosts } of points) {
        expect(ghosts).toBe(0);
        expect(recall).toBeGreaterThan(0.85);
      }
    },
  );
});

test.skipIf(engineAbsence(engineNamed('usearch')) !== undefined)(
  'an engine that cannot filter is skipped, with the reason',
  { timeout: 60_000 },
  async () => {
    const task = { kind: 'filtered', ...on('usearch f16 M16'), shares: [0.5] } as const;
    const { contenders, skipped } = await runFiltered(task, options);
    expect(contenders).toEqual([]);
    expect(skipped[0]!.reason).toMatch(/cannot filter/);
  },
);
