import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isInSlice, sipHash24 } from '../../src/filter/slice.js';

/** Of the authors' reference implementation: key 00 … 0f, input 00 01 02 … of each length. */
test.each([
  [0, 0x726fdb47dd0e0e31n],
  [1, 0x74f839c593dc67fdn],
  [8, 0x93f5f5799a932462n],
  [15, 0xa129ca6149be45e5n],
])('SipHash-2-4 of %i bytes', (length, expected) => {
  const bytes = Uint8Array.from({ length }, (_, i) => i);
  expect(sipHash24(bytes, 0x0706050403020100n, 0x0f0e0d0c0b0a0908n)).toBe(expected);
});

const anyId = fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.uuid(), fc.nat());

test('every id is in one slice, and slices of half as many are made of two', () => {
  fc.assert(
    fc.property(anyId, fc.integer({ min: 1, max: 9 }), (id, half) => {
      const total = 2 * half;
      const slices = (total: number) => Array.from({ length: total }, (_, index) => index);
      const inOf = (total: number) =>
        slices(total).filter((index) => isInSlice(id, { total, index }));
      expect(inOf(total)).toHaveLength(1);
      expect(inOf(half)).toEqual([inOf(total)[0]! % half]);
    }),
    { seed: 1 },
  );
});

test('an integer is hashed as 8 little-endian bytes, a UUID as its 16', () => {
  const total = 1_000_003;
  const of = (bytes: number[]) => Number(sipHash24(Uint8Array.from(bytes), 0n, 0n) % BigInt(total));
  expect(isInSlice(258, { total, index: of([2, 1, 0, 0, 0, 0, 0, 0]) })).toBe(true);
  const uuid = '00010203-0405-0607-0809-0a0b0c0d0e0f';
  const bytes = Array.from({ length: 16 }, (_, i) => i);
  expect(isInSlice(uuid, { total, index: of(bytes) })).toBe(true);
});
