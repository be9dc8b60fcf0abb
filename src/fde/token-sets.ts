import { outOfRange, wrongType } from '../base/errors.js';

/**
 * The number of token sets: set i has the rows offsets[i] … offsets[i + 1] − 1.
 * @throws TypeError, RangeError `INVALID_ARGUMENT` unless the offsets rise from 0 to the number of
 * rows.
 */
export function checkOffsets(offsets: unknown, rows: number): number {
  if (!(offsets instanceof Uint32Array)) throw wrongType('offsets', 'a Uint32Array', offsets);
  if (offsets.length === 0 || offsets[0] !== 0) {
    throw outOfRange('offsets[0]', '0', offsets[0]);
  }
  for (let i = 1; i < offsets.length; i++) {
    if (offsets[i]! >= offsets[i - 1]!) continue;
    throw outOfRange(`offsets[${i}]`, `at least offsets[${i - 1}], ${offsets[i - 1]}`, offsets[i]);
  }
  const last = offsets.length - 1;
  if (offsets[last] === rows) return last;
  throw outOfRange(`offsets[${last}]`, `the number of token rows, ${rows}`, offsets[last]);
}
