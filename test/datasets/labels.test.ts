import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readLabels } from '../../datasets/labels.js';
import { encodeNpy } from '../../datasets/npy.js';
import { errorOf, folderWith } from './support.js';

const read = (name: string, content: string | Uint8Array) =>
  readLabels(join(folderWith({ [name]: content }), name));

test('classes are numbered as they come, whatever they are called', () => {
  expect([...read('a.txt', 'cat\ndog\r\ncat\n7\ndog')]).toEqual([0, 1, 0, 2, 1]);
  expect([...read('a.npy', encodeNpy([4], Int32Array.of(9, -1, 9, 0)))]).toEqual([0, 1, 0, 2]);
});

test('large integers stay apart', () => {
  const large = BigInt64Array.of(2n ** 60n, 2n ** 60n + 1n, 2n ** 60n);
  expect([...read('a.npy', encodeNpy([3], large))]).toEqual([0, 1, 0]);
});

test.each([
  ['floats', 'a.npy', encodeNpy([2], Float32Array.of(1, 2))],
  ['two axes', 'a.npy', encodeNpy([2, 1], Int32Array.of(1, 2))],
  ['an empty line', 'a.txt', 'a\n\nb\n'],
])('%s are CORRUPT', (_, name, content) => {
  expect(errorOf(() => read(name, content)).code).toBe('CORRUPT');
});

test('no file is NOT_FOUND', () => {
  expect(errorOf(() => readLabels('/nowhere/a.txt')).code).toBe('NOT_FOUND');
});
