import type { TokenSet } from '../../datasets/token-set.js';
import { Kernels } from '../../src/kernels/index.js';
import { panelsOf, productsInto } from './products.js';

/** Candidates that are looked at: more are not told apart. */
export const DEPTH = 400;
/** Results whose recall is measured. */
export const K = 10;
/** Nearest tokens of a query token that the single-vector heuristic may look at. */
const NEAREST = 4000;

/** Scores that are sorted to find the best of many. */
const SAMPLE = 8192;

/** Candidates of each query, best first, and how many are needed to meet its best document. */
export interface Ranking {
  readonly lists: readonly Uint32Array[];
  readonly needed: readonly number[];
}

/** What exhaustive scoring of all queries gives. */
export interface Exact {
  /** The K best documents of each query by MaxSim of float32 tokens, best first. */
  readonly best: readonly Uint32Array[];
  /** The nearest tokens of each query token in turn, documents counted once. */
  readonly heuristic: Ranking;
}

/** The token rows of query i. */
export function queryRows({ queries, dimensions }: TokenSet, i: number): Float32Array {
  const { tokens, offsets } = queries;
  return tokens.subarray(offsets[i]! * dimensions, offsets[i + 1]! * dimensions);
}

/** MaxSim of each query with each document from float32 products, and the heuristic's candidates. */
export function scoreAll(set: TokenSet): Exact {
  const { corpus, queries, dimensions } = set;
  const kernels = new Kernels();
  const panels = panelsOf(kernels, corpus.tokens, dimensions);
  const documentOf = documentsOfTokens(corpus.offsets);
  const best: Uint32Array[] = [];
  const lists: Uint32Array[] = [];
  const needed: number[] = [];
  for (let q = 0; q < queries.ids.length; q++) {
    const mark = kernels.mark();
    const query = queryRows(set, q);
    const products = productsInto(kernels, query, panels);
    const scores = new Float32Array(corpus.ids.length);
    for (const row of products.rows) addBest(row, corpus.offsets, scores);
    best.push(bestOf(scores, K));
    const nearest = products.rows.map((row) => bestOf(row, Math.min(NEAREST, row.length)));
    const met = meetInTurn(nearest, documentOf, best[q]![0]!);
    lists.push(met.list);
    needed.push(met.needed);
    kernels.release(mark);
  }
  return { best, heuristic: { lists, needed } };
}

/** Adds a query token's largest product with a token of each document. */
function addBest(row: Float32Array, offsets: Uint32Array, scores: Float32Array): void {
  for (let d = 0; d < scores.length; d++) {
    let most = -Infinity;
    for (let p = offsets[d]!; p < offsets[d + 1]!; p++) if (row[p]! > most) most = row[p]!;
    scores[d]! += most;
  }
}

function documentsOfTokens(offsets: Uint32Array): Uint32Array {
  const documentOf = new Uint32Array(offsets.at(-1)!);
  for (let d = 0; d + 1 < offsets.length; d++) documentOf.fill(d, offsets[d]!, offsets[d + 1]!);
  return documentOf;
}

/**
 * Documents in the order in which rounds over the query tokens meet them: in round r each takes its
 * r-th nearest token. Needed are all of the rounds up to the one that meets the wanted document.
 */
function meetInTurn(nearest: readonly Uint32Array[], documentOf: Uint32Array, wanted: number) {
  const met = new Set<number>();
  let needed = DEPTH + 1;
  for (let r = 0; r < nearest[0]!.length && (met.size < DEPTH || needed > DEPTH); r++) {
    for (const tokens of nearest) met.add(documentOf[tokens[r]!]!);
    if (needed > DEPTH && met.has(wanted)) needed = met.size;
  }
  return { list: Uint32Array.from([...met].slice(0, DEPTH)), needed };
}

/** The places of the k largest numbers, largest first. */
export function bestOf(scores: Float32Array, k: number): Uint32Array {
  const reach = (threshold: number) => {
    const places: number[] = [];
    for (let i = 0; i < scores.length; i++) if (scores[i]! >= threshold) places.push(i);
    return places;
  };
  // Sorting all would take longer than all else.
  const likely = reach(likelyThreshold(scores, k));
  const places = likely.length >= k ? likely : reach(-Infinity);
  places.sort((a, b) => scores[b]! - scores[a]! || a - b);
  return Uint32Array.from(places.slice(0, k));
}

/** What about twice k of the scores reach, by a sample. */
function likelyThreshold(scores: Float32Array, k: number): number {
  const step = Math.ceil(scores.length / SAMPLE);
  const sample = scores.filter((_, i) => i % step === 0).sort();
  const place = Math.floor(sample.length - 1 - (2 * k) / step);
  return place < 0 ? -Infinity : sample[place]!;
}

/** Rankings by a matrix of scores (queries x documents). */
export function rankingOf({ best }: Exact, scores: Float32Array): Ranking {
  const n = scores.length / best.length;
  const rows = best.map((_, q) => scores.subarray(q * n, (q + 1) * n));
  const lists = rows.map((row) => bestOf(row, DEPTH));
  return { lists, needed: neededBy(best, lists) };
}

/** The places of the best documents in lists; DEPTH + 1 where they are not in them. */
export function neededBy(best: Exact['best'], lists: readonly Uint32Array[]): number[] {
  return best.map(([first], q) => {
    const place = lists[q]!.indexOf(first!);
    return place < 0 ? DEPTH + 1 : place + 1;
  });
}

/** Mean share of the K best documents that are among the first `count` of lists. */
export function recallAt(exact: Exact, lists: readonly Uint32Array[], count: number): number {
  const shares = exact.best.map((best, q) => {
    const found = new Set(lists[q]!.subarray(0, count));
    return best.filter((id) => found.has(id)).length / best.length;
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
