import { describe, expect, test } from 'vitest';
import { generateSpectrum } from '../../datasets/generate.js';
import { Random } from '../../src/base/random.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import { recallAtK } from '../../src/eval/metrics.js';
import { LeanIndex, type LeanIndexOptions } from '../../src/index.js';
import { faultsOf, savedGraph, unreachableShare, upTo } from './support.js';

const D = 96;
const { corpus, queries } = generateSpectrum({
  count: 3000,
  queries: 100,
  dimensions: D,
  seed: 4,
  decay: 1,
  normalise: true,
});

const build = (options: Partial<LeanIndexOptions> = {}) =>
  LeanIndex.build(corpus, { dimensions: D, secondaryBits: 'none', primaryBits: 4, ...options });

/** Share of the 10 nearest that are among the first 30. */
async function recallIn30(index: LeanIndex, rows = corpus): Promise<number> {
  const distance = index.distance;
  const truth = exactNeighbours(rows, queries, D, 10, distance);
  const { ids } = await index.searchBatch(queries, 30);
  let found = 0;
  for (let q = 0; q < 100; q++) {
    const row = new Set(ids.subarray(q * 30, q * 30 + 30));
    for (const id of truth.ids.subarray(q * 10, q * 10 + 10)) if (row.has(id)) found++;
  }
  return found / 1000;
}

describe('an index of primary codes alone', () => {
  test.each(['cosine', 'dot', 'euclid'] as const)('finds candidates by %s', async (distance) => {
    const index = await build({ distance });
    expect(index.stats().bytesPerVector.secondary).toBe(0);
    expect(await recallIn30(index)).toBeGreaterThan(0.97);
    const graph = savedGraph(index);
    expect(faultsOf(graph)).toEqual([]);
    expect(unreachableShare(graph)).toBeLessThan(0.001);
    await index.close();
  });

  test.each([2, 7] as const)('with %s bits', async (primaryBits) => {
    const index = await build({ distance: 'dot', primaryBits });
    expect(await recallIn30(index)).toBeGreaterThan(primaryBits === 2 ? 0.85 : 0.98);
    await index.close();
  });

  test('reaches long vectors among short ones, by dot', async () => {
    const random = new Random(5);
    const stretched = corpus.slice();
    for (let i = 0; i < 3000; i++) {
      const length = 0.2 + random.uniform() ** 3;
      for (let j = 0; j < D; j++) stretched[i * D + j]! *= length;
    }
    const options = {
      dimensions: D,
      distance: 'dot',
      secondaryBits: 'none',
      primaryBits: 4,
    } as const;
    const index = await LeanIndex.build(stretched, options);
    expect(await recallIn30(index, stretched)).toBeGreaterThan(0.97);
    expect(unreachableShare(savedGraph(index))).toBeLessThan(0.001);
    await index.close();
  });

  test('takes records of half lines, and what is asked for of their dimensions', async () => {
    const index = await build({ distance: 'dot', primaryBits: 4, primaryDimensions: 56 });
    expect(index.stats()).toMatchObject({ primaryDimensions: 56, secondaryBits: 'none' });
    expect(index.stats().bytesPerVector.primary).toBe(32);
    expect((await build({ primaryDimensions: 90 })).stats().bytesPerVector.primary).toBe(64);
  });

  test('scores are near the true ones', async () => {
    const index = await build({ distance: 'euclid', primaryBits: 7 });
    const truth = exactNeighbours(corpus, queries, D, 1, 'Euclid');
    const { scores } = await index.searchBatch(queries, 1);
    scores.forEach((score, q) => {
      expect(Math.abs(score - truth.scores[q]!)).toBeLessThan(0.1);
    });
  });

  test('is the same for any number of threads, and after saving', async () => {
    const bytes = (await build({ seed: 3 })).toBytes();
    const alone = await LeanIndex.build(corpus, {
      dimensions: D,
      secondaryBits: 'none',
      primaryBits: 4,
      seed: 3,
      threads: 1,
    });
    expect(alone.toBytes()).toEqual(bytes);
    const same = LeanIndex.fromBytes(bytes);
    expect(same.toBytes()).toEqual(bytes);
    const query = queries.subarray(0, D);
    expect(same.search(query, 10)).toEqual(alone.search(query, 10));
  });

  test('never returns what is deleted, and finds what is added and updated', async () => {
    const index = await build({ distance: 'dot' });
    const gone = upTo(1500).filter((id) => id % 2 === 0);
    await index.delete(gone);
    const added = await index.add(corpus.slice(0, 200 * D));
    await index.update(1, corpus.slice(2 * D, 3 * D));
    await index.compact();
    expect(index.count).toBe(3000 - 750 + 200);
    for (let q = 0; q < 100; q++) {
      const { ids } = index.search(queries.subarray(q * D, (q + 1) * D), 20);
      expect(ids.length).toBe(20);
      for (const id of ids) expect(index.has(id)).toBe(true);
    }
    const allow = new Set([...added.subarray(0, 5), 1, 3]);
    const { ids } = index.search(queries.subarray(0, D), 10, { allow });
    expect(new Set(ids)).toEqual(allow);
    expect(index.search(corpus.slice(2 * D, 3 * D), 5).ids).toContain(1);
  });

  test('cannot be of float32', async () => {
    const wrong = build({ primaryBits: 32 });
    await expect(wrong).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('wide vectors', () => {
  test('are trained on the inner products of their rows', async () => {
    const dimensions = 4224;
    const wide = generateSpectrum({
      count: 700,
      queries: 40,
      dimensions,
      seed: 2,
      decay: 1.2,
      normalise: true,
    });
    const index = await LeanIndex.build(wide.corpus, {
      dimensions,
      distance: 'dot',
      exactBelow: 100,
    });
    expect(index.stats().mode).toBe('graph');
    const truth = exactNeighbours(wide.corpus, wide.queries, dimensions, 10, 'Dot');
    const { ids } = await index.searchBatch(wide.queries, 10);
    expect(recallAtK(ids, truth, 10)).toBeGreaterThan(0.9);
    await index.close();
  });
});
