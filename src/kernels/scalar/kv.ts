/**
 * Scalar twin of wasm/kv.ts and wasm/weigh.ts: an oracle for the tests, not exported by the package. By
 * the definitions in float64.
 */
import { clamp, nearest } from './round.js';

export const TILE = 16;

/** Bytes of a tile: a bit of each of 16 tokens takes two. */
export function tileBytes(widths: ArrayLike<number>): number {
  return Array.from(widths).reduce((sum, width) => sum + 2 * width, 0);
}

/** The strips of a component: their bits, from the lowest bits of the code on. */
function stripsOf(width: number): number[] {
  return [8, 4, 2, 1].filter((bits) => width & bits);
}

/** 0 … 2^width − 1 for each number, in float32; ties to even. */
export function quantise(x: ArrayLike<number>, width: number, step: number): Uint8Array {
  const top = 2 ** width - 1;
  const inverse = Math.fround(1 / Math.fround(step));
  return Uint8Array.from(x, (value) => {
    return clamp(nearest(Math.fround(Math.fround(value * inverse) + top / 2)), 0, top);
  });
}

/** Codes of 16 tokens for each component, packed. */
export function packTile(codes: readonly Uint8Array[], widths: ArrayLike<number>): Uint8Array {
  const bytes: number[] = [];
  codes.forEach((of, i) => {
    let shift = 0;
    for (const bits of stripsOf(widths[i]!)) {
      const strip = new Array<number>(2 * bits).fill(0);
      for (let t = 0; t < TILE; t++) {
        const code = (of[t]! >> shift) % 2 ** bits;
        // With one bit tokens follow one another in a byte, with more they are bytes apart.
        const at = bits === 1 ? t >> 3 : t % strip.length;
        const place = bits === 1 ? t % 8 : Math.floor(t / strip.length) * bits;
        strip[at]! += code * 2 ** place;
      }
      bytes.push(...strip);
      shift += bits;
    }
  });
  return Uint8Array.from(bytes);
}

/** step · (code − (2^width − 1) / 2). */
export function decoded(code: number, width: number, step: number): number {
  return Math.fround(step) * (code - (2 ** width - 1) / 2);
}

/** exp(score − largest) of scores so far, their sum, and the factor of earlier ones. */
export function softmax(
  scores: ArrayLike<number>,
  before: { largest: number; sum: number },
): { weights: Float64Array; largest: number; sum: number; factor: number } {
  const largest = Math.max(before.largest, ...Array.from(scores));
  if (largest === -Infinity) {
    return { weights: new Float64Array(scores.length), ...before, factor: 1 };
  }
  const weights = Float64Array.from(scores, (score) => Math.exp(score - largest));
  const factor = Math.exp(before.largest - largest);
  const sum = weights.reduce((total, weight) => total + weight, before.sum * factor);
  return { weights, largest, sum, factor };
}
