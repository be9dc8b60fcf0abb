import { beforeAll, describe, expect, test } from 'vitest';
import { DISTANCES } from '../../src/base/distance.js';
import { floatSection, readContainer } from '../../src/format/container.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import type { LeanIndexOptions } from '../../src/graph/options.js';
import { gaussianRows } from './oracle.js';

const D = 70;
const TARGET = 12;
const rows = gaussianRows(3000, D, 1).map((x, i) => x + (i % D === 3 ? 0.4 : 0));
const options = { dimensions: D, primaryDimensions: TARGET, efConstruction: 20, m: 4 };

/** The same in float64, from the mean and the map that are saved. */
function missedOf(index: LeanIndex, vectors: Float32Array): number {
  const { sections } = readContainer(index.toBytes(), 'index');
  const mean = floatSection(sections, 'mean', D, 'index');
  const map = floatSection(sections, 'projection', TARGET * D, 'index');
  let sum = 0;
  for (let from = 0; from < vectors.length; from += D) {
    const row = Float64Array.from(vectors.subarray(from, from + D));
    const length = index.distance === 'Cosine' ? Math.hypot(...row) : 1;
    const centred = row.map((x, j) => x / length - mean[j]!);
    let kept = 0;
    for (let r = 0; r < TARGET; r++) {
      kept += centred.reduce((dot, x, j) => dot + x * map[r * D + j]!, 0) ** 2;
    }
    sum += 1 - kept / centred.reduce((all, x) => all + x * x, 0);
  }
  return sum / (vectors.length / D);
}

describe.each(DISTANCES)('the energy missed, %s', (distance) => {
  const sample = gaussianRows(300, D, 2).map((x, i) => x + (i % D === 3 ? 0.4 : 0));
  let index: LeanIndex;
  beforeAll(async () => {
    index = await LeanIndex.build(rows, { ...options, distance });
  });

  test('is that of the saved model, in float64', () => {
    for (const vectors of [sample, sample.subarray(0, D), gaussianRows(70, D, 5, 0)]) {
      expect(index.energyMissed(vectors)).toBeCloseTo(missedOf(index, vectors), 3);
    }
  });

  test('is what the statistics say of data like those trained on, and more of others', () => {
    const usual = 1 - index.stats().energyKept;
    expect(Math.abs(index.energyMissed(sample)! - usual)).toBeLessThan(0.05);
    expect(index.energyMissed(gaussianRows(300, D, 5, 0))!).toBeGreaterThan(usual + 0.15);
    const far = sample.map((x, i) => x + (i % D === 60 ? 3 : 0));
    expect(index.energyMissed(far)!).toBeGreaterThan(usual + 0.2);
  });

  test('does not depend on how many rows are asked for at once, and changes none', () => {
    const before = sample.slice();
    const each = Array.from(
      { length: 300 },
      (_, r) => index.energyMissed(sample.subarray(r * D, (r + 1) * D))!,
    );
    const mean = each.reduce((sum, share) => sum + share) / 300;
    expect(index.energyMissed(sample)).toBeCloseTo(mean, 10);
    expect(sample).toEqual(before);
  });
});

describe('energyMissed()', () => {
  const graph = (more: Partial<LeanIndexOptions>) => LeanIndex.build(rows, { ...options, ...more });

  test('is undefined for an exact index, 0 where nothing is projected', async () => {
    const exact = await LeanIndex.build(rows.subarray(0, 50 * D), options);
    expect(exact.energyMissed(rows)).toBeUndefined();
    const plain = await graph({ primaryBits: 32, primaryDimensions: D });
    expect(plain.energyMissed(rows)).toBe(0);
  });

  test('takes the maps of data and queries together where there are two', async () => {
    const queries = gaussianRows(1000, D, 7);
    const index = await LeanIndex.build(rows, { ...options, distance: 'Dot', queries });
    const missed = index.energyMissed(gaussianRows(300, D, 2))!;
    expect(Math.abs(missed - (1 - index.stats().energyKept))).toBeLessThan(0.1);
    expect(index.energyMissed(gaussianRows(300, D, 5, 0))!).toBeGreaterThan(missed + 0.15);
  });

  test('refuses what is not rows, none, NaN and a closed index', async () => {
    const index = await graph({});
    const misuse = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    expect(() => index.energyMissed([1] as never)).toThrow(misuse);
    expect(() => index.energyMissed(new Float32Array(0))).toThrow(misuse);
    expect(() => index.energyMissed(new Float32Array(D).fill(Number.NaN))).toThrow(misuse);
    expect(() => index.energyMissed(new Float32Array(D))).toThrow(/direction/);
    expect(() => index.energyMissed(new Float32Array(D + 1))).toThrow(
      expect.objectContaining({ code: 'DIMENSION_MISMATCH' }),
    );
    await index.close();
    expect(() => index.energyMissed(rows)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});
