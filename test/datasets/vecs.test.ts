import { expect, test } from 'vitest';
import { encodeFvecs } from '../../datasets/vecs.js';
import { errorOf } from './support.js';

test('golden bytes of two rows of two', () => {
  expect(encodeFvecs(Float32Array.of(1, -2, 0.5, 0), 2)).toEqual(
    Uint8Array.from([
      ...[2, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0],
      ...[2, 0, 0, 0, 0, 0, 0, 0x3f, 0, 0, 0, 0],
    ]),
  );
});

test('rows that do not fit are refused', () => {
  expect(errorOf(() => encodeFvecs(new Float32Array(5), 2)).code).toBe('DIMENSION_MISMATCH');
  expect(errorOf(() => encodeFvecs(new Float32Array(0), 2)).code).toBe('DIMENSION_MISMATCH');
  expect(errorOf(() => encodeFvecs(new Float32Array(4), 0)).code).toBe('INVALID_ARGUMENT');
});
