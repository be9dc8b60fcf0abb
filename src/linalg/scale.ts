import { outOfRange } from '../base/errors.js';
import type { Steps } from '../base/steps.js';

/** Numbers that a plain loop reads between two yields: below 1 ms. */
const NUMBERS_PER_STEP = 500_000;

/**
 * The power of two just below a magnitude, 1 for those below 2^-1022 (zero included). Scaling by
 * it is exact, and the exponent is read from the bits: Math.log2 may differ between engines.
 */
export function powerOfTwoNear(magnitude: number): number {
  const parts = new DataView(new ArrayBuffer(8));
  parts.setFloat64(0, magnitude);
  const exponent = parts.getUint16(0) & 0x7ff0;
  if (exponent === 0) return 1;
  parts.setFloat64(0, 0);
  parts.setUint16(0, exponent);
  return parts.getFloat64(0);
}

/** @throws RangeError `INVALID_ARGUMENT` for NaN and infinity. */
export function* largestMagnitude(
  what: string,
  numbers: Float64Array | Float32Array,
): Steps<number> {
  let largest = 0;
  for (let i = 0; i < numbers.length; i++) {
    const magnitude = Math.abs(numbers[i]!);
    if (!(magnitude < Infinity)) throw outOfRange(`${what}[${i}]`, 'a finite number', numbers[i]);
    if (magnitude > largest) largest = magnitude;
    if (i % NUMBERS_PER_STEP === 0) yield;
  }
  return largest;
}
