import { describe, expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import { paddedDimensions } from '../../src/kernels/index.js';
import * as scalar from '../../src/kernels/scalar/pack.js';
import {
  borrowing,
  describeBinaries,
  expectSame,
  gaussians,
  place,
  Random,
  randomCodes,
} from './support.js';

const WIDTHS: readonly scalar.CodeBits[] = [2, 3, 4, 7, 8];

/** The codes of z by the kernel; −infinity (code 0) behind the last, as the encoders leave it. */
function pack(
  kernels: Kernels,
  z: Float32Array,
  bits: scalar.CodeBits,
  bias: number,
  scale: number,
): Uint8Array {
  const n = z.length;
  const whole = new Float32Array(paddedDimensions(n)).fill(-Infinity);
  whole.set(z);
  const source = place(kernels, whole);
  const bytes = kernels.call.codeBytes(n, bits);
  const target = place(kernels, new Uint8Array(bytes + 16).fill(0xaa));
  kernels.call.packCodes(source, n, bits, bias, scale, target);
  expectSame(kernels.u8(target + bytes, 16), new Uint8Array(16).fill(0xaa), 'behind the codes');
  return kernels.u8(target, bytes).slice();
}

/** Where a code of ones is: with 3 bits two of them, and the high one, lie in blocks of their own. */
function placesOf(dimension: number, bits: scalar.CodeBits) {
  if (bits !== 3) return [{ ...scalar.codePosition(dimension, bits), ones: 2 ** bits - 1 }];
  const inBlock = dimension % 128;
  const start = 48 * Math.floor(dimension / 128);
  const a = inBlock % 16;
  const group = Math.floor(inBlock / 16);
  const low = { byte: start + 16 * Math.floor(group / 4) + a, shift: 2 * (group % 4), ones: 3 };
  return [low, { byte: start + 32 + a, shift: group, ones: 1 }];
}

describe('the layout of packed codes', () => {
  test('4 bits: dimension a < 16 in the low nibble of byte a, 16 + a in its high nibble', () => {
    for (let a = 0; a < 16; a++) {
      expect(scalar.codePosition(a, 4)).toEqual({ byte: a, shift: 0 });
      expect(scalar.codePosition(16 + a, 4)).toEqual({ byte: a, shift: 4 });
      expect(scalar.codePosition(32 + a, 4)).toEqual({ byte: 16 + a, shift: 0 });
      expect(scalar.codePosition(112 + a, 4)).toEqual({ byte: 48 + a, shift: 4 });
    }
  });

  test('2 bits: four dimensions a byte, sixteen apart; 7 and 8 bits: one a byte', () => {
    for (let a = 0; a < 16; a++) {
      const shifts = [0, 16, 32, 48].map((first) => scalar.codePosition(first + a, 2));
      expect(shifts).toEqual([0, 2, 4, 6].map((shift) => ({ byte: a, shift })));
      expect(scalar.codePosition(64 + a, 2)).toEqual({ byte: 16 + a, shift: 0 });
      expect(scalar.codePosition(48 + a, 8)).toEqual({ byte: 48 + a, shift: 0 });
      expect(scalar.codePosition(48 + a, 7)).toEqual({ byte: 48 + a, shift: 0 });
    }
  });
});

describeBinaries('packed codes', (kernels) => {
  const { call } = kernels;

  test.each(WIDTHS)('%s bits: a code of its own in each dimension lands in its place', (bits) => {
    borrowing(kernels, () => {
      for (let dimension = 0; dimension < 130; dimension++) {
        const z = new Float32Array(130);
        z[dimension] = 2 ** bits - 1;
        const expected = new Uint8Array(call.codeBytes(130, bits));
        for (const { byte, shift, ones } of placesOf(dimension, bits)) {
          expected[byte] = ones << shift;
        }
        expectSame(pack(kernels, z, bits, 0, 1), expected, `dimension ${dimension}`);
      }
    });
  });

  test.each(WIDTHS)('%s bits: pack and unpack are inverse for n = 1 … 300', (bits) => {
    const random = new Random(bits);
    for (let n = 1; n <= 300; n++) {
      borrowing(kernels, () => {
        const codes = randomCodes(random, n, bits);
        expect(call.codeBytes(n, bits)).toBe(scalar.codeBytes(n, bits));
        const packed = pack(kernels, Float32Array.from(codes), bits, 0, 1);
        expectSame(packed, scalar.packCodes(codes, bits), `packed, n = ${n}`);
        const whole =
          Math.ceil(n / scalar.dimensionsPerBlock(bits)) * scalar.dimensionsPerBlock(bits);
        const source = place(kernels, packed, n % 16);
        const out = kernels.alloc(whole);
        call.unpackCodes(source, n, bits, out);
        const unpacked = new Uint8Array(whole);
        unpacked.set(codes);
        expectSame(kernels.u8(out, whole), unpacked, `unpacked, n = ${n}`);
        expectSame(scalar.unpackCodes(packed, n, bits), codes, `twin, n = ${n}`);
      });
    }
  });

  test.each(WIDTHS)('%s bits: quantising clamps and rounds ties to even, like the twin', (bits) => {
    const random = new Random(bits);
    borrowing(kernels, () => {
      const ties = Float32Array.from({ length: 2 ** bits + 4 }, (_, i) => i - 2 + 0.5);
      const extremes = Float32Array.of(-Infinity, -1e30, -0.5, -0, 1e30, Infinity, NaN);
      for (const [z, bias, scale] of [
        [ties, 0, 1],
        [extremes, 0, 1],
        [gaussians(random, 299, 5), -10, 20 / (2 ** bits - 1)],
        [gaussians(random, 64, 0.01, 1000), 999.5, 0.25],
      ] as const) {
        const codes = scalar.quantise(z, bits, Math.fround(bias), Math.fround(scale));
        expectSame(pack(kernels, z, bits, bias, scale), scalar.packCodes(codes, bits));
      }
    });
  });

  test('ties by hand', () => {
    borrowing(kernels, () => {
      const codes = pack(kernels, Float32Array.of(0.5, 1.5, 2.5, 254.5, 255.5, -0.5), 8, 0, 1);
      expect([...codes.subarray(0, 6)]).toEqual([0, 2, 2, 254, 255, 0]);
    });
  });
});
