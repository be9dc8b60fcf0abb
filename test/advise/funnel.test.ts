import { describe, expect, test } from 'vitest';
import { generateClusters } from '../../datasets/generate.js';
import { labelGains } from '../../src/eval/labels.js';
import { lossFunnel } from '../../src/index.js';

const { corpus, queries, labels, queryLabels, dimensions } = generateClusters({
  ...{ count: 3000, queries: 100, dimensions: 48, seed: 7, clusters: 60, spread: 1.1 },
});
const gainOf = labelGains(labels, queryLabels);

describe('lossFunnel', () => {
  test('gives the stages in order, whose losses add up', async () => {
    const stages = await lossFunnel(corpus, queries, { dimensions, distance: 'Euclid', gainOf });
    expect(stages.map(({ stage }) => stage)).toEqual([
      ...['embedding', 'metric', 'index', 'compression'],
    ]);
    const last = stages.at(-1)!.scores;
    for (const measure of ['labelRecall', 'hit', 'matching'] as const) {
      const lost = stages.reduce((sum, stage) => sum + stage.lost[measure], 0);
      expect(lost).toBeCloseTo(1 - last[measure], 10);
    }
    // The classes overlap, which no index can mend.
    expect(stages[0].lost.labelRecall).toBeGreaterThan(0.02);
    expect(stages[0].lost.labelRecall).toBeLessThan(0.9);
    expect(stages[1].recall).toBe(1);
    expect(stages[2].recall).toBeGreaterThan(0.98);
    expect(stages[3].recall).toBeGreaterThan(0.95);
  });

  test('a narrow beam loses in the index, poor codes in the compression', async () => {
    const options = { dimensions, distance: 'Euclid', gainOf } as const;
    const wide = await lossFunnel(corpus, queries, { ...options, ef: 200 });
    const narrow = await lossFunnel(corpus, queries, { ...options, ef: 10, settings: { m: 4 } });
    expect(narrow[2].recall).toBeLessThan(wide[2].recall);
    const settings = { primaryDimensions: 4, secondaryBits: 'none' } as const;
    const poor = await lossFunnel(corpus, queries, { ...options, ef: 200, settings });
    expect(poor[2].recall).toBeCloseTo(wide[2].recall, 1);
    expect(poor[3].recall).toBeLessThan(0.7);
    expect(poor[3].lost.labelRecall).toBeGreaterThan(wide[3].lost.labelRecall + 0.05);
  });

  test('shows the wrong metric: perfect recall of the wrong classes', async () => {
    // Class 0 is short and along the queries, class 1 long and off them.
    const rows = Float32Array.from({ length: 4 * 400 }, (_, i) => {
      const row = Math.floor(i / 4);
      const [x, y] = row % 2 === 0 ? [1, row / 4000] : [3, 3 + row / 4000];
      return [x, y, 0, 0][i % 4];
    });
    const classes = Uint32Array.from({ length: 400 }, (_, row) => row % 2);
    const stages = await lossFunnel(rows, Float32Array.of(1, 0, 0, 0), {
      ...{ dimensions: 4, distance: 'Dot', gainOf: labelGains(classes, [0]) },
      settings: { primaryBits: 32, secondaryBits: 32 },
    });
    expect(stages[0].scores.labelRecall).toBe(1);
    expect(stages[1]).toMatchObject({ recall: 1, lost: { labelRecall: 1, hit: 1, matching: 1 } });
    expect(stages[0].recall).toBeNaN();
  });

  test('refuses what is wrong', async () => {
    const wrong = (options: object) =>
      lossFunnel(corpus, queries, { dimensions, gainOf, ...options });
    await expect(wrong({ gainOf: 3 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(wrong({ k: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(wrong({ beam: 3 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(wrong({ dimensions: 47 })).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' });
    await expect(wrong({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
