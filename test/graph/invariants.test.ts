import { beforeAll, describe, expect, test } from 'vitest';
import { clusteredOrder, generateClusters, reorderRows } from '../../datasets/generate.js';
import { drain, runSteps } from '../../src/base/steps.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import { recallAtK } from '../../src/eval/metrics.js';
import { insertSteps } from '../../src/graph/build.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { levelOf } from '../../src/graph/levels.js';
import { NodeMemory } from '../../src/graph/memory.js';
import { Shard } from '../../src/graph/shard.js';
import type { KernelVariant } from '../../src/kernels/index.js';
import type { IndexModel } from '../../src/quant/model.js';
import { modelSteps } from '../../src/quant/model.js';
import { ALONE, type Crew } from '../../src/threads/crew.js';
import { gaussianRows } from './oracle.js';
import {
  faultsOf,
  linksIn,
  type SavedGraph,
  savedGraph,
  stateOf,
  unreachableShare,
} from './support.js';

describe('levels', () => {
  test.each([4, 16, 32])('fall as m^-l for m = %i', (m) => {
    const count = 100_000;
    const levels = Array.from({ length: count }, (_, id) => levelOf(7, id, m));
    for (let l = 1; l <= 4; l++) {
      const p = m ** -l;
      const sigma = Math.sqrt(count * p * (1 - p));
      const found = levels.filter((level) => level >= l).length;
      expect(Math.abs(found - count * p)).toBeLessThan(4 * sigma + 1);
    }
    const mean = levels.reduce((sum, level) => sum + level, 0) / count;
    expect(Math.abs(mean * (m - 1) - 1)).toBeLessThan(0.1);
  });

  test('depend on the seed, not on the order', () => {
    const of = (seed: number) => Array.from({ length: 2000 }, (_, id) => levelOf(seed, id, 4));
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });
});

describe.each([1, 3])('the graph in %i shards', (shards) => {
  const count = 5000;
  const m = 8;
  let graphs: SavedGraph[];
  beforeAll(async () => {
    const options = { dimensions: 32, m, shards };
    const index = await LeanIndex.build(gaussianRows(count, 32, 1), options);
    graphs = Array.from({ length: shards }, (_, shard) => savedGraph(index, shard));
    await index.close();
  });

  test('has valid links: caps, layers, none twice, none to itself', () => {
    expect(graphs.reduce((sum, { used }) => sum + used, 0)).toBe(count);
    let total = 0;
    for (const graph of graphs) {
      expect(faultsOf(graph)).toEqual([]);
      for (let slot = 0; slot < graph.used; slot++) {
        expect(graph.listOf(slot, 0)).toHaveLength(2 * m);
        total += linksIn(graph.listOf(slot, 0)).length;
      }
    }
    expect(total / count).toBeGreaterThan(m / 2);
  });

  test('has levels that fall as m^-l and its entry on the highest', () => {
    for (const graph of graphs) {
      const levels = Array.from({ length: graph.used }, (_, slot) => graph.levelOf(slot));
      expect(graph.levelOf(graph.entry)).toBe(Math.max(...levels));
      const above = levels.filter((level) => level > 0).length;
      const sigma = Math.sqrt((graph.used / m) * (1 - 1 / m));
      expect(Math.abs(above - graph.used / m)).toBeLessThan(4 * sigma);
    }
  });

  test('reaches nearly every node from the entry point on layer 0', () => {
    for (const graph of graphs) expect(unreachableShare(graph)).toBeLessThanOrEqual(0.001);
  });
});

/** A one-dimensional index with float32 codes: distances are what one sees on the line. */
function lineNodes(positions: number[]): NodeMemory {
  const model: IndexModel = {
    distance: 'Euclid',
    dimensions: 1,
    mean: Float32Array.of(0),
    unit: 1,
    projection: Float32Array.of(1),
    queryProjection: undefined,
    queryScale: 1,
    nested: undefined,
    seed: 1,
    primaryDimensions: 1,
    primaryBits: 7,
    primaryBytes: 64,
    secondaryBits: 32,
    energyKept: 1,
  };
  const nodes = new NodeMemory(
    { dimensions: 1, distance: 'Euclid', m: 4, model },
    positions.length,
    false,
  );
  const plan = {
    vectors: Float32Array.from(positions),
    first: 0,
    slots: Uint32Array.from(positions.keys()),
    efConstruction: 10,
    seed: 1,
    order: undefined,
  };
  drain(insertSteps(nodes, plan, ALONE));
  return nodes;
}

/** The ids that the heuristic keeps for node `base` out of candidates, at most `most`. */
function select(nodes: NodeMemory, positions: number[], base: number, most: number): number[] {
  const { kernels } = nodes;
  const candidates = positions
    .map((x, id) => ({ id, squared: Math.fround((x - positions[base]!) ** 2) }))
    .filter(({ id }) => id !== base)
    .sort((a, b) => a.squared - b.squared);
  const keys = kernels.alloc(candidates.length * 8);
  const selected = kernels.alloc(candidates.length * 4);
  const view = new BigInt64Array(kernels.memory.buffer, keys, candidates.length);
  const bits = new Int32Array(1);
  candidates.forEach(({ id, squared }, i) => {
    new Float32Array(bits.buffer)[0] = squared;
    view[i] = (BigInt(bits[0]!) << 32n) | BigInt(id * 2);
  });
  const kept = kernels.call.selectDiverse(nodes.index, keys, candidates.length, most, selected);
  return Array.from(kernels.u32(selected, kept));
}

describe('the diversity heuristic', () => {
  test('keeps 1 and -1 of 1, 1.1, -1, 2 around 0', () => {
    const positions = [0, 1, 1.1, -1, 2];
    expect(select(lineNodes(positions), positions, 0, 3)).toEqual([1, 3]);
  });

  test('keeps all candidates when there are fewer than wanted', () => {
    const positions = [0, 1, 1.1, -1];
    expect(select(lineNodes(positions), positions, 0, 4).sort()).toEqual([1, 2, 3]);
  });

  test('keeps the nearest, and none that is clearly nearer to a kept one', () => {
    const positions = Array.from(gaussianRows(60, 1, 9));
    const kept = select(lineNodes(positions), positions, 0, 8);
    const distance = (a: number, b: number) => Math.abs(positions[a]! - positions[b]!);
    const nearest = positions
      .map((_, id) => id)
      .slice(1)
      .sort((a, b) => distance(0, a) - distance(0, b));
    expect(kept[0]).toBe(nearest[0]);
    kept.forEach((far, i) => {
      for (const near of kept.slice(0, i)) {
        // Squared distances, with the slack of alpha.
        expect(1.1 * distance(near, far) ** 2).toBeGreaterThanOrEqual(distance(0, far) ** 2);
      }
    });
  });

  test('is wired in: without it recall on clustered data falls a lot', async () => {
    const set = generateClusters({
      count: 4000,
      queries: 100,
      dimensions: 24,
      clusters: 60,
      spread: 0.05,
      seed: 3,
    });
    const truth = exactNeighbours(set.corpus, set.queries, 24, 20, 'Euclid');
    const options = { dimensions: 24, distance: 'Euclid' as const, m: 6, efConstruction: 60 };
    const recall = async (nearestOnly: number) => {
      const index = await LeanIndex.train(set.corpus, { ...options, exactBelow: 0 });
      stateOf(index).shards[0]!.nodes.setIndex({ nearestOnly });
      await index.add(set.corpus, { threads: 1 });
      const found = await index.searchBatch(set.queries, 10, { ef: 20, rerank: 20 });
      await index.close();
      return recallAtK(found.ids, truth, 10);
    };
    const without = await recall(1);
    const present = await recall(0);
    expect(present).toBeGreaterThan(0.85);
    expect(without).toBeLessThan(present - 0.3);
  });
});

describe('insertion order', () => {
  const set = generateClusters({
    count: 6000,
    queries: 200,
    dimensions: 32,
    clusters: 100,
    spread: 0.2,
    seed: 5,
    normalise: true,
  });
  const sorted = reorderRows(set.corpus, 32, clusteredOrder(set.labels));
  const recall = async (corpus: Float32Array, order: 'shuffle' | 'given') => {
    const options = { dimensions: 32, m: 8, efConstruction: 40, secondaryBits: 32 as const };
    const index = await LeanIndex.build(corpus, { ...options, order });
    const truth = exactNeighbours(corpus, set.queries, 32, 20, 'Cosine');
    const found = await index.searchBatch(set.queries, 10, { ef: 16 });
    await index.close();
    return recallAtK(found.ids, truth, 10);
  };

  test('clustered input is as good as shuffled input, because it is shuffled', async () => {
    const shuffled = await recall(set.corpus, 'shuffle');
    expect(Math.abs((await recall(sorted, 'shuffle')) - shuffled)).toBeLessThan(0.01);
    expect(await recall(sorted, 'given')).toBeLessThan(shuffled - 0.1);
  });
});

/** A crew of so many, all in this thread, the last one first: no order may change a result. */
function backwards(threads: number): Crew {
  return {
    threads,
    isHere: false,
    run: (kernels, jobs) =>
      jobs
        .toReversed()
        .map((job) => (ALONE.run(kernels, [job]) as number[])[0]!)
        .toReversed(),
  };
}

/** Byte for byte; much faster than toEqual. */
const same = (a: readonly Uint8Array[], b: readonly Uint8Array[]) =>
  a.length === b.length && a.every((bytes, i) => Buffer.compare(bytes, b[i]!) === 0);

describe('determinism', () => {
  const D = 40;
  const rows = gaussianRows(2500, D, 6);
  const build = async (seed: number, threads?: number) => {
    const options = { dimensions: D, seed, efConstruction: 60, ...(threads && { threads }) };
    const index = await LeanIndex.build(rows, options);
    const bytes = index.toBytes();
    await index.close();
    return bytes;
  };

  test('the same input and seed give the same bytes, another seed others', async () => {
    const bytes = await build(1, 1);
    for (const threads of [1, 2, 3, undefined])
      expect(same([await build(1, threads)], [bytes])).toBe(true);
    expect(same([await build(2)], [bytes])).toBe(false);
  });

  test('so do pieces, deletions and repairs, for any number of threads', async () => {
    const grow = async (threads: number) => {
      const options = { dimensions: D, threads, m: 8, efConstruction: 40 };
      const index = await LeanIndex.build(rows, options);
      await index.add(gaussianRows(1100, D, 7), { threads });
      await index.delete(
        Array.from({ length: 700 }, (_, i) => 3 * i),
        { threads },
      );
      await index.add(gaussianRows(1500, D, 8), { threads });
      await index.compact({ threads });
      return index;
    };
    const index = await grow(1);
    const bytes = index.toBytes();
    for (const threads of [2, 3]) {
      const other = await grow(threads);
      expect(same([other.toBytes()], [bytes])).toBe(true);
      await other.close();
    }
    expect(faultsOf(savedGraph(index))).toEqual([]);
  });

  test('no order in which jobs run changes the graph, whatever the number of workers', () => {
    const model = drain(
      modelSteps(rows, {
        dimensions: D,
        distance: 'Euclid',
        seed: 1,
        primaryBits: undefined,
        primaryDimensions: undefined,
        secondaryBits: 8,
        queries: undefined,
      }),
    );
    const graph = async (crew: Crew, variant?: KernelVariant) => {
      const layout = { dimensions: D, distance: 'Euclid' as const, m: 8, model };
      const { nodes } = new Shard(layout, 2500, false, variant);
      const slots = Uint32Array.from({ length: 2500 }, (_, i) => i);
      const plan = { vectors: rows, first: 0, slots, efConstruction: 40, seed: 1 };
      await runSteps(insertSteps(nodes, { ...plan, order: undefined }, crew));
      const parts: Uint8Array[] = [];
      for (const { first, size } of nodes.runs(2500)) {
        parts.push(nodes.part('node', first, size).slice());
        parts.push(nodes.part('secondary', first, size).slice());
      }
      return parts;
    };
    return Promise.all([
      graph(ALONE),
      graph(ALONE, 'simd'),
      graph(backwards(2)),
      graph(backwards(7)),
    ]).then(([alone, ...others]) => {
      for (const other of others) expect(same(other, alone!)).toBe(true);
    });
  });
});
