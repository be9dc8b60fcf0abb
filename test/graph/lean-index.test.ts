import { beforeAll, describe, expect, test } from 'vitest';
import { DISTANCES } from '../../src/base/distance.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import { recallAtK } from '../../src/eval/metrics.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { gaussianRows, rowOf, scoreOf } from './oracle.js';

const DIMENSIONS = 48;
const corpus = gaussianRows(4000, DIMENSIONS, 1);
const queries = gaussianRows(100, DIMENSIONS, 2);

describe.each(DISTANCES)('an index by %s', (distance) => {
  let index: LeanIndex;
  let truth: ReturnType<typeof exactNeighbours>;
  beforeAll(async () => {
    index = await LeanIndex.build(corpus, { dimensions: DIMENSIONS, distance });
    truth = exactNeighbours(corpus, queries, DIMENSIONS, 20, distance);
  });

  test('finds the true neighbours at the default settings', async () => {
    expect(index.stats().mode).toBe('graph');
    const { ids } = await index.searchBatch(queries, 10);
    // Inner products of gaussians, whose lengths differ much, are the hardest case for any graph:
    // hnswlib has .943 at ef 64 here.
    const floor = distance === 'Dot' ? 0.93 : 0.95;
    expect(recallAtK(ids, truth, 10)).toBeGreaterThanOrEqual(floor);
  });

  test('returns scores best first that differ little from the exact ones', async () => {
    for (let q = 0; q < 20; q++) {
      const query = rowOf(queries, DIMENSIONS, q);
      const { ids, scores } = index.search(query, 10);
      const sign = distance === 'Euclid' ? 1 : -1;
      for (let i = 0; i < 10; i++) {
        const exact = scoreOf(query, rowOf(corpus, DIMENSIONS, ids[i]!), distance);
        expect(Math.abs(scores[i]! - exact)).toBeLessThan(0.02 * (1 + Math.abs(exact)));
        if (i > 0) expect(sign * scores[i]!).toBeGreaterThanOrEqual(sign * scores[i - 1]!);
      }
    }
  });

  test('answers a batch as it answers each query alone', async () => {
    const batch = await index.searchBatch(queries, 7, { ef: 33 });
    expect(batch.k).toBe(7);
    for (let q = 0; q < 100; q++) {
      const one = index.search(rowOf(queries, DIMENSIONS, q), 7, { ef: 33 });
      expect(batch.ids.subarray(q * 7, q * 7 + 7)).toEqual(one.ids);
      expect(batch.scores.subarray(q * 7, q * 7 + 7)).toEqual(one.scores);
    }
  });

  test('finds a stored vector by itself', () => {
    for (let row = 0; row < 4000; row += 97) {
      const { ids } = index.search(rowOf(corpus, DIMENSIONS, row), 5);
      if (distance !== 'Dot') expect(ids[0]).toBe(row);
    }
  });

  test('scans a small index exactly', async () => {
    const small = await LeanIndex.build(corpus.subarray(0, 500 * DIMENSIONS), {
      dimensions: DIMENSIONS,
      distance,
    });
    expect(small.stats().mode).toBe('exact');
    const exact = exactNeighbours(
      corpus.subarray(0, 500 * DIMENSIONS),
      queries,
      DIMENSIONS,
      20,
      distance,
    );
    const { ids, scores } = await small.searchBatch(queries, 10);
    expect(recallAtK(ids, exact, 10)).toBe(1);
    for (let q = 0; q < 100; q++) {
      expect(scores[q * 10]).toBeCloseTo(exact.scores[q * 20]!, 4);
    }
  });

  test('is exact with float32 secondary codes and a beam of all nodes', async () => {
    const count = 800;
    const part = corpus.subarray(0, count * DIMENSIONS);
    const options = { dimensions: DIMENSIONS, distance, exactBelow: 0, secondaryBits: 32 as const };
    const full = await LeanIndex.build(part, options);
    expect(full.stats().mode).toBe('graph');
    const exact = exactNeighbours(part, queries, DIMENSIONS, 20, distance);
    const { ids } = await full.searchBatch(queries, 10, { ef: count, rerank: count });
    expect(recallAtK(ids, exact, 10)).toBe(1);
  });
});

describe('recall', () => {
  test('does not fall as ef grows', async () => {
    const index = await LeanIndex.build(corpus, { dimensions: DIMENSIONS });
    const truth = exactNeighbours(corpus, queries, DIMENSIONS, 20, 'Cosine');
    let previous = 0;
    for (const ef of [10, 16, 32, 64, 128, 512]) {
      const recall = recallAtK((await index.searchBatch(queries, 10, { ef })).ids, truth, 10);
      expect(recall).toBeGreaterThan(previous - 0.005);
      previous = recall;
    }
  });

  test.each([2, 4, 7] as const)('holds with primary codes of %i bits', async (primaryBits) => {
    const index = await LeanIndex.build(corpus, { dimensions: DIMENSIONS, primaryBits });
    expect(index.stats().primaryBits).toBe(primaryBits);
    const truth = exactNeighbours(corpus, queries, DIMENSIONS, 20, 'Cosine');
    const { ids } = await index.searchBatch(queries, 10);
    expect(recallAtK(ids, truth, 10)).toBeGreaterThan(0.9);
  });

  test('of the 7-bit codes is not lost to 4-bit secondary codes alone', async () => {
    const index = await LeanIndex.build(corpus, { dimensions: DIMENSIONS, secondaryBits: 4 });
    const truth = exactNeighbours(corpus, queries, DIMENSIONS, 20, 'Cosine');
    const recall = recallAtK((await index.searchBatch(queries, 10)).ids, truth, 10);
    expect(recall).toBeGreaterThan(0.7);
    expect(index.stats().bytesPerVector.secondary).toBeLessThanOrEqual(DIMENSIONS);
  });
});

describe('the re-rank', () => {
  test('with exact codes returns every true neighbour that the beam holds', async () => {
    const options = { dimensions: DIMENSIONS, secondaryBits: 32 as const, primaryBits: 2 as const };
    const index = await LeanIndex.build(corpus, options);
    const truth = exactNeighbours(corpus, queries, DIMENSIONS, 20, 'Cosine');
    // Re-ranking k of the beam keeps the primary order's choice; re-ranking all can only add.
    let previous = 0;
    for (const rerank of [10, 15, 20, 40, 80]) {
      const { ids } = await index.searchBatch(queries, 10, { ef: 80, rerank });
      const recall = recallAtK(ids, truth, 10);
      expect(recall).toBeGreaterThanOrEqual(previous);
      previous = recall;
    }
    for (let q = 0; q < 100; q++) {
      const query = rowOf(queries, DIMENSIONS, q);
      const beam = new Set(index.search(query, 80, { ef: 80 }).ids);
      const best = new Set(index.search(query, 10, { ef: 80, rerank: 80 }).ids);
      for (const id of truth.ids.subarray(q * 20, q * 20 + 10)) {
        if (beam.has(id)) expect(best.has(id)).toBe(true);
      }
    }
  });
});

describe('train and add', () => {
  test('encode later vectors with the trained model', async () => {
    const sample = corpus.subarray(0, 1000 * DIMENSIONS);
    const index = await LeanIndex.train(sample, { dimensions: DIMENSIONS });
    expect(index.count).toBe(0);
    expect(index.search(rowOf(queries, DIMENSIONS, 0), 3).ids).toHaveLength(0);
    const first = await index.add(corpus.subarray(0, 3000 * DIMENSIONS));
    const second = await index.add(corpus.subarray(3000 * DIMENSIONS));
    expect([first[0], first[2999], second[0], second[999]]).toEqual([0, 2999, 3000, 3999]);
    const truth = exactNeighbours(corpus, queries, DIMENSIONS, 20, 'Cosine');
    const { ids } = await index.searchBatch(queries, 10);
    expect(recallAtK(ids, truth, 10)).toBeGreaterThanOrEqual(0.95);
  });

  test('turn an exact index into a graph once it is large enough', async () => {
    const index = await LeanIndex.build(corpus.subarray(0, 1500 * DIMENSIONS), {
      dimensions: DIMENSIONS,
    });
    expect(index.stats().mode).toBe('exact');
    await index.add(corpus.subarray(1500 * DIMENSIONS));
    expect(index.stats().mode).toBe('graph');
    expect(index.count).toBe(4000);
    const truth = exactNeighbours(corpus, queries, DIMENSIONS, 20, 'Cosine');
    expect(recallAtK((await index.searchBatch(queries, 10)).ids, truth, 10)).toBeGreaterThanOrEqual(
      0.95,
    );
  });

  test('run one after the other when started together', async () => {
    const index = await LeanIndex.train(corpus, { dimensions: DIMENSIONS });
    const parts = [0, 1, 2, 3].map((i) =>
      index.add(corpus.subarray(i * 300 * DIMENSIONS, (i + 1) * 300 * DIMENSIONS)),
    );
    expect(() => index.toBytes()).toThrow(expect.objectContaining({ code: 'BUSY' }));
    const ids = (await Promise.all(parts)).flatMap((part) => Array.from(part));
    expect(ids).toEqual(Array.from({ length: 1200 }, (_, i) => i));
    expect(index.toBytes().length).toBeGreaterThan(0);
  });
});

describe('a search between the slices of an add', () => {
  test('changes nothing of what is built', async () => {
    const build = async (disturb: (index: LeanIndex) => void) => {
      const options = { dimensions: DIMENSIONS, efConstruction: 60 };
      const index = await LeanIndex.train(corpus, options);
      await index.add(corpus.subarray(0, 500 * DIMENSIONS));
      const adding = index.add(corpus.subarray(500 * DIMENSIONS, 2500 * DIMENSIONS));
      let isDone = false;
      const done = adding.finally(() => {
        isDone = true;
      });
      while (!isDone) {
        disturb(index);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await done;
      return index.toBytes();
    };
    let searches = 0;
    const disturbed = await build((index) => {
      for (const q of [0, 1, 2]) {
        expect(index.search(rowOf(queries, DIMENSIONS, q), 300).ids).toHaveLength(300);
      }
      searches++;
    });
    expect(searches).toBeGreaterThan(3);
    expect(Buffer.compare(disturbed, await build(() => {}))).toBe(0);
  });
});

describe('float32 secondary codes', () => {
  /** Two clusters, on either side of the origin. */
  const apart = (rows: Float32Array, distance: number) =>
    rows.map((x, i) => x + (Math.floor(i / DIMENSIONS) % 2 === 0 ? distance : -distance));
  const options = {
    dimensions: DIMENSIONS,
    distance: 'Euclid' as const,
    secondaryBits: 32 as const,
  };

  test('give the exact distances, however far the clusters are apart', async () => {
    const vectors = apart(corpus, 1000);
    const index = await LeanIndex.build(vectors, options);
    const query = rowOf(vectors, DIMENSIONS, 5);
    const { ids, scores } = index.search(query, 10);
    ids.forEach((id, i) => {
      const exact = scoreOf(query, rowOf(vectors, DIMENSIONS, id), 'Euclid');
      expect(Math.abs(scores[i]! - exact)).toBeLessThan(2e-3 * (1 + exact));
    });
  });

  test('find all neighbours with a beam of all nodes', async () => {
    const vectors = apart(corpus, 5);
    const index = await LeanIndex.build(vectors, options);
    const truth = exactNeighbours(vectors, apart(queries, 5), DIMENSIONS, 20, 'Euclid');
    const found = await index.searchBatch(apart(queries, 5), 10, { ef: 4000, rerank: 4000 });
    expect(recallAtK(found.ids, truth, 10)).toBeGreaterThan(0.999);
  });
});

describe('stats', () => {
  test('add up and name what is in use', async () => {
    const index = await LeanIndex.build(corpus, { dimensions: DIMENSIONS });
    const stats = index.stats();
    const { primary, secondary, graph, other, total } = stats.bytesPerVector;
    expect(total).toBeCloseTo(primary + secondary + graph + other, 9);
    expect(primary).toBe(64);
    expect(secondary).toBeGreaterThanOrEqual(DIMENSIONS);
    expect(stats.energyKept).toBeGreaterThan(0.5);
    expect(stats.energyKept).toBeLessThanOrEqual(1);
    expect(['simd', 'relaxed-simd']).toContain(stats.kernel);
    expect(stats.count).toBe(4000);
  });
});
