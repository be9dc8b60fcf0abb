/**
 * Scalar twin of wasm/float.ts: an oracle for the tests, not exported by the package. Sums are
 * taken in float64; elementwise results are rounded to float32 and equal the kernels' to the bit.
 */

/** <a, b>. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!;
  return total;
}

/** ‖a − b‖². */
export function squaredL2(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += (a[i]! - b[i]!) ** 2;
  return total;
}

/** ‖a‖. */
export function norm(a: ArrayLike<number>): number {
  return Math.sqrt(dot(a, a));
}

/** Σ a_i. */
export function sum(a: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i]!;
  return total;
}

/** a_i · factor. */
export function scaled(a: Float32Array, factor: number): Float32Array {
  const rounded = Math.fround(factor);
  return a.map((x) => x * rounded);
}

/** a_i − b_i. */
export function difference(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((x, i) => x - b[i]!);
}

/** The unit vector of a (a itself where its length is 0) and the length before. */
export function normalised(a: Float32Array): { length: number; unit: Float32Array } {
  const length = norm(a);
  return { length, unit: length > 0 ? a.map((x) => x / length) : a.slice() };
}

/** Index of the first NaN or infinity, or −1. */
export function firstNonFinite(a: Float32Array): number {
  return a.findIndex((x) => !Number.isFinite(x));
}
