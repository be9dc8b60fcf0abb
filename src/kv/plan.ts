import { GAUSSIAN_DISTORTION } from '../quant/bit-allocation.js';

/** Bits of the components of each basis, up to the last one that has any. */
export type KvPlan = readonly Uint8Array[];

const BITS_MAX = 8;
/** What the next bit takes from the error of a gaussian of variance 1 that has b bits. */
const GAINS = Float64Array.from({ length: BITS_MAX }, (_, b) => {
  return GAUSSIAN_DISTORTION[b]! - GAUSSIAN_DISTORTION[b + 1]!;
});

/**
 * Bits of a token for the components of several bases: each goes where it takes most from the
 * expected squared error, the first of equal ones. That is optimal, since the gains of a component
 * fall from bit to bit (reverse water-filling).
 *
 * @param variances of the components of each basis.
 * @param bits of a token in all; what is beyond eight bits a component stays unspent.
 */
export function planBits(variances: readonly Float64Array[], bits: number): KvPlan {
  const gains = gainsOf(variances);
  const budget = Math.min(bits, gains.length);
  const sorted = gains.slice().sort();
  const least = budget > 0 ? sorted[sorted.length - budget]! : Infinity;
  let ties = budget - (sorted.length - firstAbove(sorted, least));
  let at = 0;
  return variances.map((of) => {
    const widths = new Uint8Array(of.length);
    let coded = 0;
    for (let i = 0; i < of.length; i++, at += BITS_MAX) {
      let width = 0;
      while (width < BITS_MAX && gains[at + width]! > least) width++;
      while (width < BITS_MAX && ties > 0 && gains[at + width] === least) {
        width++;
        ties--;
      }
      widths[i] = width;
      if (width > 0) coded = i + 1;
    }
    return widths.slice(0, coded);
  });
}

/** The fewest bits of a token with which the expected squared error is at most `error`. */
export function bitsForError(variances: readonly Float64Array[], error: number): number {
  const gains = gainsOf(variances).sort().reverse();
  let left = variances.flatMap((of) => [...of]).reduce((sum, x) => sum + x, 0);
  let bits = 0;
  while (bits < gains.length && left > error) left -= gains[bits++]!;
  return bits;
}

/** The squared error that a plan is expected to leave. */
export function expectedError(variances: readonly Float64Array[], plan: KvPlan): number {
  let sum = 0;
  variances.forEach((of, basis) => {
    of.forEach((variance, i) => {
      sum += variance * GAUSSIAN_DISTORTION[plan[basis]![i] ?? 0]!;
    });
  });
  return sum;
}

export function bitsOf(widths: Uint8Array): number {
  return widths.reduce((sum, width) => sum + width, 0);
}

function gainsOf(variances: readonly Float64Array[]): Float64Array {
  const gains = new Float64Array(variances.reduce((sum, of) => sum + of.length, 0) * BITS_MAX);
  let at = 0;
  for (const of of variances) {
    for (const variance of of) for (const gain of GAINS) gains[at++] = variance * gain;
  }
  return gains;
}

/** The index of the first number of a rising sequence above `value`. */
function firstAbove(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
