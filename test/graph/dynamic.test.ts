import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { gaussianRows, rowOf } from './oracle.js';
import { Pair } from './pair.js';
import { savedGraph, stateOf, unreachableShare, upTo } from './support.js';

const D = 24;
const turn = () => new Promise((resolve) => setImmediate(resolve));

const modes = [
  ['an exact index', 10_000],
  ['a graph', 0],
] as const;

describe.each(modes)('in %s', (_, exactBelow) => {
  const options = { dimensions: D, exactBelow, distance: 'Euclid' as const, efConstruction: 60 };
  const rows = gaussianRows(1500, D, 1);
  const queries = gaussianRows(50, D, 2);

  test('ids never change and never come again', async () => {
    const { index } = await Pair.build(rows, options);
    expect(await index.delete([1499, 3, 3, 700])).toBe(3);
    expect(await index.delete([3])).toBe(0);
    expect([index.has(3), index.has(4), index.count]).toEqual([false, true, 1497]);
    expect([...(await index.add(rowOf(rows, D, 3)))]).toEqual([1500]);
    await index.delete([1500]);
    await index.compact();
    expect([...(await index.add(rows.subarray(0, 2 * D)))]).toEqual([1501, 1502]);
    const restored = LeanIndex.fromBytes(index.toBytes());
    await restored.delete([1501, 1502]);
    expect([...(await restored.add(rowOf(rows, D, 3)))]).toEqual([1503]);
    expect(restored.search(rowOf(rows, D, 3), 1).ids[0]).toBe(1503);
    for (const id of [0, 4, 699, 1498]) {
      expect(restored.search(rowOf(rows, D, id), 3).ids).toContain(id);
    }
  });

  test('what is updated is found by every search for all, also in other threads', async () => {
    const { index } = await Pair.build(rows.subarray(0, 80 * D), options);
    for (let round = 0; round < 100; round++) {
      const started = [
        index.searchAsync(rowOf(queries, D, 1), 80),
        index.searchAsync(rowOf(queries, D, 2), 9, { allow: [7, 8] }),
      ];
      const updating = index.update(7, rowOf(rows, D, 100 + round));
      for (const { ids } of await Promise.all(started)) expect(ids).toContain(7);
      await updating;
    }
    await index.close();
  });

  test('what is deleted is never returned from that moment on', async () => {
    const { index } = await Pair.build(rows, options);
    const random = new Random(3);
    const alive = new Set(upTo(1500));
    while (alive.size > 20) {
      const query = rowOf(queries, D, random.below(50));
      const started = index.searchAsync(query, 30);
      const { ids } = index.search(query, 30);
      const deleting = index.delete(ids);
      for (const id of ids) alive.delete(id);
      const now = index.search(query, 10).ids;
      expect(now).toHaveLength(Math.min(10, alive.size));
      for (const id of now) expect(alive.has(id)).toBe(true);
      const later = (await started).ids;
      expect(later).toHaveLength(Math.min(30, alive.size));
      for (const id of later) expect(alive.has(id)).toBe(true);
      expect(await deleting).toBe(ids.length);
    }
    expect(index.count).toBe(alive.size);
    await index.close();
  });

  test('a delete that is aborted before it begins deletes nothing', async () => {
    const { index } = await Pair.build(rows, options);
    const deleting = index.delete(upTo(400), { signal: AbortSignal.abort() });
    await expect(deleting).rejects.toMatchObject({ code: 'ABORTED' });
    expect(index.count).toBe(1500);
  });

  test('an update keeps the id, and the old vector is gone', async () => {
    const pair = await Pair.build(rows, options);
    const { index } = pair;
    const other = gaussianRows(200, D, 9).map((x) => x + 8);
    for (let id = 0; id < 200; id++) await pair.update(id, rowOf(other, D, id));
    expect(index.count).toBe(1500);
    for (let id = 0; id < 200; id += 7) {
      const { ids, scores } = index.search(rowOf(other, D, id), 5);
      expect(ids[0]).toBe(id);
      expect(scores[0]).toBeLessThan(0.5);
      expect(index.search(rowOf(rows, D, id), 10).ids).not.toContain(id);
    }
    expect(await pair.recall(queries)).toBeGreaterThan(0.97);
    await expect(index.update(5000, rowOf(rows, D, 0))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'no vector has the id 5000',
    });
    await index.delete([7]);
    await expect(index.update(7, rowOf(rows, D, 0))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('half of all deleted leaves min(k, live) results and full recall', async () => {
    const pair = await Pair.build(rows, options);
    const odd = upTo(1500).filter((id) => id % 2 === 1);
    expect(await pair.delete(odd)).toBe(750);
    expect(pair.index.search(rowOf(queries, D, 0), 1500).ids).toHaveLength(750);
    expect(await pair.recall(queries)).toBeGreaterThan(0.97);
    await pair.index.compact();
    expect(pair.index.stats()).toMatchObject({ count: 750, deleted: 0 });
    expect(await pair.recall(queries)).toBeGreaterThan(0.97);
    const restored = LeanIndex.fromBytes(pair.index.toBytes());
    expect(await restored.searchBatch(queries, 10)).toEqual(
      await pair.index.searchBatch(queries, 10),
    );
  });

  test('everything can be deleted, and others added', async () => {
    for (const count of [40, 1500]) {
      const pair = await Pair.build(rows.subarray(0, count * D), options);
      await pair.delete(upTo(count));
      expect(pair.index.count).toBe(0);
      expect(pair.index.search(rowOf(queries, D, 0), 5).ids).toHaveLength(0);
      expect(await pair.index.searchBatch(queries, 5)).toMatchObject({ k: 0 });
      const restored = LeanIndex.fromBytes(pair.index.toBytes());
      expect([...(await restored.add(rowOf(rows, D, 0)))]).toEqual([count]);
      for (const seed of [5, 6]) await pair.add(gaussianRows(1000, D, seed));
      await pair.index.compact();
      expect(await pair.recall(queries)).toBeGreaterThan(0.97);
      if (exactBelow === 0) {
        expect(unreachableShare(savedGraph(pair.index))).toBeLessThan(0.002);
      }
    }
  });

  test('slots are used again: memory does not grow with turnover', async () => {
    const pair = await Pair.build(rows, options);
    const random = new Random(4);
    const memory = () => stateOf(pair.index).shards[0]!.nodes.kernels.usedBytes;
    const turnOver = async (seed: number) => {
      const ids = [...pair.mirror.rows.keys()];
      const order = Array.from(random.permutation(ids.length), (i) => ids[i]!);
      for (let from = 0; from < 1500; from += 300) {
        await pair.delete(order.slice(from, from + 300));
        await pair.add(gaussianRows(300, D, seed + from));
      }
    };
    await turnOver(10);
    const before = memory();
    await turnOver(20);
    await turnOver(30);
    expect(memory()).toBeLessThanOrEqual(before * 1.02);
    expect(stateOf(pair.index).shards[0]!.nodes.used).toBeLessThan(1500 * 1.3);
  });

  test('compact() gives memory back and keeps ids and results', async () => {
    const pair = await Pair.build(gaussianRows(6000, D, 1), { ...options, m: 8 });
    const { index } = pair;
    await pair.delete(upTo(6000).filter((id) => id % 6 !== 0));
    const memory = () => stateOf(index).shards[0]!.nodes.kernels.usedBytes;
    const before = memory();
    await index.compact();
    expect(memory()).toBeLessThan(before / 2);
    expect(stateOf(index).shards[0]!.nodes.used).toBe(1000);
    expect(index.has(6)).toBe(true);
    expect(await pair.recall(queries)).toBeGreaterThan(0.97);
    const found = await index.searchBatch(queries, 10);
    await index.compact();
    expect(await index.searchBatch(queries, 10)).toEqual(found);
    await pair.add(gaussianRows(500, D, 7));
    expect(await pair.recall(queries)).toBeGreaterThan(0.97);
    await index.close();
  });

  test('bytes with deleted and free slots give the same index back', async () => {
    const pair = await Pair.build(rows, options);
    await pair.delete(upTo(400));
    await pair.delete([500, 501, 502]);
    const { index } = pair;
    const bytes = index.toBytes();
    const restored = LeanIndex.fromBytes(bytes);
    expect(Buffer.compare(restored.toBytes(), bytes)).toBe(0);
    expect(restored.count).toBe(1097);
    expect(await restored.searchBatch(queries, 10)).toEqual(await index.searchBatch(queries, 10));
    expect([...(await restored.add(rowOf(rows, D, 0)))]).toEqual([1500]);
    expect(restored.search(rowOf(rows, D, 0), 1).ids[0]).toBe(1500);
    await restored.update(1200, rowOf(rows, D, 3));
    expect(restored.search(rowOf(rows, D, 3), 1).ids[0]).toBe(1200);
  });

  test('an id deleted while its vector is being added stays deleted', async () => {
    const { index } = await Pair.build(rows, options);
    let deleted = 0;
    const onProgress = () => {
      for (const id of [1500, 1600, 2399]) {
        if (!index.has(id)) continue;
        deleted++;
        void index.delete([id]);
      }
    };
    const adding = index.add(gaussianRows(900, D, 5), { threads: 1, onProgress });
    if (exactBelow > 0) {
      // Rows are stored without progress: wait for the first of them, on a slow day for turns too.
      for (let i = 0; !index.has(2399); i++) await (i < 1000 ? Promise.resolve() : turn());
      onProgress();
    }
    expect([...(await adding)]).toEqual(upTo(2400, 1500));
    expect(deleted).toBe(3);
    expect(index.count).toBe(2397);
    const { ids } = index.search(rowOf(queries, D, 0), 3000);
    expect(ids).toHaveLength(2397);
    expect([1500, 1600, 2399].some((id) => ids.includes(id))).toBe(false);
    await index.compact();
    expect(LeanIndex.fromBytes(index.toBytes()).count).toBe(2397);
  });

  test.skipIf(exactBelow > 0)(
    'an id deleted while its vector is being added is forgotten when that fails',
    async () => {
      const { index } = await Pair.build(rows, options);
      const controller = new AbortController();
      const { signal } = controller;
      const onProgress = () => {
        void index.delete([1500, 1501]);
        controller.abort();
      };
      const adding = index.add(gaussianRows(1200, D, 5), { threads: 1, signal, onProgress });
      await expect(adding).rejects.toMatchObject({ code: 'ABORTED' });
      expect(index.count).toBe(1500);
      expect(index.search(rowOf(queries, D, 0), 3000).ids).toHaveLength(1500);
      expect(LeanIndex.fromBytes(index.toBytes()).count).toBe(1500);
    },
  );

  test('an id deleted while it is being updated stays deleted', async () => {
    const { index } = await Pair.build(rows, options);
    const updating = index.update(8, rowOf(rows, D, 9));
    expect(await index.delete([8])).toBe(1);
    await expect(updating).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(index.count).toBe(1499);
    expect(index.search(rowOf(rows, D, 8), 2000).ids).toHaveLength(1499);
  });

  test('ids deleted while compact() runs stay deleted', async () => {
    const { index } = await Pair.build(rows, options);
    await index.delete(upTo(300));
    const compacting = index.compact({ threads: 1 });
    for (let id = 300; id < 340; id += 4) {
      await turn();
      await index.delete([id]);
    }
    await compacting;
    expect(index.count).toBe(1190);
    const { ids } = index.search(rowOf(queries, D, 0), 2000);
    expect(ids).toHaveLength(1190);
    expect(ids.every((id) => index.has(id))).toBe(true);
    const restored = LeanIndex.fromBytes(index.toBytes());
    expect(restored.count).toBe(1190);
    await restored.add(rows);
    expect(restored.count).toBe(2690);
  });

  test('a search that is restricted to all ids finds no deleted vector under a new id', async () => {
    const { index } = await Pair.build(rows, options);
    await index.delete(upTo(600));
    await index.compact();
    await index.add(rows.subarray(0, 600 * D)); // 1500 … 2099, far from the next
    await index.delete(upTo(2100, 1500));
    const query = rowOf(rows, D, 7);
    const far = rows.subarray(0, 600 * D).map((x) => x + 50);
    const adding = index.add(far, { threads: 1 });
    let isDone = false;
    const done = adding.then(() => {
      isDone = true;
    });
    const allow = new Uint8Array(500).fill(255);
    while (!isDone) {
      const { ids, scores } = index.search(query, 5, { allow });
      ids.forEach((id, i) => {
        if (id >= 2100) expect(scores[i]).toBeGreaterThan(100);
      });
      await Promise.resolve();
      if (!isDone) await turn();
    }
    await done;
  });

  test('searches while a vector is updated find the old one or the new, and all others', async () => {
    const { index } = await Pair.build(rows.subarray(0, 60 * D), options);
    for (let id = 0; id < 60; id++) {
      let isDone = false;
      const updating = index.update(id, rowOf(rows, D, 100 + id)).then(() => {
        isDone = true;
      });
      while (!isDone) {
        const { ids } = index.search(rowOf(queries, D, 0), 60);
        expect(new Set(ids).size).toBe(60);
        await turn();
      }
      await updating;
    }
  });
});

describe('an exact index with gaps in its ids', () => {
  const options = { dimensions: D, distance: 'Euclid' as const, efConstruction: 60 };
  const queries = gaussianRows(50, D, 2);

  test.each([1, 3])('becomes a graph of %i shards', async (shards) => {
    const pair = await Pair.build(gaussianRows(1500, D, 1), { ...options, shards });
    await pair.delete(upTo(1500).filter((id) => id % 5 < 2));
    for (const id of [2, 3, 1499]) await pair.update(id, rowOf(queries, D, id % 50));
    expect(pair.index.stats().mode).toBe('exact');
    expect(await pair.recall(queries)).toBe(1);
    const ids = await pair.add(gaussianRows(1300, D, 4));
    expect([ids[0], ids.at(-1)]).toEqual([1500, 2799]);
    expect(pair.index.stats()).toMatchObject({ mode: 'graph', count: 2200, shards });
    expect(await pair.recall(queries)).toBeGreaterThan(0.97);
    expect(await LeanIndex.fromBytes(pair.index.toBytes()).searchBatch(queries, 10)).toEqual(
      await pair.index.searchBatch(queries, 10),
    );
  });

  test('keeps deleted what is deleted while it becomes a graph', async () => {
    for (const shards of [1, 2]) {
      const { index } = await Pair.build(gaussianRows(1500, D, 1), { ...options, shards });
      const adding = index.add(gaussianRows(1000, D, 4), { threads: 1 });
      for (let id = 0; id < 100; id += 10) {
        await turn();
        expect(await index.delete([id])).toBe(1);
      }
      expect([...(await adding)]).toEqual(upTo(2500, 1500));
      expect(index.stats()).toMatchObject({ mode: 'graph', count: 2490 });
      const { ids } = index.search(rowOf(queries, D, 0), 3000);
      expect(ids).toHaveLength(2490);
      expect(ids.every((id) => index.has(id))).toBe(true);
      await index.compact();
      expect(index.count).toBe(2490);
    }
  });
});
