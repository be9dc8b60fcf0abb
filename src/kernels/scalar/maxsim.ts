/**
 * Scalar twin of wasm/maxsim.ts: an oracle for the tests, not exported by the package. A double loop in
 * float64.
 */
import { dot } from './float.js';

/** Rows of d numbers. */
export function rowsOf(values: Float32Array, d: number): Float32Array[] {
  return Array.from({ length: values.length / d }, (_, r) => values.subarray(r * d, (r + 1) * d));
}

/** Σ over the query's rows of the largest dot product with a row of the document; 0 without any. */
export function maxSim(query: Float32Array, document: Float32Array, d: number): number {
  const rows = rowsOf(document, d);
  if (rows.length === 0) return 0;
  return rowsOf(query, d).reduce((sum, q) => sum + Math.max(...rows.map((row) => dot(q, row))), 0);
}
