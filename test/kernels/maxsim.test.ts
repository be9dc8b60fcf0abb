import { describe, expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import { dot, norm } from '../../src/kernels/scalar/float.js';
import { maxSim, rowsOf } from '../../src/kernels/scalar/maxsim.js';
import {
  decodeToken,
  encodeToken,
  parseCodes,
  type TokenBits,
} from '../../src/kernels/scalar/token.js';
import {
  borrowing,
  describeBinaries,
  expectSame,
  gaussians,
  place,
  Random,
  readF32,
  testBothBinaries,
} from './support.js';

const WIDTHS = [32, 16, 8, 4] as const;
const ULP = 2 ** -24;

interface Document {
  records: Uint8Array[];
  /** The numbers that the records stand for. */
  rows: Float32Array;
  /** For codes: what the error of a dot may be, by the statement above the kernels, over ‖q‖. */
  errors: number[];
}

function documentOf(rows: Float32Array, d: number, bits: TokenBits): Document {
  const records = rowsOf(rows, d).map((row) => encodeToken(row, bits));
  const decoded = records.flatMap((record) => [...decodeToken(record, d, bits)]);
  const errors = bits > 8 ? [] : records.map((record) => codeError(record, d, bits as 8 | 4));
  return { records, rows: Float32Array.from(decoded), errors };
}

function codeError(record: Uint8Array, d: number, bits: 8 | 4): number {
  const { scale, codes } = parseCodes(record, d, bits);
  const middle = (2 ** bits - 1) / 2;
  const spread = codes.reduce((sum, c) => sum + Math.abs(c - middle), 0) * scale;
  const largest = Math.max(...decodeToken(record, d, bits).map(Math.abs));
  return spread / 65_000 + 16 * Math.sqrt(d) * ULP * largest;
}

/** Random documents of so many rows each. */
function documentsOf(random: Random, sizes: number[], d: number, bits: TokenBits): Document[] {
  return sizes.map((size) => documentOf(gaussians(random, size * d, 1 / Math.sqrt(d)), d, bits));
}

interface Placed {
  panels: number;
  documents: number;
  work: number;
}

/** A query and documents in memory; the number of a document is its place. */
function placeCall(
  kernels: Kernels,
  query: Float32Array,
  documents: readonly Document[],
  d: number,
  bits: TokenBits,
): Placed {
  const { call } = kernels;
  const m = query.length / d;
  const panels = kernels.alloc(Math.ceil(m / 4) * call.panelBytes(d, bits));
  call.packQuery(place(kernels, query), m, d, bits, 0, kernels.alloc(d * 6 + 256), panels);
  const most = Math.max(0, ...documents.map(({ records }) => records.length));
  const work = kernels.alloc(16 + most * call.expandedBytes(d, bits));
  const words = documents.flatMap(({ records, rows }, i) => {
    const bytes = records.flatMap((record) => [...record]);
    const reach = Math.max(0, ...rowsOf(rows, d).map(norm)) * (1 + (d + 32) / 32_768);
    const reachWord = new Uint32Array(Float32Array.of(reach).buffer)[0]!;
    return [place(kernels, Uint8Array.from(bytes)), records.length, i, reachWord];
  });
  return { panels, work, documents: place(kernels, Uint32Array.from(words)) };
}

function scores(
  kernels: Kernels,
  query: Float32Array,
  documents: readonly Document[],
  d: number,
  bits: TokenBits,
): Float32Array {
  return borrowing(kernels, () => {
    const call = placeCall(kernels, query, documents, d, bits);
    const [n, out] = [documents.length, kernels.alloc(documents.length * 4)];
    const m = query.length / d;
    kernels.call.maxSim(call.panels, m, d, bits, call.documents, n, call.work, out);
    return readF32(kernels, out, n);
  });
}

/** A maximum errs by no more than the worst of its dots. */
function scoreBound(query: Float32Array, document: Document, d: number, bits: TokenBits): number {
  const rows = rowsOf(document.rows, d).map((row) => row.map(Math.abs));
  const ofRow = (q: Float32Array) => {
    if (bits <= 8) return norm(q) * Math.max(0, ...document.errors);
    const sizes = q.map(Math.abs);
    return (d / 4 + 4) * ULP * Math.max(0, ...rows.map((row) => dot(sizes, row)));
  };
  const rounding = Math.abs(maxSim(query, document.rows, d)) * 2 * ULP;
  return rowsOf(query, d).reduce((sum, q) => sum + ofRow(q), rounding);
}

function checkScores(
  kernels: Kernels,
  query: Float32Array,
  documents: readonly Document[],
  d: number,
  bits: TokenBits,
): void {
  const found = scores(kernels, query, documents, d, bits);
  for (const [i, document] of documents.entries()) {
    const error = Math.abs(found[i]! - maxSim(query, document.rows, d));
    const what = `${bits} bits, d = ${d}, m = ${query.length / d}, document ${i}`;
    expect(error, what).toBeLessThanOrEqual(scoreBound(query, document, d, bits));
  }
}

describeBinaries('MaxSim', (kernels) => {
  describe.each(WIDTHS)('with %s bits', (bits) => {
    test('equals the double loop for 1 … 300 dimensions', () => {
      const random = new Random(bits);
      for (let d = 1; d <= 300; d += d < 40 ? 1 : 13) {
        const documents = documentsOf(random, [1, 2, 0, 5], d, bits);
        checkScores(kernels, gaussians(random, 5 * d, 1 / Math.sqrt(d)), documents, d, bits);
      }
    });

    test('equals the double loop for 1 … 40 query rows and 0 … 9 document rows', () => {
      const random = new Random(bits + 1);
      const d = 24;
      const documents = documentsOf(random, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], d, bits);
      for (let m = 1; m <= 40; m++) {
        checkScores(kernels, gaussians(random, m * d), documents, d, bits);
      }
    });

    test('takes numbers far from 1, and uncentred ones', () => {
      const random = new Random(bits + 2);
      const d = 48;
      const top = bits === 16 ? 1e4 : 1e14;
      for (const [deviation, mean] of [
        [top, 0],
        [1e-6, 0],
        [0.01, 3],
        [1, -50],
      ] as const) {
        const documents = [documentOf(gaussians(random, 3 * d, deviation, mean), d, bits)];
        checkScores(kernels, gaussians(random, 6 * d, deviation, mean), documents, d, bits);
        checkScores(kernels, gaussians(random, 6 * d), documents, d, bits);
      }
    });

    test('the best are those of all scores, ties by number, however many were left early', () => {
      const random = new Random(bits + 3);
      for (const d of [3, 32, 128]) {
        const sizes = Array.from({ length: 60 }, () => random.below(12));
        const documents = documentsOf(random, sizes, d, bits);
        documents.push(documents[7]!, documents[20]!, documents[7]!);
        for (const m of [1, 4, 9, 32]) {
          // Queries near one document leave the others far behind.
          const near = gaussians(random, m * d, 0.3 / Math.sqrt(d));
          const rows = documents[7]!.rows;
          const query = near.map((x, i) => x + (rows.length > 0 ? rows[i % rows.length]! : 0));
          const all = scores(kernels, query, documents, d, bits);
          const order = [...all.keys()].sort((a, b) => all[b]! - all[a]! || a - b);
          for (const k of [1, 5, 63]) {
            const found = best(kernels, query, documents, d, bits, k);
            expectSame(found.ids, order.slice(0, k), `d = ${d}, m = ${m}, k = ${k}`);
            expectSame(
              found.scores,
              order.slice(0, k).map((i) => all[i]!),
              `k = ${k}`,
            );
          }
        }
      }
    });
  });
});

/** The k best, in two calls that share the list. */
function best(
  kernels: Kernels,
  query: Float32Array,
  documents: readonly Document[],
  d: number,
  bits: TokenBits,
  k: number,
): { ids: number[]; scores: number[] } {
  return borrowing(kernels, () => {
    const { panels, work, documents: placed } = placeCall(kernels, query, documents, d, bits);
    const [list, ids, distances] = [(k + 1) * 8, k * 4, k * 4].map((n) => kernels.alloc(n));
    const m = query.length / d;
    const half = documents.length >> 1;
    const { maxSimBest, readKeys } = kernels.call;
    let size = maxSimBest(panels, m, d, bits, placed, half, work, k, list!, 0);
    const rest = documents.length - half;
    size = maxSimBest(panels, m, d, bits, placed + half * 16, rest, work, k, list!, size);
    readKeys(list!, size, ids!, distances!);
    return {
      ids: [...kernels.u32(ids!, size)],
      scores: Array.from(readF32(kernels, distances!, size), (x) => 0 - x),
    };
  });
}

testBothBinaries('MaxSim is the same in both binaries, to the bit', (simd, relaxed) => {
  const random = new Random(9);
  for (const bits of WIDTHS) {
    for (const d of [5, 32, 100, 128]) {
      const documents = documentsOf(random, [1, 4, 7, 20], d, bits);
      const query = gaussians(random, 11 * d);
      const [a, b] = [simd, relaxed].map((kernels) => scores(kernels, query, documents, d, bits));
      expectSame(a!, b!, `${bits} bits, d = ${d}`);
    }
  }
});
