/**
 * Scalar twin of wasm/project.ts: an oracle for the tests, not exported by the package. The product
 * by its definition in float64, from which the kernel's int16 may differ a little.
 */
import { dot } from './float.js';

/** The inner products of x with each row of the projection (row-major, x.length a row). */
export function project(x: Float32Array, rows: Float32Array): Float64Array {
  const products = new Float64Array(rows.length / x.length);
  for (let r = 0; r < products.length; r++) {
    products[r] = dot(x, rows.subarray(r * x.length, (r + 1) * x.length));
  }
  return products;
}
