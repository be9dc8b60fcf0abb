import { checkRows } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';

/** Documents or queries of several vectors each: the i-th has the rows offsets[i] … offsets[i + 1] − 1. */
export interface TokenSets {
  /** Row after row. */
  tokens: Float32Array;
  /** One more than there are sets, from 0 to the number of rows. */
  offsets: Uint32Array;
}

/** @throws TypeError, RangeError unless offsets go from 0 to `rows` and never down. */
export function checkOffsets(offsets: unknown, rows: number): Uint32Array {
  if (!(offsets instanceof Uint32Array)) throw wrongType('offsets', 'a Uint32Array', offsets);
  const last = offsets.length - 1;
  if (offsets[0] !== 0) throw outOfRange('offsets[0]', '0', offsets[0]);
  for (let i = 0; i < last; i++) {
    if (offsets[i]! <= offsets[i + 1]!) continue;
    throw outOfRange(`offsets[${i + 1}]`, `at least ${offsets[i]}, the one before`, offsets[i + 1]);
  }
  if (offsets[last] !== rows) {
    throw outOfRange(`offsets[${last}], the last`, `${rows}, the rows`, offsets[last]);
  }
  return offsets;
}

/**
 * Checked sets of one token at least each, whose offsets are a copy.
 * @param what all of them.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH` for anything else.
 */
export function checkSets(sets: unknown, dimensions: number, what: string): TokenSets {
  if (typeof sets !== 'object' || sets === null) {
    throw wrongType(what, 'an object of tokens and offsets', sets);
  }
  const { tokens, offsets: given } = sets as TokenSets;
  const offsets = checkOffsets(given, checkRows('tokens', tokens, dimensions)).slice();
  const end = offsets.findIndex((offset, i) => i > 0 && offset === offsets[i - 1]);
  if (end > 0) throw outOfRange(`tokens in number ${end - 1} of ${what}`, 'one at least', 0);
  return { tokens, offsets };
}

/** The rows of set i, a view. */
export function setAt({ tokens, offsets }: TokenSets, i: number, dimensions: number): Float32Array {
  return tokens.subarray(offsets[i]! * dimensions, offsets[i + 1]! * dimensions);
}

/** Sets one behind the other. */
export function joinSets(sets: readonly Float32Array[], dimensions: number): TokenSets {
  const offsets = new Uint32Array(sets.length + 1);
  for (const [i, { length }] of sets.entries()) offsets[i + 1] = offsets[i]! + length / dimensions;
  const tokens = new Float32Array(offsets.at(-1)! * dimensions);
  for (const [i, set] of sets.entries()) tokens.set(set, offsets[i]! * dimensions);
  return { tokens, offsets };
}
