import { checkInteger, checkRows } from '../base/check.js';
import { DISTANCES, type Distance } from '../base/distance.js';
import { outOfRange, wrongDimension } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { exactNeighbours } from './ground-truth.js';
import { mean } from './metrics.js';

/** Rows that ask between two yields. */
const QUERIES_PER_STEP = 4;

/** How well neighbours by each distance tell the class of a row. */
export interface LabelRecall {
  /** Rows that asked. */
  asked: number;
  /** Share of the k nearest other rows that have the class of the asking one, mean over those that asked. */
  cosine: number;
  dot: number;
  euclid: number;
  /** Standard error of `cosine - euclid`: the same rows ask. */
  error: number;
}

/**
 * Label recall (Iceberg, arXiv 2512.12980) of exact search by each distance: the first `asking` rows
 * ask for the k nearest of the others.
 *
 * @param rows n x dimensions, n > k.
 * @param labels n numbers.
 * @throws RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`
 */
export function* labelRecall(
  rows: Float32Array,
  dimensions: number,
  labels: ArrayLike<number>,
  k: number,
  asking: number,
): Steps<LabelRecall> {
  checkInteger('dimensions', dimensions, 1, 65_536);
  const count = checkRows('rows', rows, dimensions);
  if (labels.length !== count) throw wrongDimension('labels', count, labels.length);
  if (count <= k) throw outOfRange('the number of rows', `more than ${k}`, count);
  const asked = Math.min(asking, count);
  const shares = { Cosine: [], Dot: [], Euclid: [] } as Record<Distance, number[]>;
  for (let from = 0; from < asked; from += QUERIES_PER_STEP) {
    const to = Math.min(asked, from + QUERIES_PER_STEP);
    const queries = rows.subarray(from * dimensions, to * dimensions);
    for (const distance of DISTANCES) {
      const { ids } = exactNeighbours(rows, queries, dimensions, k + 1, distance);
      for (let row = from; row < to; row++) {
        const found = ids.subarray((row - from) * (k + 1), (row - from + 1) * (k + 1));
        // By Dot a row need not be among its own nearest.
        const others = Array.from(found).filter((id) => id !== row);
        const right = others.slice(0, k).filter((id) => labels[id] === labels[row]);
        shares[distance].push(right.length / k);
      }
      yield;
    }
  }
  const differences = shares.Cosine.map((x, i) => x - shares.Euclid[i]);
  return {
    asked,
    cosine: mean(shares.Cosine),
    dot: mean(shares.Dot),
    euclid: mean(shares.Euclid),
    error: standardError(differences),
  };
}

/** Of the mean. */
function standardError(values: readonly number[]): number {
  const centre = mean(values);
  const squares = values.reduce((sum, x) => sum + (x - centre) ** 2, 0);
  return Math.sqrt(squares / Math.max(1, values.length - 1) / values.length);
}
