import { checkInteger, checkOneOf, checkRows, notFinite } from '../base/check.js';
import { DISTANCES, type Distance } from '../base/distance.js';

/** The exact neighbours of m queries, row after row, best first. */
export type GroundTruth = {
  readonly distance: Distance;
  /** Neighbours of each query. */
  readonly k: number;
  /** m x k row numbers of the corpus. */
  readonly ids: Uint32Array;
  /** m x k scores in float64. */
  readonly scores: Float64Array;
};

/** Queries that are compared with a row at a time; the comparisons below are written for four. */
const LANES = 4;

/** A block of rows stays in the second-level cache while all queries pass over it. */
const BLOCK_BYTES = 2 ** 18;

/**
 * The k exact neighbours of every query by brute force in float64, ties by the lower id.
 * The cosine with a vector of length zero is 0. Throws INVALID_ARGUMENT and DIMENSION_MISMATCH.
 *
 * @param corpus rows of `dimensions` finite numbers, at least `k` rows.
 * @param queries rows of `dimensions` finite numbers.
 * @param onProgress told how many rows of the corpus are done, and of how many.
 */
export function exactNeighbours(
  corpus: Float32Array,
  queries: Float32Array,
  dimensions: number,
  k: number,
  distance: Distance,
  onProgress?: (done: number, total: number) => void,
): GroundTruth {
  const [count, queryCount] = checkArguments(corpus, queries, dimensions, distance);
  checkInteger('k', k, 1, count);
  const factors = factorsOf('corpus', corpus, dimensions, distance);
  const groups = interleave(queries, factorsOf('queries', queries, dimensions, distance));
  const compare = distance === 'Euclid' ? compareDistances : compareProducts;
  const ids = new Uint32Array(queryCount * k);
  const scores = new Float64Array(queryCount * k).fill(-Infinity);
  const blockRows = Math.max(1, Math.floor(BLOCK_BYTES / (4 * dimensions)));
  const results = new Float64Array(blockRows * LANES);
  for (let start = 0; start < count; start += blockRows) {
    const end = Math.min(count, start + blockRows);
    for (let query = 0; query < queryCount; query++) {
      const lane = query % LANES;
      if (lane === 0) {
        const group = groups.subarray(query * dimensions, (query + LANES) * dimensions);
        compare(corpus, start, end, group, results);
      }
      keepBest(results, lane, factors, start, end, ids, scores, query * k, k);
    }
    onProgress?.(end, count);
  }
  if (distance === 'Euclid') {
    for (let i = 0; i < scores.length; i++) scores[i] = toDistance(scores[i]);
  }
  return { distance, k, ids, scores };
}

/** The ids of the k nearest of each query, row after row. */
export function nearestIds({ ids, k: depth }: GroundTruth, k: number): Uint32Array {
  return ids.filter((_, i) => i % depth < k);
}

/**
 * The exact score, as `exactNeighbours` gives it, of one query (by row) with one row of the
 * corpus; for `recallAtK` to judge ids beyond the ground truth. It reads no other rows, and throws
 * INVALID_ARGUMENT for one with a number that is not finite.
 */
export function exactScorer(
  corpus: Float32Array,
  queries: Float32Array,
  dimensions: number,
  distance: Distance,
): (query: number, id: number) => number {
  checkArguments(corpus, queries, dimensions, distance);
  const compare = distance === 'Euclid' ? compareDistances : compareProducts;
  const results = new Float64Array(LANES);
  // Ids are judged query by query.
  let last = -1;
  let group: Float64Array = new Float64Array(0);
  return (query, id) => {
    if (query !== last) {
      const row = queries.subarray(query * dimensions, (query + 1) * dimensions);
      const factor = factorOf('queries', queries, query, dimensions, distance);
      group = interleave(row, Float64Array.of(factor));
      last = query;
    }
    const factor = factorOf('corpus', corpus, id, dimensions, distance);
    compare(corpus, id, id + 1, group, results);
    return distance === 'Euclid' ? toDistance(results[0]) : results[0] * factor;
  };
}

/** The numbers of rows of the corpus and of the queries. */
function checkArguments(
  corpus: Float32Array,
  queries: Float32Array,
  dimensions: number,
  distance: Distance,
): [number, number] {
  checkInteger('dimensions', dimensions, 1, 65_536);
  checkOneOf('distance', distance, DISTANCES);
  return [checkRows('corpus', corpus, dimensions), checkRows('queries', queries, dimensions)];
}

/** What each row's products are multiplied by: 1, or 1 / length for Cosine (0 for length 0). */
function factorsOf(
  what: string,
  rows: Float32Array,
  dimensions: number,
  distance: Distance,
): Float64Array {
  const factors = new Float64Array(rows.length / dimensions);
  for (let row = 0; row < factors.length; row++) {
    factors[row] = factorOf(what, rows, row, dimensions, distance);
  }
  return factors;
}

function factorOf(
  what: string,
  rows: Float32Array,
  row: number,
  dimensions: number,
  distance: Distance,
): number {
  const start = row * dimensions;
  let sum = 0;
  for (let i = start; i < start + dimensions; i++) sum += rows[i] * rows[i];
  // A NaN would pass every comparison by and fall out of the results without a word. Squares of
  // finite float32 numbers cannot overflow float64.
  if (!Number.isFinite(sum)) {
    const column = rows.subarray(start).findIndex((value) => !Number.isFinite(value));
    throw notFinite(what, row, column, rows[start + column]);
  }
  if (distance !== 'Cosine') return 1;
  return sum === 0 ? 0 : 1 / Math.sqrt(sum);
}

/**
 * Queries in groups of four, dimension by dimension: number i of the group's query j is at 4 i + j
 * of the group. The last group is filled up with zeros.
 */
function interleave(queries: Float32Array, factors: Float64Array): Float64Array {
  const dimensions = queries.length / factors.length;
  const groups = new Float64Array(Math.ceil(factors.length / LANES) * LANES * dimensions);
  for (let query = 0; query < factors.length; query++) {
    const lane = query % LANES;
    const start = (query - lane) * dimensions + lane;
    for (let i = 0; i < dimensions; i++) {
      groups[start + i * LANES] = queries[query * dimensions + i] * factors[query];
    }
  }
  return groups;
}

/** Inner products of rows [start, end) with a group of four queries, four results a row. */
function compareProducts(
  corpus: Float32Array,
  start: number,
  end: number,
  group: Float64Array,
  results: Float64Array,
): void {
  const dimensions = group.length / LANES;
  for (let row = start, out = 0; row < end; row++, out += LANES) {
    const base = row * dimensions;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let i = 0, g = 0; i < dimensions; i++, g += LANES) {
      const x = corpus[base + i];
      a += x * group[g];
      b += x * group[g + 1];
      c += x * group[g + 2];
      d += x * group[g + 3];
    }
    results[out] = a;
    results[out + 1] = b;
    results[out + 2] = c;
    results[out + 3] = d;
  }
}

/**
 * Squared distances, negated so that more is better here too. By differences, not by norms minus
 * products: that would leave rounding errors of 1e-8 between equal vectors after the root.
 */
function compareDistances(
  corpus: Float32Array,
  start: number,
  end: number,
  group: Float64Array,
  results: Float64Array,
): void {
  const dimensions = group.length / LANES;
  for (let row = start, out = 0; row < end; row++, out += LANES) {
    const base = row * dimensions;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let i = 0, g = 0; i < dimensions; i++, g += LANES) {
      const x = corpus[base + i];
      const p = x - group[g];
      const q = x - group[g + 1];
      const r = x - group[g + 2];
      const s = x - group[g + 3];
      a -= p * p;
      b -= q * q;
      c -= r * r;
      d -= s * s;
    }
    results[out] = a;
    results[out + 1] = b;
    results[out + 2] = c;
    results[out + 3] = d;
  }
}

/** The distance of a negated square; subtracted from 0, as the root of -0 would be -0. */
function toDistance(score: number): number {
  return Math.sqrt(0 - score);
}

/**
 * Merges one query's results of rows [start, end) into its k best, sorted, at `offset` on. Rows
 * come in ascending order, so a tie goes behind what is there and ties are by the lower id.
 */
function keepBest(
  results: Float64Array,
  lane: number,
  factors: Float64Array,
  start: number,
  end: number,
  ids: Uint32Array,
  scores: Float64Array,
  offset: number,
  k: number,
): void {
  const last = offset + k - 1;
  for (let row = start; row < end; row++) {
    const score = results[(row - start) * LANES + lane] * factors[row];
    if (score <= scores[last]) continue;
    let place = last;
    while (place > offset && scores[place - 1] < score) {
      scores[place] = scores[place - 1];
      ids[place] = ids[place - 1];
      place -= 1;
    }
    scores[place] = score;
    ids[place] = row;
  }
}
