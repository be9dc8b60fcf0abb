import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAmong } from '../../src/base/among.js';
import { gatherRows } from '../../src/base/gather-rows.js';

test('a number is among others as a set has it', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.nat(60), (list, number) => {
      const sorted = Uint32Array.from(list).sort();
      expect(isAmong(sorted, number)).toBe(new Set(list).has(number));
    }),
    { seed: 1 },
  );
  expect(isAmong(Uint32Array.of(0xffff_ffff), 0xffff_ffff)).toBe(true);
});

test('rows are gathered in the order of their numbers, some several times', () => {
  const matrix = Float32Array.of(0, 1, 10, 11, 20, 21);
  expect(gatherRows(matrix, 2, [2, 0, 2])).toEqual(Float32Array.of(20, 21, 0, 1, 20, 21));
  expect(gatherRows(matrix, 2, [])).toEqual(new Float32Array(0));
});
