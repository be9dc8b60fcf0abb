import { checkInteger } from '../base/check.js';

/** An estimated share, 0 … 1, and an interval that holds the true one in about 95 % of cases. */
export interface ShareEstimate {
  share: number;
  low: number;
  high: number;
}

/** Standard errors on either side; also what the method adds to hits and to misses. */
const Z = 2;

/**
 * The share of hits in a population from a random sample of it, after Agresti and Coull (The
 * American Statistician 52, 1998) with z = 2: two hits and two misses are added, and the normal
 * interval taken, cut to 0 … 1. It holds for few hits too, and for none.
 *
 * @throws TypeError, RangeError `INVALID_ARGUMENT` unless 0 ≤ hits ≤ sample.
 */
export function estimateShare(hits: number, sample: number): ShareEstimate {
  checkInteger('sample', sample, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('hits', hits, 0, sample);
  const size = sample + Z * Z;
  const share = (hits + (Z * Z) / 2) / size;
  const margin = Z * Math.sqrt((share * (1 - share)) / size);
  return { share, low: Math.max(0, share - margin), high: Math.min(1, share + margin) };
}
