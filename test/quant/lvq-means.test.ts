import { describe, expect, test } from 'vitest';
import { generateClusters, generateSpectrum } from '../../datasets/generate.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import { dot, norm, squaredL2 } from '../../src/kernels/scalar/float.js';
import { parseLvqRecord } from '../../src/kernels/scalar/lvq.js';
import { Lvq, type LvqBits, type LvqOptions } from '../../src/quant/lvq.js';
import { rowOf } from '../graph/oracle.js';

const D = 96;
const K = 10;

interface Rows {
  corpus: Float32Array;
  queries: Float32Array;
}

const CLUSTERED = generateClusters({
  count: 4000,
  queries: 100,
  dimensions: D,
  clusters: 24,
  spread: 0.35,
  seed: 1,
});
const SPECTRUM = generateSpectrum({
  count: 4000,
  queries: 100,
  dimensions: D,
  decay: 0.5,
  meanNorm: 0.5,
  seed: 2,
});

/** Recall@10 of an exhaustive scan of the decoded vectors, by distance. */
function recall({ corpus, queries }: Rows, options: Partial<LvqOptions>): number {
  const lvq = Lvq.train(corpus, { dimensions: D, ...options });
  const decoded = lvq.decode(lvq.encode(corpus));
  const truth = exactNeighbours(corpus, queries, D, K, 'Euclid').ids;
  const found = exactNeighbours(decoded, queries, D, K, 'Euclid').ids;
  let hits = 0;
  for (let q = 0; q < truth.length; q += K) {
    const best = new Set(found.subarray(q, q + K));
    for (let i = 0; i < K; i++) if (best.has(truth[q + i]!)) hits++;
  }
  return hits / truth.length;
}

describe('several means', () => {
  test.each([2, 4] as const)('%s bits: clustered vectors are found better', (bits) => {
    const one = recall(CLUSTERED, { bits });
    const several = recall(CLUSTERED, { bits, means: 24 });
    expect(several).toBeGreaterThan(one + 0.05);
    expect(recall(CLUSTERED, { bits, means: 5 })).toBeGreaterThan(one);
  });

  test('others are found as well as with one mean', () => {
    for (const bits of [4, 8] as const) {
      const one = recall(SPECTRUM, { bits });
      expect(recall(SPECTRUM, { bits, means: 5 })).toBeGreaterThan(one - 0.01);
    }
    const levels = { bits: 4, residualBits: 4 } as const;
    expect(recall(SPECTRUM, { ...levels, means: 16 })).toBeGreaterThan(
      recall(SPECTRUM, levels) - 0.01,
    );
  });

  test.each<[LvqBits, LvqBits | undefined]>([
    [2, undefined],
    [4, undefined],
    [8, undefined],
    [4, 4],
    [4, 8],
    [8, 8],
  ])('%s bits and %s: bounds hold, fast formulas equal decoding', (bits, residualBits) => {
    const levels = residualBits === undefined ? {} : { residualBits };
    const { corpus, queries } = CLUSTERED;
    const lvq = Lvq.train(corpus, { dimensions: D, bits, means: 7, ...levels });
    const rows = corpus.subarray(0, 200 * D);
    const query = queries.subarray(0, D);
    const codes = lvq.encode(rows);
    const decoded = lvq.decode(codes);
    const [dots, distances] = [lvq.dot(query, codes), lvq.squaredDistances(query, codes)];
    const selectors = new Set<number>();
    for (let r = 0; r < 200; r++) {
      const row = rowOf(rows, D, r);
      const mine = rowOf(decoded, D, r);
      const record = codes.records.subarray(r * lvq.recordBytes, (r + 1) * lvq.recordBytes);
      const { scale } = parseLvqRecord(record, D, bits);
      const finest = residualBits === undefined ? scale : scale / (2 ** residualBits - 1);
      const error = row.reduce((most, x, j) => Math.max(most, Math.abs(x - mine[j]!)), 0);
      expect(error).toBeLessThanOrEqual((finest * lvq.unit) / 2 + 0.003 * finest * lvq.unit + 1e-6);
      expect(Math.abs(dots[r]! - dot(query, mine))).toBeLessThan(1e-6 * norm(query) * norm(mine));
      expect(Math.abs(distances[r]! / squaredL2(query, mine) - 1)).toBeLessThan(1e-4);
      const selector = record[codesEnd(bits) + 4]!;
      const distanceTo = (m: number) => squaredL2(row, rowOf(lvq.means, D, m));
      for (let m = 0; m < 7; m++) {
        expect(distanceTo(selector)).toBeLessThanOrEqual(distanceTo(m) * (1 + 1e-5));
      }
      selectors.add(selector);
    }
    expect(selectors.size).toBe(7);
  });

  test('come back from their bytes, and the seed decides them', () => {
    const { corpus } = CLUSTERED;
    const options = { dimensions: D, bits: 4, means: 256, seed: 3 } as const;
    const lvq = Lvq.train(corpus.subarray(0, 600 * D), options);
    expect(lvq.means.length).toBe(256 * D);
    const same = Lvq.fromBytes(lvq.toBytes());
    const codes = lvq.encode(corpus);
    expect(same.encode(corpus)).toEqual(codes);
    expect(same.decode(codes)).toEqual(lvq.decode(codes));
    expect(Lvq.train(corpus.subarray(0, 600 * D), options).means).toEqual(lvq.means);
    expect(same.means).toEqual(lvq.means);
  });

  test('codes that name a mean which is not there are refused', () => {
    const lvq = Lvq.train(CLUSTERED.corpus, { dimensions: D, bits: 4, means: 3 });
    const codes = lvq.encode(CLUSTERED.corpus.subarray(0, 2 * D));
    codes.records[lvq.recordBytes + codesEnd(4) + 4] = 3;
    expect(() => lvq.decode(codes)).toThrow(/mean of record 1 must be below 3/);
    expect(() => lvq.dot(new Float32Array(D), codes)).toThrow(RangeError);
  });

  test('refuses more means than vectors, or than a byte can tell', () => {
    const few = CLUSTERED.corpus.subarray(0, 4 * D);
    expect(() => Lvq.train(few, { dimensions: D, means: 5 })).toThrow(/at most 4/);
    expect(() => Lvq.train(few, { dimensions: D, means: 257 })).toThrow(RangeError);
    expect(() => Lvq.train(few, { dimensions: D, means: 0 })).toThrow(RangeError);
  });
});

/** Bytes of the packed codes of D dimensions, in whole blocks of 16. */
function codesEnd(bits: LvqBits): number {
  const perBlock = 128 / bits;
  return Math.ceil(D / perBlock) * 16;
}
