/**
 * Scalar twin of wasm/dot.ts: an oracle for the tests, not exported by the package. Codes come one a
 * dimension; integer sums are exact, the mixed product is taken in float64.
 */
import { dot, sum } from './float.js';
import type { CodeBits } from './pack.js';

/** Σ q_j c_j; with 8 bits Σ q_j (c_j − 128), as the relaxed dot wants its operands. */
export function dotQueryCodes(q: Int8Array, codes: Uint8Array, bits: CodeBits): number {
  return bits === 8 ? dot(q, codes) - 128 * sum(q) : dot(q, codes);
}

/** Σ a_j b_j of two vectors of codes. */
export function dotCodePair(a: Uint8Array, b: Uint8Array): number {
  return dot(a, b);
}

/** Σ c_j. */
export function sumCodes(codes: Uint8Array): number {
  return sum(codes);
}

/** Σ q_j c_j of a float32 query. */
export function dotFloatCodes(q: Float32Array, codes: Uint8Array): number {
  return dot(q, codes);
}

/** Σ q_j c_j of an int16 query. */
export function dotShortCodes(q: Int16Array, codes: Uint8Array): number {
  return dot(q, codes);
}

/** Σ a_j b_j of two build codes (wasm/pair.ts). */
export function dotBuildCodes(a: Uint8Array, b: Uint8Array): number {
  return dot(a, b);
}
