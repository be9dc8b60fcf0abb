import { describe, expect, test } from 'vitest';
import { generateClusters } from '../../datasets/generate.js';
import { Random } from '../../src/base/random.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { gaussianRows, rowOf } from './oracle.js';
import { Pair } from './pair.js';
import { faultsOf, savedGraph, unreachableShare, upTo } from './support.js';

const D = 24;

describe('a graph under turnover', () => {
  test('loses whole clusters without harm to the others, the entry point too', async () => {
    const set = generateClusters({
      count: 4000,
      queries: 200,
      dimensions: D,
      clusters: 20,
      spread: 0.2,
      seed: 3,
    });
    const options = { dimensions: D, distance: 'Euclid' as const, efConstruction: 80 };
    const pair = await Pair.build(set.corpus, options);
    const graph = savedGraph(pair.index);
    await pair.delete([graph.ids[graph.entry]!]);
    expect(await pair.recall(set.queries)).toBeGreaterThan(0.97);
    for (let cluster = 0; cluster < 20; cluster += 2) {
      await pair.delete(upTo(4000).filter((id) => set.labels[id] === cluster));
      expect(await pair.recall(set.queries)).toBeGreaterThan(0.97);
    }
    expect(faultsOf(savedGraph(pair.index))).toEqual([]);
    await pair.index.compact();
    expect(await pair.recall(set.queries)).toBeGreaterThan(0.97);
    expect(unreachableShare(savedGraph(pair.index))).toBeLessThan(0.002);
    await pair.index.close();
  });

  test('has the recall of a fresh one after five complete turnovers', async () => {
    const dimensions = 32;
    const count = 5000;
    const options = { dimensions, distance: 'Euclid' as const, m: 12, efConstruction: 80 };
    const random = new Random(6);
    const pair = await Pair.build(gaussianRows(count, dimensions, 1, 0), options);
    for (let round = 1; round <= 5; round++) {
      const ids = [...pair.mirror.rows.keys()];
      const order = Array.from(random.permutation(count), (i) => ids[i]!);
      for (let from = 0; from < count; from += 500) {
        const next = gaussianRows(500, dimensions, 1000 * round + from, 0);
        await pair.delete(order.slice(from, from + 500));
        await pair.add(next);
      }
    }
    const queries = gaussianRows(200, dimensions, 2, 0);
    const { ids, rows } = pair.mirror.matrix();
    expect(ids).toHaveLength(count);
    expect(ids[0]).toBeGreaterThanOrEqual(5 * count);
    const fresh = await Pair.build(rows, options);
    for (const ef of [40, 128]) {
      const turned = await pair.recall(queries, ef);
      expect(turned).toBeGreaterThan((await fresh.recall(queries, ef)) - 0.01);
    }
    const graph = savedGraph(pair.index);
    expect(faultsOf(graph)).toEqual([]);
    expect(unreachableShare(graph)).toBeLessThan(0.001);
    await Promise.all([pair.index.close(), fresh.index.close()]);
  });

  test('can be read when the highest of its nodes are deleted', async () => {
    const options = { dimensions: D, exactBelow: 0, efConstruction: 60 };
    const pair = await Pair.build(gaussianRows(2000, D, 1), options);
    const graph = savedGraph(pair.index);
    const top = graph.levelOf(graph.entry);
    await pair.delete(upTo(2000).filter((slot) => slot < 400 || graph.levelOf(slot) === top));
    expect(pair.index.stats().deleted).toBe(0);
    const bytes = pair.index.toBytes();
    const restored = LeanIndex.fromBytes(bytes);
    expect(restored.count).toBe(pair.mirror.rows.size);
    expect(Buffer.compare(restored.toBytes(), bytes)).toBe(0);
  });

  test('finds what is added where a whole cluster has just been deleted', async () => {
    const set = generateClusters({
      count: 8000,
      queries: 1,
      dimensions: D,
      clusters: 20,
      spread: 0.05,
      seed: 3,
    });
    const options = { dimensions: D, distance: 'Euclid' as const, efConstruction: 60 };
    const pair = await Pair.build(set.corpus, options);
    const cluster = upTo(8000).filter((id) => set.labels[id] === 0);
    const rows = cluster.map((id) => rowOf(set.corpus, D, id).slice());
    await pair.delete(cluster);
    expect(pair.index.stats().deleted).toBe(cluster.length);
    for (const row of rows.slice(0, 20)) {
      const [id] = await pair.add(row);
      expect(pair.index.search(row, 1).ids[0]).toBe(id);
    }
  });
});
