import { describe, expect, test } from 'vitest';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { levelOf } from '../../src/graph/levels.js';
import { gaussianRows, nearestIds, recallOf, rowOf } from './oracle.js';
import { faultsOf, savedGraph, unreachableShare } from './support.js';

const D = 16;
const rows = gaussianRows(3000, D, 1);

describe('abort', () => {
  test('before the start rejects with ABORTED and the reason as cause', async () => {
    const signal = AbortSignal.abort('no longer wanted');
    await expect(LeanIndex.build(rows, { dimensions: D, signal })).rejects.toMatchObject({
      code: 'ABORTED',
      cause: 'no longer wanted',
    });
  });

  const contentOf = (index: LeanIndex) => {
    const found = rows.length / D;
    return Array.from({ length: 20 }, (_, q) => index.search(rowOf(rows, D, q), found));
  };

  test.each([
    1, 2,
  ])('in the middle of an add by %i threads leaves the content as it was', async (threads) => {
    const index = await LeanIndex.build(rows, { dimensions: D });
    const before = contentOf(index);
    const controller = new AbortController();
    let calls = 0;
    const adding = index.add(gaussianRows(3000, D, 9), {
      threads,
      signal: controller.signal,
      onProgress: () => {
        if (++calls === 3) controller.abort();
      },
    });
    await expect(adding).rejects.toMatchObject({ code: 'ABORTED' });
    expect(index.count).toBe(3000);
    expect(contentOf(index)).toEqual(before);
    await index.add(gaussianRows(3000, D, 9));
    expect(index.count).toBe(6000);
    await index.close();
  });

  test('by an error of onProgress, even at its end, does the same', async () => {
    for (const least of [1, 500]) {
      const index = await LeanIndex.build(rows, { dimensions: D });
      const before = contentOf(index);
      const onProgress = ({ done }: { done: number }) => {
        if (done >= least) throw new Error('from the callback');
      };
      const adding = index.add(gaussianRows(500, D, 9), { onProgress });
      await expect(adding).rejects.toThrow('from the callback');
      expect(index.count).toBe(3000);
      expect(contentOf(index)).toEqual(before);
      expect(LeanIndex.fromBytes(index.toBytes()).count).toBe(3000);
    }
  });

  test.each([1, 2])('progress of %i threads rises often, to its total', async (threads) => {
    const seen: number[] = [];
    const index = await LeanIndex.build(rows, {
      dimensions: D,
      threads,
      onProgress: ({ phase, done, total }) => {
        expect(['train', 'build']).toContain(phase);
        expect(done).toBeLessThanOrEqual(total);
        if (phase === 'build') seen.push(done);
      },
    });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(3000);
    expect(seen.length).toBeGreaterThan(6);
    await index.close();
  });
});

describe('an add that is aborted', () => {
  const D = 24;

  test.each([
    1, 2,
  ])('leaves slots that serve the next one as new ones would, %i threads', async (threads) => {
    const rows = gaussianRows(3000, D, 1);
    const options = { dimensions: D, distance: 'Euclid' as const, efConstruction: 60, m: 8 };
    const index = await LeanIndex.train(rows, options);
    for (let attempt = 0; attempt < 3; attempt++) {
      const controller = new AbortController();
      const { signal } = controller;
      const onProgress = ({ phase }: { phase: string }) => {
        if (phase === 'build') controller.abort();
      };
      const adding = index.add(rows, { threads, signal, onProgress });
      await expect(adding).rejects.toMatchObject({ code: 'ABORTED' });
      expect(index.count).toBe(0);
      expect(index.search(rowOf(rows, D, 0), 5).ids).toHaveLength(0);
      expect(LeanIndex.fromBytes(index.toBytes()).count).toBe(0);
    }
    const ids = await index.add(rows, { threads });
    expect([ids[0], index.count]).toEqual([9000, 3000]);
    const graph = savedGraph(index);
    expect(graph.used).toBe(3000);
    expect(faultsOf(graph)).toEqual([]);
    expect(unreachableShare(graph)).toBeLessThan(0.001);
    for (let slot = 0; slot < 3000; slot++) {
      expect(graph.levelOf(slot)).toBe(levelOf(1, slot, 8));
    }
    const found = await index.searchBatch(gaussianRows(50, D, 2), 10);
    const truth = nearestIds({ ids: [...ids], rows }, gaussianRows(50, D, 2), D, 10, 'Euclid');
    expect(recallOf(found.ids, truth)).toBeGreaterThan(0.97);
    const fresh = await LeanIndex.train(rows, options);
    await fresh.add(rows);
    const graphBytes = (of: LeanIndex) => of.stats().bytesPerVector.graph;
    expect(graphBytes(index)).toBeCloseTo(graphBytes(fresh), 6);
    await Promise.all([index.close(), fresh.close()]);
  });
});
