import { checkInteger, checkRows } from '../base/check.js';

/** The euclidean length of each row of `dimensions` numbers, in float64. */
export function normsOf(rows: Float32Array, dimensions: number): Float64Array {
  checkInteger('dimensions', dimensions, 1, 65_536);
  const norms = new Float64Array(checkRows('rows', rows, dimensions));
  for (let row = 0; row < norms.length; row++) {
    let sum = 0;
    for (let i = row * dimensions; i < (row + 1) * dimensions; i++) sum += rows[i] ** 2;
    norms[row] = Math.sqrt(sum);
  }
  return norms;
}

/** The rows scaled to length 1; rows of length 0 stay. */
export function unitRows(rows: Float32Array, dimensions: number): Float32Array {
  const unit = rows.slice();
  normsOf(rows, dimensions).forEach((norm, row) => {
    if (norm === 0) return;
    const end = (row + 1) * dimensions;
    for (let i = row * dimensions; i < end; i++) unit[i] /= norm;
  });
  return unit;
}

/**
 * Standard deviation over mean, the deviation divided by the number of values; NaN of none, 0 where
 * all are 0. Of the lengths of vectors it tells how far cosine, dot and euclid rank differently.
 */
export function coefficientOfVariation(values: ArrayLike<number>): number {
  const count = values.length;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i];
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (values[i] - mean) ** 2;
  return squares === 0 ? squares / count : Math.sqrt(squares / count) / mean;
}
