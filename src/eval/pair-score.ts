import type { Distance } from '../base/distance.js';

/** Rows of `dimensions` numbers one after another. */
interface Matrix {
  rows: Float32Array;
  dimensions: number;
}

/**
 * The score of one row with one query in float64, as `exactNeighbours` has it up to rounding: for few
 * pairs, where `exactScorer` would first read the whole corpus. Numbers are finite.
 */
export function pairScore(
  corpus: Matrix,
  row: number,
  queries: Float32Array,
  query: number,
  distance: Distance,
): number {
  const { rows, dimensions } = corpus;
  const [a, b] = [row * dimensions, query * dimensions];
  let products = 0;
  let squares = 0;
  let rowSquares = 0;
  let querySquares = 0;
  for (let i = 0; i < dimensions; i++) {
    const x = rows[a + i];
    const y = queries[b + i];
    products += x * y;
    squares += (x - y) * (x - y);
    rowSquares += x * x;
    querySquares += y * y;
  }
  if (distance === 'Euclid') return Math.sqrt(squares);
  if (distance === 'Dot') return products;
  const lengths = Math.sqrt(rowSquares * querySquares);
  return lengths === 0 ? 0 : products / lengths;
}
