import { checkFinite, checkInteger, checkOneOf, checkRows } from '../base/check.js';
import { DISTANCES, type Distance } from '../base/distance.js';
import { outOfRange } from '../base/errors.js';
import { Random } from '../base/random.js';
import type { Steps } from '../base/steps.js';
import { exactNeighbours } from './ground-truth.js';

/**
 * Local intrinsic dimensionality (LID): how many dimensions the data seem to have around a vector,
 * from how fast the number of neighbours grows with the distance. Distances are Euclidean: between
 * vectors as they are for Euclid and Dot, between vectors of unit length for Cosine.
 */
export interface LidOptions {
  dimensions: number;
  distance: Distance;
  /** Neighbours that an estimate rests on; its standard error is about LID / √k. Default 100. */
  k?: number;
  /** How many vectors, drawn by the seed, are estimated; all if there are fewer. Default 256. */
  sample?: number;
  seed: number;
}

export interface LidReport {
  /** Neighbours used: k, or all other vectors where there are fewer. */
  k: number;
  /** Vectors with an estimate. */
  estimated: number;
  /** Vectors of the sample without one: fewer than two different distances to neighbours. */
  without: number;
  /** Of the estimates; NaN where there are none. */
  mean: number;
  quantiles: { p5: number; p25: number; p50: number; p75: number; p95: number };
}

/** Neighbours of an estimate, unless given. */
export const LID_NEIGHBOURS = 100;
const SAMPLE_ROWS = 256;
/** Distances up to this share of the k-th are rounding errors between equal vectors. */
const ZERO_SHARE = 1e-6;
/** Below this the product of ratios, each above ZERO_SHARE, is turned into a logarithm. */
const PRODUCT_LEAST = 1e-200;

/**
 * The maximum-likelihood estimate −((1/k) Σ ln(rᵢ / r_k))⁻¹ of the dimension around a point (Amsaleg
 * et al., KDD 2015; Levina and Bickel, 2004). The k-th term is 0 and counts: the sum is divided by k,
 * not by k − 1. Distances of 0 are dropped, and k is the number of those left.
 *
 * @param distances to the nearest neighbours, ascending, the point itself left out.
 * @returns NaN where no two positive distances differ: nothing can be said.
 */
export function lidOf(distances: ArrayLike<number>): number {
  const last = distances[distances.length - 1] ?? 0;
  const zero = last * ZERO_SHARE;
  let used = 0;
  let sum = 0;
  // One logarithm of a product instead of one a distance.
  let product = 1;
  for (let i = 0; i < distances.length; i++) {
    if (distances[i]! <= zero) continue;
    used++;
    product *= distances[i]! / last;
    if (product > PRODUCT_LEAST) continue;
    sum += Math.log(product);
    product = 1;
  }
  sum += Math.log(product);
  return sum === 0 ? Number.NaN : -used / sum;
}

/**
 * The LID of a data set: estimates of a sample of its vectors from their exact neighbours among all
 * of them. It takes about sample x n x dimensions nanoseconds. The estimate is biased low where the
 * dimension is high: neighbours thin out towards the edge of any finite data.
 *
 * @param vectors n x dimensions.
 * @throws TypeError, RangeError `INVALID_ARGUMENT` for wrong options or numbers that are not
 * finite, `DIMENSION_MISMATCH` for rows that do not fit.
 */
export function* localIntrinsicDimensionality(
  vectors: Float32Array,
  options: LidOptions,
): Steps<LidReport> {
  const { dimensions, distance, seed } = options;
  const count = checkLidArguments(vectors, options);
  const sample = checkInteger('sample', options.sample ?? SAMPLE_ROWS, 1, 0xffff_ffff);
  yield* requireFinite(vectors, dimensions);
  const k = Math.max(0, Math.min(options.k ?? LID_NEIGHBOURS, count - 1));
  const rows = drawRows(count, sample, seed);
  const estimates = new Float64Array(rows.length);
  for (let first = 0; first < rows.length; first += QUERIES_AT_ONCE) {
    const batch = rows.subarray(first, first + QUERIES_AT_ONCE);
    const nearest = yield* nearestDistances(vectors, batch, dimensions, k + 1, distance);
    // The first is the vector itself, or an equal one.
    nearest.forEach((distances, i) => {
      estimates[first + i] = lidOf(distances.subarray(1));
    });
  }
  const known = estimates.filter((x) => !Number.isNaN(x)).sort();
  return {
    k,
    estimated: known.length,
    without: estimates.length - known.length,
    mean: known.reduce((sum, x) => sum + x, 0) / known.length,
    quantiles: {
      p5: quantile(known, 0.05),
      p25: quantile(known, 0.25),
      p50: quantile(known, 0.5),
      p75: quantile(known, 0.75),
      p95: quantile(known, 0.95),
    },
  };
}

/** Checks what all estimators take; the number of rows. */
export function checkLidArguments(
  vectors: Float32Array,
  { dimensions, distance, k, seed }: Omit<LidOptions, 'sample'>,
): number {
  checkInteger('dimensions', dimensions, 1, 65_536);
  checkOneOf('distance', distance, DISTANCES);
  if (k !== undefined) checkInteger('k', k, 2, 10_000);
  checkInteger('seed', seed, 0, 0xffff_ffff);
  return checkRows('vectors', vectors, dimensions);
}

/** @throws RangeError `INVALID_ARGUMENT` naming row and column of a NaN or infinity. */
export function* requireFinite(vectors: Float32Array, dimensions: number): Steps<void> {
  for (let from = 0; from < vectors.length; from += NUMBERS_PER_STEP) {
    const part = vectors.subarray(from, from + NUMBERS_PER_STEP);
    if (!part.every(Number.isFinite)) checkFinite('vectors', vectors, dimensions);
    yield;
  }
}

/** Up to `size` of `count` row numbers, ascending. */
export function drawRows(count: number, size: number, seed: number): Uint32Array {
  return new Random(seed).permutation(count).slice(0, size).sort();
}

const NUMBERS_PER_STEP = 2 ** 18;
const QUERIES_AT_ONCE = 32;
/** Multiplications between two yields: about 2 ms. */
const PRODUCTS_PER_STEP = 2 ** 21;

/** The k least distances of each of the given rows to all rows, itself among them, ascending. */
function* nearestDistances(
  vectors: Float32Array,
  rows: Uint32Array,
  dimensions: number,
  k: number,
  distance: Distance,
): Steps<Float64Array[]> {
  const measure = distance === 'Cosine' ? 'Cosine' : 'Euclid';
  const queries = new Float32Array(rows.length * dimensions);
  rows.forEach((row, i) => {
    queries.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
  });
  const best: Float64Array[] = Array.from(rows, () => new Float64Array(k).fill(Infinity));
  const perBlock = Math.max(1, Math.floor(PRODUCTS_PER_STEP / queries.length)) * dimensions;
  for (let from = 0; from < vectors.length; from += perBlock) {
    const block = vectors.subarray(from, from + perBlock);
    const found = Math.min(k, block.length / dimensions);
    const { scores } = exactNeighbours(block, queries, dimensions, found, measure);
    if (measure === 'Cosine') toChords(scores);
    best.forEach((distances, i) => {
      best[i] = mergeLeast(distances, scores.subarray(i * found, (i + 1) * found));
    });
    yield;
  }
  return best;
}

/** Cosines to distances between the vectors scaled to unit length. */
function toChords(cosines: Float64Array): void {
  for (let i = 0; i < cosines.length; i++) cosines[i] = Math.sqrt(Math.max(0, 2 - 2 * cosines[i]!));
}

/** The least of two ascending lists, as many as the first one has. */
function mergeLeast(a: Float64Array, b: Float64Array): Float64Array {
  const merged = new Float64Array(a.length);
  for (let i = 0, fromB = 0; i < a.length; i++) {
    const other = b[fromB] ?? Infinity;
    const fromA = i - fromB;
    if (a[fromA]! <= other) merged[i] = a[fromA]!;
    else {
      merged[i] = other;
      fromB++;
    }
  }
  return merged;
}

/** The q-quantile of ascending numbers, between two of them in proportion; NaN of none. */
function quantile(sorted: Float64Array, q: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = q * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (place - below) * (sorted[above]! - sorted[below]!);
}

/**
 * Row numbers by ascending or descending LID, ties by row; a row without an estimate (NaN) lies
 * among equal vectors and counts as of dimension 0. Compared in float32, so that engines whose
 * logarithms differ in the last bit give the same order.
 */
export function orderByLid(lids: Float64Array, order: 'lid-asc' | 'lid-desc'): Uint32Array {
  checkOneOf('order', order, ['lid-asc', 'lid-desc']);
  if (!(lids instanceof Float64Array)) throw outOfRange('lids', 'a Float64Array', lids);
  // Positive floats are ordered as their bits are; the row is in the lower half of the key.
  const keys = new BigUint64Array(lids.length);
  const words = new Uint32Array(keys.buffer);
  const bits = new Uint32Array(Float32Array.from(lids, (x) => (x > 0 ? x : 0)).buffer);
  for (let row = 0; row < lids.length; row++) {
    words[2 * row] = row;
    words[2 * row + 1] = order === 'lid-asc' ? bits[row]! : ~bits[row]!;
  }
  keys.sort();
  return Uint32Array.from(lids, (_, i) => words[2 * i]!);
}
