import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { readContainer, writeContainer } from '../../src/format/container.js';
import { LeanIndex } from '../../src/index.js';

const DIMENSIONS = 200;
const DISTANCES = ['cosine', 'dot', 'euclid'] as const;
type Distance = (typeof DISTANCES)[number];

/** Gaussians with a falling spectrum, away from the origin. */
function rows(seed: number, count: number, dimensions = DIMENSIONS): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count * dimensions }, (_, i) => {
    const j = i % dimensions;
    return 3 * Math.exp(-j / 60) * random.gaussian() + (j < 10 ? 0.5 : 0);
  });
}

/** Similarity, or distance for euclid, in float64. */
function scoreOf(distance: Distance, a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  a.forEach((x, i) => {
    dot += x * b[i]!;
    aa += x * x;
    bb += b[i]! * b[i]!;
  });
  if (distance === 'dot') return dot;
  if (distance === 'cosine') return dot / Math.sqrt(aa * bb);
  return Math.sqrt(Math.max(0, aa + bb - 2 * dot));
}

/** Recall@10 against brute force, and the largest error of a score over the scores' spread. */
function judge(index: LeanIndex, data: Float32Array, distance: Distance, d = DIMENSIONS) {
  const queries = rows(99, 40, d);
  const sign = distance === 'euclid' ? 1 : -1;
  let [hits, worst] = [0, 0];
  for (let q = 0; q < 40; q++) {
    const query = queries.subarray(q * d, (q + 1) * d);
    const scores = Array.from({ length: data.length / d }, (_, i) =>
      scoreOf(distance, query, data.subarray(i * d, (i + 1) * d)),
    );
    const best = [...scores.keys()].sort((a, b) => sign * (scores[a]! - scores[b]!)).slice(0, 10);
    const found = index.search(query, 10, { ef: 300 });
    const spread = Math.max(...scores) - Math.min(...scores);
    found.ids.forEach((id, i) => {
      if (best.includes(id)) hits++;
      worst = Math.max(worst, Math.abs(found.scores[i]! - scores[id]!) / spread);
    });
  }
  return { recall: hits / 400, worst };
}

describe.each(DISTANCES)('the compact preset, %s', (distance) => {
  const options = { dimensions: DIMENSIONS, distance, preset: 'compact', exactBelow: 0 } as const;

  test('built at once: nested codes, recall, scores in the units of the metric', async () => {
    const data = rows(1, 3000);
    const index = await LeanIndex.build(data, options);
    expect(index.stats().secondaryBits).toBe('nested');
    expect(index.stats().bytesPerVector.secondary).toBeLessThanOrEqual(192);
    const { recall, worst } = judge(index, data, distance);
    expect(recall).toBeGreaterThan(0.93);
    expect(worst).toBeLessThan(0.02);
  });

  test('grown by small additions, whose links nested codes choose', async () => {
    const data = rows(1, 3000);
    const index = await LeanIndex.train(data, options);
    for (let from = 0; from < 3000; from += 300) {
      await index.add(data.subarray(from * DIMENSIONS, (from + 300) * DIMENSIONS));
    }
    const atOnce = await LeanIndex.build(data, options);
    const grown = judge(index, data, distance).recall;
    expect(grown).toBeGreaterThan(judge(atOnce, data, distance).recall - 0.01);
  });

  test('saved and loaded: the same answers, the same bytes', async () => {
    const data = rows(1, 2500);
    const index = await LeanIndex.build(data, options);
    const bytes = index.toBytes();
    const same = LeanIndex.fromBytes(bytes);
    expect(same.toBytes()).toEqual(bytes);
    const query = rows(5, 1);
    expect(same.search(query, 10)).toEqual(index.search(query, 10));
    await same.delete([...Array(400).keys()]);
    await same.add(data.subarray(0, 400 * DIMENSIONS));
    expect(same.search(data.subarray(0, DIMENSIONS), 1).ids[0]).toBe(2500);
  });
});

test('any number of threads gives the same bytes', async () => {
  const saved = [1, 2].map(async (threads) => {
    const options = { dimensions: DIMENSIONS, preset: 'compact', threads } as const;
    const index = await LeanIndex.build(rows(1, 2500), options);
    await index.add(rows(2, 1100), { threads });
    const bytes = index.toBytes();
    await index.close();
    return bytes;
  });
  const [one, two] = await Promise.all(saved);
  expect(two!).toEqual(one!);
});

describe('what cannot be nested', () => {
  test('primary codes of 4 and 7 bits: LVQ-4', async () => {
    const data = rows(2, 2500, 32);
    for (const primaryBits of [4, 7] as const) {
      const options = { dimensions: 32, preset: 'compact', primaryBits } as const;
      const index = await LeanIndex.build(data, options);
      expect(index.stats().secondaryBits).toBe(4);
      expect(LeanIndex.fromBytes(index.toBytes()).stats().secondaryBits).toBe(4);
      expect(judge(index, data, 'cosine', 32).recall).toBeGreaterThan(0.8);
    }
  });

  test('training queries: LVQ-4', async () => {
    const data = rows(2, 2500);
    const index = await LeanIndex.build(data, {
      dimensions: DIMENSIONS,
      preset: 'compact',
      queries: rows(3, 1000),
    });
    expect(index.stats().secondaryBits).toBe(4);
  });
});

test('explicit options win over the preset', async () => {
  const options = { dimensions: DIMENSIONS, preset: 'compact', secondaryBits: 8 } as const;
  const index = await LeanIndex.build(rows(1, 2100), options);
  expect(index.stats().secondaryBits).toBe(8);
  await expect(
    LeanIndex.build(rows(1, 10), { dimensions: DIMENSIONS, preset: 'small' as never }),
  ).rejects.toThrow(RangeError);
});

test('one, two and 130 dimensions with 2 bits: every vector finds itself or a copy', async () => {
  for (const dimensions of [1, 2, 130]) {
    const random = new Random(dimensions);
    const data = Float32Array.from({ length: 2200 * dimensions }, () => random.gaussian());
    const options = { dimensions, distance: 'euclid', preset: 'compact', primaryBits: 2 } as const;
    const index = await LeanIndex.build(data, options);
    expect(index.stats().secondaryBits).toBe('nested');
    const first = data.subarray(0, dimensions);
    const { scores } = index.search(first, 1);
    expect(scores[0]).toBeLessThan(0.2 * Math.sqrt(dimensions));
  }
});

test('vectors all alike', async () => {
  const data = new Float32Array(2100 * 64).fill(0.3);
  const options = { dimensions: 64, preset: 'compact', primaryBits: 2 } as const;
  const index = await LeanIndex.build(data, options);
  const { ids, scores } = index.search(data.subarray(0, 64), 10);
  expect(new Set(ids).size).toBe(10);
  expect(scores[0]).toBeCloseTo(1, 3);
});

describe('a damaged model is refused', () => {
  const nestedBits: unknown[] = [undefined, [3, 2], [4, 4, 4, 4, 4, 4, 4], 'x', [4.5], {}];
  test.each(nestedBits)('bits %j', async (bits) => {
    const options = { dimensions: DIMENSIONS, preset: 'compact' } as const;
    const index = await LeanIndex.build(rows(1, 2100), options);
    const { header, sections } = readContainer(index.toBytes(), 'index');
    const model = { ...(header.model as object), nestedBits: bits };
    const bytes = writeContainer({ kind: 'index', header: { ...header, model }, sections });
    expect(() => LeanIndex.fromBytes(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT' }));
  });
});
