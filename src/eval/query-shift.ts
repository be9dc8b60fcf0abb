import { checkRows } from '../base/check.js';
import type { Steps } from '../base/steps.js';
import { distanceProfile } from './contrast.js';

/** How far queries are from the distribution of the data. */
export interface QueryShift {
  /** Distance of the two means, in units of the root mean square distance of rows to their mean. */
  mean: number;
  /**
   * How many times as far the nearest row is for a query as for a row of the data itself: 1 for
   * queries of the same kind.
   */
  nearest: number;
}

/**
 * @param rows n x dimensions.
 * @param heldOut rows of the same data that are not among `rows`, at least 1.
 * @param queries m x dimensions, m ≥ 1.
 */
export function* queryShift(
  rows: Float32Array,
  heldOut: Float32Array,
  queries: Float32Array,
  dimensions: number,
): Steps<QueryShift> {
  const own = yield* distanceProfile(rows, heldOut, dimensions);
  const theirs = yield* distanceProfile(rows, queries, dimensions);
  const mean = meanOf(rows, dimensions);
  const queryMean = meanOf(queries, dimensions);
  let between = 0;
  mean.forEach((x, i) => {
    between += (x - queryMean[i]) ** 2;
  });
  let spread = 0;
  for (let i = 0; i < rows.length; i++) spread += (rows[i] - mean[i % dimensions]) ** 2;
  const typical = Math.sqrt((spread * dimensions) / rows.length);
  return { mean: Math.sqrt(between) / typical, nearest: theirs.nearest / own.nearest };
}

function meanOf(rows: Float32Array, dimensions: number): Float64Array {
  const count = checkRows('rows', rows, dimensions);
  const mean = new Float64Array(dimensions);
  for (let i = 0; i < rows.length; i++) mean[i % dimensions] += rows[i] / count;
  return mean;
}
