import type { TokenSet, TokenTexts } from '../../datasets/token-set.js';
import { FdeEncoder } from '../../src/fde/encoder.js';
import {
  type FdeDimensions,
  type LeanMultiIndexOptions,
  resolveMulti,
} from '../../src/fde/multi-options.js';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { percentile } from '../statistics.js';
import {
  DEPTH,
  type Exact,
  neededBy,
  queryRows,
  type Ranking,
  rankingOf,
  recallAt,
} from './exact.js';
import { productsOf } from './products.js';

export const SIZES: readonly FdeDimensions[] = [640, 1280, 2560, 5120, 10240];
/** Candidates whose recall@10 is measured. */
export const DEPTHS = [10, 20, 30, 50, 100, 200, 400];
/** Training for the codes of larger encodings takes long: they are measured with fewer seeds. */
const TRAINED_OFTEN_MAX = 2560;
const SEEDS_OF_LARGE = 3;

/** Plain means of cells as MUVERA has them, empty cells filled as it proposes or not. */
const MEANS = { centroidExponent: 0, fill: 'none' } as const;
const FILLED_MEANS = { centroidExponent: 0, fill: 'token' } as const;

/** What a method needs to find the best document, means over seeds. */
export interface CandidateFigures {
  method: string;
  /** Numbers of an encoding, undefined where there is none; bytes of what stands for a document. */
  dimensions: number | undefined;
  bytes: number | undefined;
  seeds: number;
  /** Candidates until the best is among them: median, 90 % and 95 % of the queries. */
  needed: readonly [number, number, number];
  /** Recall@10 of the exact ten best among so many candidates (DEPTHS). */
  recall: number[];
  buildSeconds?: number;
}

/** The figures of one ranking for each seed. */
export function figuresOf(
  exact: Exact,
  name: Pick<CandidateFigures, 'method' | 'dimensions' | 'bytes'>,
  rankings: readonly Ranking[],
): CandidateFigures {
  const mean = (numbers: number[]) => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const shares = [0.5, 0.9, 0.95].map((p) =>
    mean(rankings.map(({ needed }) => percentile(Float64Array.from(needed).sort(), p))),
  );
  const recall = DEPTHS.map((depth) =>
    mean(rankings.map(({ lists }) => recallAt(exact, lists, depth))),
  );
  const needed = shares as unknown as CandidateFigures['needed'];
  return { ...name, seeds: rankings.length, needed, recall };
}

/** All methods; `onFigures` hears of each as soon as it is measured. */
export async function measureCandidates(
  set: TokenSet,
  exact: Exact,
  seeds: number,
  sizeMax: number,
  onFigures: (figures: CandidateFigures) => void,
): Promise<CandidateFigures[]> {
  const all: CandidateFigures[] = [];
  const add = (figures: CandidateFigures) => {
    all.push(figures);
    onFigures(figures);
  };
  const heuristic = 'single-vector heuristic, distinct documents';
  const none = { dimensions: undefined, bytes: undefined };
  add(figuresOf(exact, { method: heuristic, ...none }, [exact.heuristic]));
  const { dimensions } = set;
  for (const isUnit of [false, true]) {
    const method = `pooled mean${isUnit ? ' of unit length' : ''}`;
    const name = { method, dimensions, bytes: dimensions * 4 };
    add(figuresOf(exact, name, [pooledRanking(set, exact, isUnit)]));
  }
  for (const size of SIZES.filter((each) => each <= sizeMax)) {
    for (const figures of await measureSize(set, exact, size, seeds)) add(figures);
  }
  return all;
}

/** The encodings of one size: as published, ours, and ours as codes. */
async function measureSize(
  set: TokenSet,
  exact: Exact,
  size: FdeDimensions,
  seeds: number,
): Promise<CandidateFigures[]> {
  const used = size > TRAINED_OFTEN_MAX ? Math.min(SEEDS_OF_LARGE, seeds) : seeds;
  const rankings: Ranking[][] = [[], [], [], []];
  let coded = { bytes: 0, seconds: 0 };
  for (let seed = 1; seed <= used; seed++) {
    const options: LeanMultiIndexOptions = {
      dimensions: set.dimensions,
      fdeDimensions: size,
      seed,
    };
    for (const [i, fde] of [FILLED_MEANS, MEANS].entries()) {
      rankings[i]!.push(floatRanking(exact, encodeAll(set, { ...options, fde })));
    }
    const encoded = encodeAll(set, options);
    rankings[2]!.push(floatRanking(exact, encoded));
    const { ranking, ...rest } = await codeRanking(exact, encoded, options);
    rankings[3]!.push(ranking);
    coded = rest;
  }
  const methods = [
    'plain means, empty cells filled',
    'plain means',
    'unit-length centroids',
    'the same as codes in the graph',
  ];
  return methods.map((method, i) => {
    const bytes = i === 3 ? coded.bytes : 4 * size;
    const figures = figuresOf(exact, { method, dimensions: size, bytes }, rankings[i]!);
    return i === 3 ? { ...figures, buildSeconds: coded.seconds } : figures;
  });
}

interface Encoded {
  dimensions: number;
  documents: Float32Array;
  queries: Float32Array;
}

function encodeAll(set: TokenSet, options: LeanMultiIndexOptions): Encoded {
  const encoder = new FdeEncoder(resolveMulti(options).fde);
  const { dimensions } = encoder;
  const documents = encoder.encodeDocuments(set.corpus.tokens, set.corpus.offsets);
  const queries = new Float32Array(set.queries.ids.length * dimensions);
  set.queries.ids.forEach((_, q) => {
    queries.set(encoder.encodeQuery(queryRows(set, q)), q * dimensions);
  });
  return { dimensions, documents, queries };
}

function floatRanking(exact: Exact, { dimensions, documents, queries }: Encoded): Ranking {
  return rankingOf(exact, productsOf(queries, documents, dimensions));
}

/** By the codes of an index as LeanMultiIndex makes it. */
async function codeRanking(
  exact: Exact,
  { documents, queries, dimensions }: Encoded,
  options: LeanMultiIndexOptions,
): Promise<{ ranking: Ranking; bytes: number; seconds: number }> {
  const start = performance.now();
  const index = await LeanIndex.build(documents, resolveMulti(options).index);
  const seconds = (performance.now() - start) / 1000;
  const lists = exact.best.map((_, q) => {
    const query = queries.subarray(q * dimensions, (q + 1) * dimensions);
    return index.search(query, DEPTH, { ef: 2 * DEPTH }).ids;
  });
  const bytes = index.stats().bytesPerVector.primary;
  await index.close();
  return { ranking: { lists, needed: neededBy(exact.best, lists) }, bytes, seconds };
}

/** By the mean of a document's tokens, of unit length or not. */
function pooledRanking({ corpus, queries, dimensions }: TokenSet, exact: Exact, isUnit: boolean) {
  const [q, d] = [meansOf(queries, dimensions, false), meansOf(corpus, dimensions, isUnit)];
  return rankingOf(exact, productsOf(q, d, dimensions));
}

function meansOf({ tokens, offsets }: TokenTexts, dimensions: number, isUnit: boolean) {
  const out = new Float32Array((offsets.length - 1) * dimensions);
  for (let d = 0; d + 1 < offsets.length; d++) {
    const row = out.subarray(d * dimensions, (d + 1) * dimensions);
    const count = offsets[d + 1]! - offsets[d]!;
    for (let t = offsets[d]!; t < offsets[d + 1]!; t++) {
      for (let i = 0; i < dimensions; i++) row[i]! += tokens[t * dimensions + i]! / count;
    }
    const length = isUnit ? Math.hypot(...row) : 1;
    for (let i = 0; i < dimensions; i++) row[i]! /= length;
  }
  return out;
}
