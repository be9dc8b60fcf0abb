import { describe, expect, test } from 'vitest';
import { DISTANCES } from '../../src/base/distance.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { gaussianRows, nearestIds, recallOf, rowOf, scoreOf } from './oracle.js';
import { stateOf, upTo } from './support.js';

const D = 24;
const rows = gaussianRows(4000, D, 1);
const queries = gaussianRows(100, D, 2);

describe.each(DISTANCES)('three shards by %s', (distance) => {
  const build = (shards: number) =>
    LeanIndex.build(rows, { dimensions: D, distance, shards, efConstruction: 60 });

  test('find what one finds, in the order of scores', async () => {
    const [one, three] = await Promise.all([build(1), build(3)]);
    expect(three.stats()).toMatchObject({ shards: 3, count: 4000 });
    for (const { live } of stateOf(three).shards) expect(live).toBeGreaterThan(1300);
    const truth = nearestIds({ ids: upTo(4000), rows }, queries, D, 10, distance);
    const recall = async (index: LeanIndex) =>
      recallOf((await index.searchBatch(queries, 10)).ids, truth);
    expect(await recall(three)).toBeGreaterThan((await recall(one)) - 0.01);
    const sign = distance === 'Euclid' ? 1 : -1;
    for (let q = 0; q < 20; q++) {
      const query = rowOf(queries, D, q);
      const { ids, scores } = three.search(query, 30);
      expect(new Set(ids).size).toBe(30);
      ids.forEach((id, i) => {
        const exact = scoreOf(query, rowOf(rows, D, id), distance);
        expect(Math.abs(scores[i]! - exact)).toBeLessThan(0.02 * (1 + Math.abs(exact)));
        if (i > 0) expect(sign * scores[i]!).toBeGreaterThanOrEqual(sign * scores[i - 1]!);
      });
      expect(await three.searchAsync(query, 30)).toEqual({ ids, scores });
    }
    await Promise.all([one.close(), three.close()]);
  });

  test('come back from their bytes, with what was deleted and added', async () => {
    const index = await build(3);
    await index.delete(upTo(4000).filter((id) => id % 3 === 0));
    await index.add(rows.subarray(0, 500 * D));
    const bytes = index.toBytes();
    const restored = LeanIndex.fromBytes(bytes);
    expect(Buffer.compare(restored.toBytes(), bytes)).toBe(0);
    const allow = upTo(4500).filter((id) => id % 3 === 1);
    for (const options of [{}, { allow: allow.filter((id) => index.has(id)) }]) {
      const found = await restored.searchBatch(queries, 10, options);
      expect(found).toEqual(await index.searchBatch(queries, 10, options));
      expect(found.ids.every((id) => index.has(id))).toBe(true);
    }
    const { ids } = index.search(rowOf(queries, D, 0), 5000);
    expect(new Set(ids).size).toBe(index.count);
    await Promise.all([index.close(), restored.close()]);
  });
});

describe('equal scores', () => {
  test('from different shards come in the order of ids', async () => {
    const base = gaussianRows(700, D, 5);
    const copies = new Float32Array(4 * base.length);
    for (let copy = 0; copy < 4; copy++) copies.set(base, copy * base.length);
    const options = { dimensions: D, shards: 3, exactBelow: 0, efConstruction: 60 };
    for (const distance of DISTANCES) {
      const index = await LeanIndex.build(copies, { ...options, distance });
      const { ids, scores } = index.search(rowOf(base, D, 8), 12);
      for (let i = 1; i < ids.length; i++) {
        if (scores[i] === scores[i - 1]) expect(ids[i]!).toBeGreaterThan(ids[i - 1]!);
      }
      if (distance !== 'Dot') expect([...ids.subarray(0, 4)]).toEqual([8, 708, 1408, 2108]);
    }
  });
});

describe('few vectors in many shards', () => {
  test('are all found', async () => {
    const options = { dimensions: D, shards: 7, exactBelow: 0, distance: 'Euclid' as const };
    const index = await LeanIndex.build(rows.subarray(0, 3 * D), options);
    expect(index.search(rowOf(rows, D, 1), 10).ids[0]).toBe(1);
    expect(index.search(rowOf(rows, D, 1), 10).ids).toHaveLength(3);
    await index.add(rows.subarray(3 * D, 20 * D));
    expect(index.search(rowOf(rows, D, 19), 30).ids).toHaveLength(20);
    expect(LeanIndex.fromBytes(index.toBytes()).count).toBe(20);
  });
});

describe('a memory that is full', () => {
  const full = () => {
    throw new RangeError('out of memory');
  };

  test.each([1, 2])('refuses vectors, names `shards`, and goes on, %i threads', async (threads) => {
    const options = { dimensions: D, distance: 'Euclid' as const, efConstruction: 40, threads };
    const index = await LeanIndex.build(rows.subarray(0, 2500 * D), options);
    const query = rowOf(queries, D, 0);
    const before = index.search(query, 10);
    const { nodes } = stateOf(index).shards[0]!;
    const memory = nodes.kernels.memory as { grow: (pages: number) => number };
    Object.defineProperty(memory, 'grow', { value: full, configurable: true });
    const many = gaussianRows(30_000, D, 3);
    await expect(index.add(many, { threads })).rejects.toMatchObject({
      name: 'LeandexError',
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringMatching(/no room for 32500 vectors.*more `shards`/),
    });
    expect(index.count).toBe(2500);
    expect(index.search(query, 10)).toEqual(before);
    expect(index.search(query, 3000).ids).toHaveLength(2500);
    Reflect.deleteProperty(memory, 'grow');
    await index.delete([1, 2, 3]);
    const ids = await index.add(gaussianRows(4000, D, 3), { threads });
    expect([ids.length, index.count]).toEqual([4000, 6497]);
    expect(index.search(rowOf(gaussianRows(4000, D, 3), D, 77), 1).ids[0]).toBe(ids[77]);
    expect(LeanIndex.fromBytes(index.toBytes()).count).toBe(6497);
    await index.close();
  });

  test('is reported at once for what cannot fit', () => {
    const options = { dimensions: 16_384, distance: 'Euclid' as const };
    return LeanIndex.build(new Float32Array(16_384), options).then((index) => {
      const { nodes } = stateOf(index).shards[0]!;
      expect(() => nodes.ensureNodes(70_000)).toThrow(
        expect.objectContaining({
          code: 'RESOURCE_EXHAUSTED',
          message: expect.stringMatching(/at most 4 GiB/),
        }),
      );
      expect(index.search(new Float32Array(16_384).fill(1), 1).ids).toHaveLength(1);
    });
  });
});
