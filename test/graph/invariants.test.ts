import { beforeAll, describe, expect, test } from 'vitest';
import { clusteredOrder, generateClusters, reorderRows } from '../../datasets/generate.js';
import { drain } from '../../src/base/steps.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import { recallAtK } from '../../src/eval/metrics.js';
import { readContainer } from '../../src/format/container.js';
import { insertSteps } from '../../src/graph/build.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { levelOf } from '../../src/graph/levels.js';
import { NONE, NodeMemory } from '../../src/graph/memory.js';
import { searchNodes } from '../../src/graph/search.js';
import { Kernels, type KernelVariant } from '../../src/kernels/index.js';
import type { IndexModel } from '../../src/quant/model.js';
import { modelSteps } from '../../src/quant/model.js';
import { gaussianRows } from './oracle.js';

const words = (section: Uint8Array) => new Uint32Array(section.slice().buffer);

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

describe('the graph', () => {
  const D = 32;
  const M = 8;
  const count = 5000;
  let links: Uint32Array;
  let upper: Uint32Array;
  let entry: number;
  beforeAll(async () => {
    const index = await LeanIndex.build(gaussianRows(count, D, 1), { dimensions: D, m: M });
    const { header, sections } = readContainer(index.toBytes(), 'index');
    entry = (header.graph as { entry: number }).entry;
    links = words(sections.links!);
    upper = words(sections.upper!);
  });

  const checkList = (list: Uint32Array, self: number) => {
    const end = list.indexOf(NONE);
    const used = end < 0 ? list : list.subarray(0, end);
    expect(list.subarray(used.length).every((id) => id === NONE)).toBe(true);
    expect(new Set(used).size).toBe(used.length);
    expect(used.every((id) => id < count && id !== self)).toBe(true);
    return used;
  };

  test('has at most 2 M links on layer 0, none twice, none to itself', () => {
    expect(links).toHaveLength(count * 2 * M);
    let total = 0;
    for (let id = 0; id < count; id++) {
      total += checkList(links.subarray(id * 2 * M, (id + 1) * 2 * M), id).length;
    }
    expect(total / count).toBeGreaterThan(M / 2);
  });

  test('has at most M links on upper layers, to nodes that are there', () => {
    const levels = new Map<number, number>();
    for (let at = 0; at < upper.length; at += 2 + upper[at + 1]! * M) {
      levels.set(upper[at]!, upper[at + 1]!);
    }
    for (let at = 0; at < upper.length; at += 2 + upper[at + 1]! * M) {
      for (let layer = 1; layer <= upper[at + 1]!; layer++) {
        const from = at + 2 + (layer - 1) * M;
        for (const other of checkList(upper.subarray(from, from + M), upper[at]!)) {
          expect(levels.get(other) ?? 0).toBeGreaterThanOrEqual(layer);
        }
      }
    }
    expect(levels.size / count).toBeCloseTo(1 / M, 1);
  });

  test('reaches nearly every node from the entry point on layer 0', () => {
    const seen = new Uint8Array(count);
    const queue = [entry];
    seen[entry] = 1;
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      for (const other of links.subarray(id * 2 * M, (id + 1) * 2 * M)) {
        if (other === NONE || seen[other] === 1) continue;
        seen[other] = 1;
        queue.push(other);
      }
    }
    const unreachable = seen.filter((mark) => mark === 0).length;
    expect(unreachable / count).toBeLessThanOrEqual(0.001);
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
    primaryDimensions: 1,
    primaryBits: 7,
    primaryBytes: 64,
    secondaryBits: 32,
    energyKept: 1,
  };
  const nodes = new NodeMemory(
    { dimensions: 1, distance: 'Euclid', m: 4, model },
    positions.length,
  );
  drain(
    insertSteps(nodes, {
      vectors: Float32Array.from(positions),
      firstId: 0,
      efConstruction: 10,
      seed: 1,
      order: 'given',
    }),
  );
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

  test('keeps the nearest, and none that is nearer to a kept one', () => {
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
        expect(distance(near, far)).toBeGreaterThanOrEqual(distance(0, far));
      }
    });
  });

  test('is wired in: without it recall on clustered data falls a lot', () => {
    const set = generateClusters({
      count: 4000,
      queries: 100,
      dimensions: 24,
      clusters: 60,
      spread: 0.15,
      seed: 3,
    });
    const truth = exactNeighbours(set.corpus, set.queries, 24, 20, 'Euclid');
    const model = drain(
      modelSteps(set.corpus, {
        dimensions: 24,
        distance: 'Euclid',
        seed: 1,
        primaryBits: undefined,
        primaryDimensions: undefined,
        secondaryBits: 8,
      }),
    );
    const recall = (nearestOnly: number) => {
      const nodes = new NodeMemory({ dimensions: 24, distance: 'Euclid', m: 6, model }, 4000);
      nodes.setIndex({ nearestOnly });
      const plan = { vectors: set.corpus, firstId: 0, efConstruction: 60, seed: 1 };
      drain(insertSteps(nodes, { ...plan, order: 'shuffle' }));
      const found = searchNodes(nodes, 4000, set.queries, { k: 10, ef: 20, rerank: 20 });
      return recallAtK(found.ids, truth, 10);
    };
    expect(recall(0)).toBeGreaterThan(0.8);
    expect(recall(1)).toBeLessThan(recall(0) - 0.3);
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
    return recallAtK(index.searchBatch(set.queries, 10, { ef: 16 }).ids, truth, 10);
  };

  test('clustered input is as good as shuffled input, because it is shuffled', async () => {
    const shuffled = await recall(set.corpus, 'shuffle');
    expect(Math.abs((await recall(sorted, 'shuffle')) - shuffled)).toBeLessThan(0.01);
    expect(await recall(sorted, 'given')).toBeLessThan(shuffled - 0.1);
  });
});

describe('determinism', () => {
  const build = (seed: number) =>
    LeanIndex.build(gaussianRows(3000, 40, 6), { dimensions: 40, seed });

  test('the same input and seed give the same bytes, another seed others', async () => {
    const bytes = (await build(1)).toBytes();
    expect((await build(1)).toBytes()).toEqual(bytes);
    expect((await build(2)).toBytes()).not.toEqual(bytes);
  });

  test('both kernels give the same bytes', async () => {
    const model = drain(
      modelSteps(gaussianRows(3000, 40, 6), {
        dimensions: 40,
        distance: 'Cosine',
        seed: 1,
        primaryBits: undefined,
        primaryDimensions: undefined,
        secondaryBits: 8,
      }),
    );
    const parts = (variant: KernelVariant) => {
      const layout = { dimensions: 40, distance: 'Cosine' as const, m: 16, model };
      const nodes = new NodeMemory(layout, 3000, variant);
      const vectors = gaussianRows(3000, 40, 6);
      const plan = { vectors, firstId: 0, efConstruction: 100, seed: 1, order: 'shuffle' as const };
      drain(insertSteps(nodes, plan));
      expect(nodes.kernels.variant).toBe(variant);
      let run = 0;
      nodes.forRuns(3000, (first, size) => {
        if (first === 0) run = size;
      });
      return (['primary', 'links', 'secondary'] as const).map((part) =>
        nodes.part(part, 0, Math.min(run, 3000)).slice(),
      );
    };
    const { variant } = new Kernels();
    expect(parts('simd')).toEqual(parts(variant));
  });
});
