import { outOfRange, wrongType } from '../base/errors.js';

/** Documents of several rows: rows offsets[i] … offsets[i + 1] − 1 of `tokens` belong to document i. */
export interface Documents {
  tokens: Float32Array;
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
