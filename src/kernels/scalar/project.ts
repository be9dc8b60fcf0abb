/**
 * Scalar twin of wasm/project.ts: an oracle for the tests, not exported by the package. Once in
 * int16, as the kernel does it and to the bit, and once by its definition in float64, from which
 * int16 may differ a little.
 */
import { dot } from './float.js';
import { clamp, nearest } from './round.js';

const { fround } = Math;

/** The length of rows and inputs in int16. */
const SCALE = 32_767;

export interface QuantisedInput {
  input: Int16Array;
  /** What makes products with `input` those with the vector. */
  factor: number;
}

/** The inner products of x with each row of the projection (row-major, x.length a row). */
export function project(x: Float32Array, rows: Float32Array): Float64Array {
  const products = new Float64Array(rows.length / x.length);
  for (let r = 0; r < products.length; r++) {
    products[r] = dot(x, rows.subarray(r * x.length, (r + 1) * x.length));
  }
  return products;
}

/** x at length 32,767, rounded. */
export function quantiseInput(x: Float32Array): QuantisedInput {
  const length = Math.sqrt(squaredLength(x));
  const factor = length > 0 ? fround(SCALE / length) : 0;
  return {
    input: Int16Array.from(x, (value) => nearest(fround(value * factor))),
    factor: fround(length / SCALE),
  };
}

/** Σ x² in float64, added up in the kernel's order: four lanes, then what is left of a v128. */
function squaredLength(x: Float32Array): number {
  const whole = x.length - (x.length % 4);
  const lanes = new Float64Array(4);
  for (let i = 0; i < whole; i++) lanes[i % 4]! += x[i]! * x[i]!;
  const sum = lanes[0]! + lanes[2]! + (lanes[1]! + lanes[3]!);
  return x.subarray(whole).reduce((total, value) => total + value * value, sum);
}

/** The projection of the int16 forms of a vector and of the rows. */
export function projectInput(
  { input, factor }: QuantisedInput,
  rows: Float32Array,
): Float32Array<ArrayBuffer> {
  const quantised = Int16Array.from(rows, (w) => clamp(nearest(fround(w * SCALE)), -SCALE, SCALE));
  const back = fround(factor / SCALE);
  const n = input.length;
  return Float32Array.from({ length: rows.length / n }, (_, r) =>
    fround(fround(dot(input, quantised.subarray(r * n, (r + 1) * n))) * back),
  );
}
