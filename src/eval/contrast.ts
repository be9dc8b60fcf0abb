import { checkInteger, checkRows } from '../base/check.js';
import { outOfRange } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { normsOf } from './norms.js';

/** Multiplications between two yields: about 2 ms. */
const PRODUCTS_PER_STEP = 2 ** 21;

/**
 * The mean angle, in degrees, between the rows and their mean: small where all lie in a narrow cone,
 * 90 where they spread around the origin. Rows of length 0 are left out; NaN where none is left, 90
 * where the mean is 0.
 */
export function relativeAngle(rows: Float32Array, dimensions: number): number {
  const norms = normsOf(rows, dimensions);
  const mean = new Float64Array(dimensions);
  for (let i = 0; i < rows.length; i++) mean[i % dimensions] += rows[i] / norms.length;
  const length = Math.hypot(...mean);
  let sum = 0;
  let used = 0;
  norms.forEach((norm, row) => {
    if (norm === 0) return;
    used++;
    let product = 0;
    for (let i = 0; i < dimensions; i++) product += rows[row * dimensions + i] * mean[i];
    const cosine = length === 0 ? 0 : product / (norm * length);
    sum += Math.acos(Math.min(1, Math.max(-1, cosine)));
  });
  return ((sum / used) * 180) / Math.PI;
}

/** Means over the queries of their euclidean distances to the rows. */
export interface DistanceProfile {
  /** To the nearest row. */
  nearest: number;
  /** To all rows. */
  all: number;
  /**
   * Relative contrast, `all / nearest` (He, Kumar and Chang, ICML 2012): near 1 nothing stands out,
   * and any index has to look at much. Infinity where every query is among the rows.
   */
  contrast: number;
}

/**
 * How near the nearest row is beside the others, for queries that are not rows themselves. Takes
 * about rows x queries x dimensions nanoseconds.
 *
 * @param rows n x dimensions, n ≥ 1; of unit length where Cosine is meant.
 * @param queries m x dimensions, m ≥ 1.
 */
export function* distanceProfile(
  rows: Float32Array,
  queries: Float32Array,
  dimensions: number,
): Steps<DistanceProfile> {
  checkInteger('dimensions', dimensions, 1, 65_536);
  const count = checkRows('rows', rows, dimensions);
  const queryCount = checkRows('queries', queries, dimensions);
  if (count === 0) throw outOfRange('the number of rows', 'at least 1', 0);
  if (queryCount === 0) throw outOfRange('the number of queries', 'at least 1', 0);
  const perStep = Math.max(1, Math.floor(PRODUCTS_PER_STEP / dimensions));
  let nearest = 0;
  let all = 0;
  let done = 0;
  for (let q = 0; q < queryCount; q++) {
    let least = Infinity;
    let sum = 0;
    for (let row = 0; row < count; row++) {
      const squares = squaredDistance(rows, row * dimensions, queries, q * dimensions, dimensions);
      least = Math.min(least, squares);
      sum += Math.sqrt(squares);
      if (++done % perStep === 0) yield;
    }
    nearest += Math.sqrt(least) / queryCount;
    all += sum / (count * queryCount);
  }
  return { nearest, all, contrast: all / nearest };
}

function squaredDistance(
  a: Float32Array,
  fromA: number,
  b: Float32Array,
  fromB: number,
  dimensions: number,
): number {
  let sum = 0;
  for (let i = 0; i < dimensions; i++) {
    const difference = a[fromA + i] - b[fromB + i];
    sum += difference * difference;
  }
  return sum;
}
