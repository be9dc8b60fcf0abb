import { expect } from 'vitest';
import { gaussianRows, rowOf } from './oracle.js';

export const D = 16;
export const rows = gaussianRows(3000, D, 1);
export const query = rowOf(rows, D, 0);
export const small = rows.subarray(0, 100 * D);

export const failure = (
  kind: typeof TypeError | typeof RangeError,
  code: string,
  text: RegExp,
): unknown =>
  expect.objectContaining({ name: kind.name, code, message: expect.stringMatching(text) });
