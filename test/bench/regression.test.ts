import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { regressions } from '../../bench/regression/compare.js';
import { measureWork, type Work } from '../../bench/regression/measure.js';

const ROOT = join(import.meta.dirname, '..', '..');
const BASELINE: Record<string, Work> = JSON.parse(
  readFileSync(join(ROOT, 'bench', 'regression', 'baseline.json'), 'utf8'),
);

test('work, bytes and recall are not worse than the baseline', { timeout: 120_000 }, async () => {
  const now = await measureWork();
  expect(regressions(BASELINE, now)).toEqual([]);
  // Counters that stand still would pass as well.
  for (const { distances, buildDistances } of Object.values(now)) {
    expect(distances[32]).toBeGreaterThan(32);
    expect(distances[128]).toBeGreaterThan(distances[32]!);
    expect(buildDistances).toBeGreaterThan(0);
  }
});

describe('a comparison', () => {
  const change = (factor: number, points: number): Record<string, Work> => {
    const { default: work } = BASELINE;
    const scaled = (numbers: Readonly<Record<number, number>>) =>
      Object.fromEntries(Object.entries(numbers).map(([ef, x]) => [ef, x * factor]));
    return {
      ...BASELINE,
      default: {
        ...work!,
        distances: scaled(work!.distances),
        savedBytes: work!.savedBytes * factor,
        filteredRecall: work!.filteredRecall + points,
      },
    };
  };

  test('passes what is equal, better, or within the tolerances', () => {
    expect(regressions(BASELINE, BASELINE)).toEqual([]);
    expect(regressions(BASELINE, change(0.5, 0.01))).toEqual([]);
    expect(regressions(BASELINE, change(1.02, -0.004))).toEqual([]);
  });

  test('names what grew and what fell', () => {
    const found = regressions(BASELINE, change(1.04, -0.006));
    expect(found).toHaveLength(4);
    expect(found.join('\n')).toMatch(/default: distances at ef 32 is .*, expected at most/);
    expect(found.join('\n')).toMatch(/default: savedBytes is/);
    expect(found.join('\n')).toMatch(/default: filteredRecall is .*, expected at least/);
  });

  test('misses nothing: cases that came or went, numbers that are none', () => {
    const { default: _, ...rest } = BASELINE;
    expect(regressions(BASELINE, rest)).toEqual(['default: no longer measured']);
    expect(regressions(rest, BASELINE)).toEqual(['default: not in the baseline']);
    const broken = { ...BASELINE, default: { ...BASELINE.default!, savedBytes: Number.NaN } };
    expect(regressions(BASELINE, broken)).toHaveLength(1);
  });
});
