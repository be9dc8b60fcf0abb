import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';

/**
 * Replaces the first n numbers x of a row by v, scaled so that ‖v‖² = 2 and (I − v vᵀ) x is a
 * multiple of the last unit vector; returns this multiple. v = 0 if x is such a multiple already.
 * The numbers must be scaled: squares below the float64 range count as 0.
 */
export function makeReflector(row: Float64Array, n: number): number {
  const last = row[n - 1]!;
  let sum = 0;
  for (let k = 0; k < n - 1; k++) sum += row[k]! * row[k]!;
  if (sum === 0) {
    row.fill(0, 0, n);
    return last;
  }
  const length = Math.sqrt(sum + last * last);
  // The sign that adds magnitudes: v does not suffer from cancellation.
  const result = last > 0 ? -length : length;
  row[n - 1] = last - result;
  const scale = 1 / Math.sqrt(length * (length + Math.abs(last)));
  for (let k = 0; k < n; k++) row[k] = row[k]! * scale;
  return result;
}

/**
 * Floats from one row to the next for rows of n numbers that the kernels reflect: with room for
 * two zeros behind them, and an odd number of 64-byte cache lines, since rows whose distance is a
 * power of two would fall into the same few sets of the cache.
 */
export function rowStride(n: number): number {
  return 8 * (Math.ceil((n + 2) / 8) | 1);
}

/** Reflectors in the memory of the kernels. */
export interface ReflectorSequence {
  /** Address of the first v, and float64 from each one to the next. */
  pointer: number;
  step: number;
  /** Numbers of the first v, and how many more (1 or −1) each next one has. */
  length: number;
  growth: 1 | -1;
  count: number;
}

/** Reflected numbers of a row that one kernel call handles: below 1 ms. */
const NUMBERS_PER_CALL = 250_000;

/** Applies the reflectors in their order to the four rows at `rows` (rowStride apart). */
export function* reflectFour(
  kernels: Kernels,
  rows: number,
  stride: number,
  sequence: ReflectorSequence,
): Steps<void> {
  const { pointer, step, length, growth, count } = sequence;
  const perCall = Math.ceil(NUMBERS_PER_CALL / stride);
  for (let done = 0; done < count; done += perCall) {
    const size = Math.min(perCall, count - done);
    const first = pointer + done * step * 8;
    kernels.call.reflectRows(rows, stride, first, step, length + done * growth, growth, size);
    yield;
  }
}
