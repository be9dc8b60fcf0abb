import { checkInteger, checkRows } from '../base/check.js';

/** A coordinate that is much larger than the others in most rows. */
export interface OutlierDimension {
  /** Its number, from 0. */
  dimension: number;
  /** Its root mean square, in units of the median of all dimensions that are not 0 throughout. */
  times: number;
  /** Its share of the squared lengths of all rows. */
  share: number;
}

/** Transformers have a few of six times the usual size and more (Dettmers et al., 2022). */
const OUTLIER_TIMES = 6;

/**
 * The dimensions whose root mean square is at least `least` times the median one, the largest first.
 * Dimensions of zeros alone, as vectors have that were filled up, are not counted.
 * Coders that give all coordinates one interval waste it on them; a rotation spreads them.
 */
export function outlierDimensions(
  rows: Float32Array,
  dimensions: number,
  least = OUTLIER_TIMES,
): OutlierDimension[] {
  checkInteger('dimensions', dimensions, 1, 65_536);
  checkRows('rows', rows, dimensions);
  const squares = new Float64Array(dimensions);
  for (let i = 0; i < rows.length; i++) squares[i % dimensions] += rows[i] ** 2;
  const sorted = squares.filter((square) => square > 0).sort();
  const median = Math.sqrt(sorted[Math.floor((sorted.length - 1) / 2)]);
  const total = sorted.reduce((sum, x) => sum + x, 0);
  return Array.from(squares, (square, dimension) => ({
    dimension,
    times: Math.sqrt(square) / median,
    share: square / total,
  }))
    .filter(({ times }) => times >= least && times > 1)
    .sort((a, b) => b.times - a.times);
}
