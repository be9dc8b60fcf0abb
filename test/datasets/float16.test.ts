import { describe, expect, test } from 'vitest';
import { decodeFloat16 } from '../../datasets/float16.js';

/** The definition of IEEE 754 binary16, in arithmetic where the decoder shifts bits. */
function oracle(half: number): number {
  const sign = half >= 0x8000 ? -1 : 1;
  const exponent = Math.floor(half / 1024) % 32;
  const mantissa = half % 1024;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * 2 ** -14 * (mantissa / 1024);
  return sign * 2 ** (exponent - 15) * (1 + mantissa / 1024);
}

describe('decodeFloat16', () => {
  test('all 65,536 values are those of the definition', () => {
    const decoded = decodeFloat16(Uint16Array.from({ length: 65_536 }, (_, i) => i));
    const wrong: number[] = [];
    for (let half = 0; half < 65_536; half++) {
      if (!Object.is(decoded[half], oracle(half))) wrong.push(half);
    }
    expect(wrong).toEqual([]);
  });

  test('values known by hand', () => {
    const halves = [0x0000, 0x0001, 0x03ff, 0x0400, 0x3555, 0x3c00, 0xc000, 0x7bff, 0x7c00, 0xfc00];
    expect([...decodeFloat16(Uint16Array.from(halves))]).toEqual([
      0,
      2 ** -24,
      1023 * 2 ** -24,
      2 ** -14,
      1365 * 2 ** -12,
      1,
      -2,
      65504,
      Infinity,
      -Infinity,
    ]);
  });

  test('keeps the sign of zero and the payload of NaN', () => {
    const decoded = decodeFloat16(Uint16Array.from([0x8000, 0x7e01, 0xfe01]));
    const bits = new Uint32Array(decoded.buffer);
    expect([...bits]).toEqual([0x8000_0000, 0x7fc0_2000, 0xffc0_2000]);
  });

  test('no values give no values', () => {
    expect(decodeFloat16(new Uint16Array(0))).toEqual(new Float32Array(0));
  });
});
