/**
 * `count` rows made one at a time: `fill` gets a zeroed row of `dimensions` float64 numbers and
 * the number of the row. Rounded to float32 once, after scaling to unit length if wanted.
 */
export function makeRows(
  count: number,
  dimensions: number,
  normalise: boolean,
  fill: (row: Float64Array, index: number) => void,
): Float32Array {
  const rows = new Float32Array(count * dimensions);
  const row = new Float64Array(dimensions);
  for (let index = 0; index < count; index++) {
    row.fill(0);
    fill(row, index);
    if (normalise) scale(row, 1 / norm(row));
    rows.set(row, index * dimensions);
  }
  return rows;
}

/** The Euclidean length. */
export function norm(row: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i] * row[i];
  return Math.sqrt(sum);
}

/** Multiplies a row in place. */
export function scale(row: Float64Array, factor: number): void {
  for (let i = 0; i < row.length; i++) row[i] *= factor;
}

/** The rows that `order` names, in its order: row `order[i]` becomes row i. */
export function reorderRows(
  rows: Float32Array,
  dimensions: number,
  order: Uint32Array,
): Float32Array {
  const moved = new Float32Array(order.length * dimensions);
  for (let i = 0; i < order.length; i++) {
    const start = order[i] * dimensions;
    moved.set(rows.subarray(start, start + dimensions), i * dimensions);
  }
  return moved;
}
