import { beforeAll, describe, expect, test } from 'vitest';
import { randomRotation } from '../../datasets/generate/rotation.js';
import { generateSpectrum } from '../../datasets/generate.js';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';
import { Lvq, type LvqBits } from '../../src/quant/lvq.js';

const COUNT = 20_000;
const QUERIES = 200;
const DIMENSIONS = 256;
const K = 10;

type Rows = Float32Array;

/** Ids of the `depth` largest inner products of each query, exhaustively. */
function nearest(rows: Rows, queries: Rows, depth: number): Uint32Array {
  const kernels = new Kernels();
  const count = rows.length / DIMENSIONS;
  const data = kernels.copyF32(rows);
  const query = kernels.alloc(DIMENSIONS * 4);
  const products = kernels.alloc(count * 4);
  const list = kernels.alloc((depth + 1) * 8);
  const ids = kernels.alloc(depth * 4);
  const distances = kernels.alloc(depth * 4);
  const result = new Uint32Array((queries.length / DIMENSIONS) * depth);
  for (let q = 0; q < queries.length / DIMENSIONS; q++) {
    const row = queries.subarray(q * DIMENSIONS, (q + 1) * DIMENSIONS);
    kernels.f32(query, DIMENSIONS).set(row.map((x) => -x));
    const distance = kernels.f32(products, count);
    for (let r = 0; r < count; r++) {
      distance[r] = kernels.call.dotF32(data + r * DIMENSIONS * 4, query, DIMENSIONS);
    }
    const size = kernels.call.topK(products, count, 0, depth, list, 0);
    kernels.call.readKeys(list, size, ids, distances);
    result.set(kernels.u32(ids, depth), q * depth);
  }
  return result;
}

/** Share of the true ten nearest that are among the found `depth`. */
function recall(truth: Uint32Array, found: Uint32Array, depth = K): number {
  let hits = 0;
  for (let q = 0; q < truth.length / K; q++) {
    const best = new Set(found.subarray(q * depth, (q + 1) * depth));
    for (let i = 0; i < K; i++) if (best.has(truth[q * K + i]!)) hits++;
  }
  return hits / truth.length;
}

/** The rows after coding and decoding. */
function lvqRows(rows: Rows, bits: LvqBits, residualBits?: LvqBits, training = rows): Rows {
  const levels = residualBits === undefined ? {} : { residualBits };
  const lvq = Lvq.train(training, { dimensions: DIMENSIONS, bits, ...levels });
  return lvq.decode(lvq.encode(rows));
}

/** Scalar quantization with one interval for all vectors and dimensions. */
function scalarRows(rows: Rows, bits: number): Rows {
  let [low, high] = [Infinity, -Infinity];
  for (const x of rows) {
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  const step = (high - low) / (2 ** bits - 1);
  return rows.map((x) => low + step * Math.round((x - low) / step));
}

/** The queries as they are after symmetric quantization to signed bytes. */
function byteQueries(queries: Rows): Rows {
  const out = queries.slice();
  for (let q = 0; q < out.length; q += DIMENSIONS) {
    const row = out.subarray(q, q + DIMENSIONS);
    const step = row.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / 127;
    row.forEach((x, j) => {
      row[j] = step * Math.round(x / step);
    });
  }
  return out;
}

/** Each row changed as a whole. */
function mapRows(rows: Rows, change: (row: Float64Array) => void): Rows {
  const out = new Float32Array(rows.length);
  for (let r = 0; r < rows.length; r += DIMENSIONS) {
    const row = Float64Array.from(rows.subarray(r, r + DIMENSIONS));
    change(row);
    out.set(row, r);
  }
  return out;
}

describe('recall@10 of an exhaustive scan, 20,000 unit vectors with a mean of length .84', () => {
  let rows: Rows;
  let queries: Rows;
  let truth: Uint32Array;
  const scores: Record<string, number> = {};

  beforeAll(() => {
    const generated = generateSpectrum({
      count: COUNT,
      queries: QUERIES,
      dimensions: DIMENSIONS,
      decay: 0.5,
      seed: 1,
      meanNorm: 0.84,
      normalise: true,
    });
    rows = generated.corpus;
    queries = generated.queries;
    truth = nearest(rows, queries, K);
    const none = new Float32Array(0);
    const codings: Record<string, () => Rows> = {
      '8x8': () => lvqRows(rows, 8, 8),
      '4x8': () => lvqRows(rows, 4, 8),
      'LVQ-8': () => lvqRows(rows, 8),
      '4x4': () => lvqRows(rows, 4, 4),
      SQ8: () => scalarRows(rows, 8),
      'LVQ-4': () => lvqRows(rows, 4),
      'LVQ-4 uncentred': () => lvqRows(rows, 4, undefined, none),
      SQ4: () => scalarRows(rows, 4),
    };
    for (const [name, code] of Object.entries(codings)) {
      scores[name] = recall(truth, nearest(code(), queries, K));
    }
  });

  test('8x8 ≥ 4x8 > LVQ-8 ≥ 4x4 > SQ8 > LVQ-4 > LVQ-4 uncentred > SQ4', () => {
    expect(scores['8x8']).toBeGreaterThanOrEqual(scores['4x8']!);
    expect(scores['4x8']).toBeGreaterThan(scores['LVQ-8']!);
    expect(scores['LVQ-8']).toBeGreaterThanOrEqual(scores['4x4']!);
    expect(scores['4x4']).toBeGreaterThan(scores.SQ8!);
    expect(scores.SQ8).toBeGreaterThan(scores['LVQ-4']!);
    expect(scores['LVQ-4']).toBeGreaterThan(scores['LVQ-4 uncentred']!);
    expect(scores['LVQ-4 uncentred']).toBeGreaterThan(scores.SQ4!);
  });

  test('re-ranking LVQ-4: more candidates find more, 50 find nearly all', () => {
    const coded = lvqRows(rows, 4);
    const found = [10, 15, 20, 30, 50].map((depth) =>
      recall(truth, nearest(coded, queries, depth), depth),
    );
    for (let i = 1; i < found.length; i++) expect(found[i]).toBeGreaterThan(found[i - 1]!);
    expect(found[2]).toBeGreaterThan(0.9);
    expect(found[4]).toBeGreaterThan(0.99);
  });

  test('queries of signed bytes lose little', () => {
    const bytes = byteQueries(queries);
    for (const bits of [4, 8] as const) {
      const loss = scores[`LVQ-${bits}`]! - recall(truth, nearest(lvqRows(rows, bits), bytes, K));
      expect(loss).toBeLessThan(0.025);
    }
  });
});

describe('outlier dimensions', () => {
  test('four dimensions of eight times the size cost LVQ-4, a random rotation repairs it', () => {
    const generated = generateSpectrum({
      count: 5000,
      queries: QUERIES,
      dimensions: DIMENSIONS,
      decay: 0.5,
      seed: 2,
    });
    const stretch = (row: Float64Array) => {
      for (const j of [3, 70, 150, 200]) row[j]! *= 8;
    };
    const [rows, queries] = [generated.corpus, generated.queries].map((all) =>
      mapRows(all, stretch),
    );
    const truth = nearest(rows!, queries!, K);
    const plain = recall(truth, nearest(lvqRows(rows!, 4), queries!, K));
    const rotate = randomRotation(DIMENSIONS, new Random(3));
    const [turned, turnedQueries] = [rows!, queries!].map((all) => mapRows(all, rotate));
    const rotated = recall(truth, nearest(lvqRows(turned!, 4), turnedQueries!, K));
    expect(rotated).toBeGreaterThan(plain + 0.05);
  });
});
