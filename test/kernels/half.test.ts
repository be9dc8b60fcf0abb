import { describe, expect, test } from 'vitest';
import * as scalar from '../../src/kernels/scalar/half.js';
import { describeBinaries, neighbour, Random } from './support.js';

const LARGEST_BITS = 0x7bff;
const INFINITY_BITS = 0x7c00;
const SIGN_BIT = 0x8000;

const words = new DataView(new ArrayBuffer(4));

function floatOfBits(bits: number): number {
  words.setUint32(0, bits);
  return words.getFloat32(0);
}

/** All finite binary16 numbers from 0 up, in order of their bits. */
const halves = Float64Array.from({ length: INFINITY_BITS }, (_, bits) => scalar.fromHalf(bits));

/**
 * The bits of the nearest binary16 by searching the table of all of them: shares nothing with the
 * kernel's shifts nor with the twin's arithmetic. What would follow 65,504 is 65,536.
 */
function nearestInTable(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? SIGN_BIT : 0;
  const magnitude = Math.abs(x);
  let low = 0;
  let high = INFINITY_BITS;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (halves[middle]! <= magnitude) low = middle;
    else high = middle;
  }
  const above = high === INFINITY_BITS ? 65_536 : halves[high]!;
  const toLow = magnitude - halves[low]!;
  const toHigh = above - magnitude;
  if (toLow === toHigh) return sign | (low % 2 === 0 ? low : high);
  return sign | (toLow < toHigh ? low : high);
}

describeBinaries('binary16', ({ call }) => {
  test('decodes all 65,536 patterns as the definition says', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 65_536; bits++) {
      if (!Object.is(call.halfToFloat(bits), scalar.fromHalf(bits))) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  test('encodes every number that it decodes to the same bits', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 65_536; bits++) {
      const value = scalar.fromHalf(bits);
      if (!Number.isNaN(value) && call.toHalf(value) !== bits) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  test('rounds the middle of any two neighbours to the even one, and its neighbours apart', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < LARGEST_BITS; bits++) {
      const middle = (halves[bits]! + halves[bits + 1]!) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const right =
        call.toHalf(middle) === even &&
        call.toHalf(neighbour(middle, -1)) === bits &&
        call.toHalf(neighbour(middle, 1)) === bits + 1 &&
        call.toHalf(-middle) === (SIGN_BIT | even);
      if (!right) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });

  test('overflows to infinity from 65,520 on', () => {
    expect(call.toHalf(65_504)).toBe(LARGEST_BITS);
    expect(call.toHalf(neighbour(65_520, -1))).toBe(LARGEST_BITS);
    expect(call.toHalf(65_520)).toBe(INFINITY_BITS);
    expect(call.toHalf(-65_520)).toBe(SIGN_BIT | INFINITY_BITS);
    expect(call.toHalf(2 ** 127)).toBe(INFINITY_BITS);
    expect(call.toHalf(Infinity)).toBe(INFINITY_BITS);
    expect(call.toHalf(-Infinity)).toBe(SIGN_BIT | INFINITY_BITS);
    expect(call.halfToFloat(call.toHalf(NaN))).toBeNaN();
  });

  test('underflows to a signed zero below 2^-25', () => {
    expect(call.toHalf(2 ** -25)).toBe(0);
    expect(call.toHalf(neighbour(2 ** -25, 1))).toBe(1);
    expect(call.toHalf(-(2 ** -149))).toBe(SIGN_BIT);
    expect(call.toHalf(-0)).toBe(SIGN_BIT);
  });

  test('rounds 200,000 random float32 of all exponents as a search of the table does', () => {
    const random = new Random(1);
    for (let i = 0; i < 200_000; i++) {
      // Half of them within binary16's exponents, the others from all float32.
      const narrow = (random.below(40) + 97) * 2 ** 23 + random.below(2 ** 23);
      const x = floatOfBits(i % 2 === 0 ? narrow : random.uint32());
      if (!Number.isNaN(x) && call.toHalf(x) !== nearestInTable(x)) expect.fail(`${x}`);
    }
  });
});

describe('the scalar twin of binary16', () => {
  test('rounds as a search of the table does', () => {
    const random = new Random(2);
    for (let i = 0; i < 50_000; i++) {
      const x = floatOfBits(random.uint32());
      if (!Number.isNaN(x) && scalar.toHalf(x) !== nearestInTable(x)) expect.fail(`${x}`);
    }
  });

  test('halfBelow is the largest not above', () => {
    expect(scalar.halfBelow(1)).toBe(1);
    expect(scalar.halfBelow(1.0001)).toBe(1);
    expect(scalar.halfBelow(0.9999)).toBe(halves[scalar.toHalf(1) - 1]);
    expect(scalar.halfBelow(-1.0001)).toBe(-halves[scalar.toHalf(1) + 1]!);
    expect(scalar.halfBelow(1e-9)).toBe(0);
    expect(scalar.halfBelow(-1e-9)).toBe(-(2 ** -24));
    expect(scalar.halfBelow(65_519)).toBe(65_504);
    expect(scalar.halfBelow(-65_519)).toBe(-Infinity);
  });
});
