import type { TokenSet } from '../../datasets/token-set.js';
import { FdeEncoder } from '../../src/fde/encoder.js';
import {
  type FdeDimensions,
  type LeanMultiIndexOptions,
  resolveMulti,
} from '../../src/fde/multi-options.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { percentile } from '../statistics.js';
import { type Exact, productsOf, queryRows } from './exact.js';

/** Plain means of cells as MUVERA has them, empty cells filled as it proposes or not. */
export const MEANS = { centroidExponent: 0, fill: 'none' } as const;
export const FILLED_MEANS = { centroidExponent: 0, fill: 'token' } as const;

/** Candidates until the best document is among them: median, 90 % and 95 % of the queries. */
export type Needed = readonly [number, number, number];

/** Candidates looked at in a compressed index; more count as this and one. */
const DEPTH = 200;

export function needed(ranks: ArrayLike<number>): Needed {
  const sorted = Float64Array.from(ranks).sort();
  return [0.5, 0.9, 0.95].map((p) => percentile(sorted, p)) as unknown as Needed;
}

/** The rank of each query's best document by other scores (queries x documents). */
export function ranksOf({ best }: Exact, scores: Float32Array): number[] {
  const n = scores.length / best.length;
  return Array.from(best, (id, q) => {
    const row = scores.subarray(q * n, (q + 1) * n);
    return row.reduce((rank, score) => rank + Number(score > row[id]!), 1);
  });
}

export interface Encoded {
  dimensions: number;
  documents: Float32Array;
  queries: Float32Array;
}

export function encodeAll(set: TokenSet, options: LeanMultiIndexOptions): Encoded {
  const encoder = new FdeEncoder(resolveMulti(options).fde);
  const { dimensions } = encoder;
  const documents = encoder.encodeDocuments(set.corpus.tokens, set.corpus.offsets);
  const queries = new Float32Array(set.queries.ids.length * dimensions);
  set.queries.ids.forEach((_, q) => {
    queries.set(encoder.encodeQuery(queryRows(set, q)), q * dimensions);
  });
  return { dimensions, documents, queries };
}

/** Ranks by float32 encodings. */
export function floatRanks(exact: Exact, { dimensions, documents, queries }: Encoded): number[] {
  return ranksOf(exact, productsOf(queries, documents, dimensions));
}

/** Ranks by the codes of an index as LeanMultiIndex makes it, and their bytes. */
export async function codeRanks(
  exact: Exact,
  encoded: Encoded,
  options: LeanMultiIndexOptions,
): Promise<{ ranks: number[]; bytes: number; seconds: number }> {
  const start = performance.now();
  const index = await LeanIndex.build(encoded.documents, resolveMulti(options).index);
  const seconds = (performance.now() - start) / 1000;
  const { dimensions, queries } = encoded;
  const ranks = Array.from(exact.best, (id, q) => {
    const query = queries.subarray(q * dimensions, (q + 1) * dimensions);
    const place = index.search(query, DEPTH, { ef: 2 * DEPTH }).ids.indexOf(id);
    return place < 0 ? DEPTH + 1 : place + 1;
  });
  const bytes = index.stats().bytesPerVector.primary;
  await index.close();
  return { ranks, bytes, seconds };
}

/** Ranks by the mean of a document's tokens, of unit length or not. */
export function pooledRanks(set: TokenSet, exact: Exact, isUnit: boolean): number[] {
  const { corpus, queries, dimensions } = set;
  const pool = ({ tokens, offsets }: typeof corpus, unit: boolean) => {
    const out = new Float32Array((offsets.length - 1) * dimensions);
    for (let d = 0; d + 1 < offsets.length; d++) {
      const row = out.subarray(d * dimensions, (d + 1) * dimensions);
      const count = offsets[d + 1]! - offsets[d]!;
      for (let t = offsets[d]!; t < offsets[d + 1]!; t++) {
        for (let i = 0; i < dimensions; i++) row[i]! += tokens[t * dimensions + i]! / count;
      }
      const length = unit ? Math.hypot(...row) : 1;
      for (let i = 0; i < dimensions; i++) row[i]! /= length;
    }
    return out;
  };
  return ranksOf(exact, productsOf(pool(queries, false), pool(corpus, isUnit), dimensions));
}

export const SIZES: readonly FdeDimensions[] = [640, 1280, 2560, 5120, 10240];
