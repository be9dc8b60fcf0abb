import { describe, expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import { paddedDimensions } from '../../src/kernels/index.js';
import * as scalar from '../../src/kernels/scalar/lvq.js';
import { codeBytes } from '../../src/kernels/scalar/pack.js';
import {
  borrowing,
  describeBinaries,
  expectSame,
  gaussians,
  place,
  Random,
  readF32,
} from './support.js';

const WIDTHS = [2, 3, 4, 8] as const;
type Width = (typeof WIDTHS)[number];

interface Encoded {
  fits: boolean;
  record: Uint8Array;
  decoded: Float32Array;
  residual: Uint8Array;
  decodedTwice: Float32Array;
}

/** Encodes and decodes with both levels by the kernels. */
function encode(kernels: Kernels, z: Float32Array, bits: Width, bits2: Width): Encoded {
  const { call } = kernels;
  const n = z.length;
  const floats = paddedDimensions(n);
  return borrowing(kernels, () => {
    const row = place(kernels, z);
    kernels.alloc((floats - n) * 4 + 64);
    const record = kernels.alloc(call.lvqRecordBytes(n, bits));
    const residual = kernels.alloc(call.codeBytes(n, bits2));
    const scratch = kernels.alloc(floats * 5);
    const out = kernels.alloc(floats * 4);
    const fits = call.lvqEncode(row, n, bits, 3, record) === 1;
    call.lvqEncodeResidual(row, n, bits, record, bits2, residual, scratch);
    call.lvqDecode(record, n, bits, out, scratch);
    const decoded = readF32(kernels, out, n);
    call.lvqDecodeTwoLevels(record, n, bits, residual, bits2, out, scratch);
    return {
      fits,
      record: kernels.u8(record, call.lvqRecordBytes(n, bits)).slice(),
      decoded,
      residual: kernels.u8(residual, call.codeBytes(n, bits2)).slice(),
      decodedTwice: readF32(kernels, out, n),
    };
  });
}

/** The kernels' bytes and numbers are those of the twin. */
function checkAgainstTwin(kernels: Kernels, z: Float32Array, bits: Width, bits2: Width): void {
  const what = `n = ${z.length}, ${bits} and ${bits2} bits`;
  const encoded = encode(kernels, z, bits, bits2);
  const first = scalar.lvqEncode(z, bits);
  const residual = scalar.lvqEncodeResidual(z, first, bits2);
  expect(encoded.fits, what).toBe(true);
  expectSame(encoded.record, scalar.lvqRecord(first, bits, 3), `record, ${what}`);
  expectSame(encoded.decoded, scalar.lvqDecode(first), `decoded, ${what}`);
  expectSame(
    scalar.parseLvqRecord(encoded.record, z.length, bits).codes,
    first.codes,
    `codes, ${what}`,
  );
  const packed = new Uint8Array(codeBytes(z.length, bits2));
  packed.set(encoded.residual);
  const twice = scalar.lvqDecodeTwoLevels(first, residual, bits2);
  expectSame(encoded.decodedTwice, twice, `decoded with both levels, ${what}`);
}

describeBinaries('LVQ records equal the scalar twin to the bit', (kernels) => {
  for (const bits of WIDTHS) {
    test.each(WIDTHS)(`${bits} and %s bits: n = 1 … 300`, (bits2) => {
      const random = new Random(bits * 10 + bits2);
      for (let n = 1; n <= 300; n += n < 70 ? 1 : 7) {
        checkAgainstTwin(kernels, gaussians(random, n), bits, bits2);
      }
    });
  }

  test.each([
    ['tiny', 1e-6, 0],
    ['small', 0.01, 0],
    ['large', 5000, 0],
    ['shifted', 1, 100],
    ['far from 0, constants rounded outwards', 0.5, -3000],
    ['almost constant', 1e-5, 700],
    ['subnormal in binary16', 1e-7, 1e-6],
  ])('%s numbers', (_name, deviation, mean) => {
    const random = new Random(7);
    for (const n of [1, 2, 16, 33, 64, 100, 257]) {
      for (const bits of WIDTHS) {
        checkAgainstTwin(kernels, gaussians(random, n, deviation, mean), bits, 4);
      }
    }
  });

  test('constants: every value that a vector may repeat', () => {
    const random = new Random(8);
    for (let i = 0; i < 200; i++) {
      const value = random.gaussian() * 10 ** (random.below(10) - 6);
      checkAgainstTwin(kernels, new Float32Array(20).fill(value), 8, 8);
    }
    checkAgainstTwin(kernels, new Float32Array(20), 4, 4);
    checkAgainstTwin(kernels, new Float32Array(20).fill(-0), 4, 4);
  });
});

describeBinaries('LVQ at the edges', (kernels) => {
  test('numbers up to 65,504 fit, beyond they are refused', () => {
    expect(encode(kernels, Float32Array.of(-65_504, 65_504), 8, 8).fits).toBe(true);
    expect(encode(kernels, Float32Array.of(-65_530, 0), 8, 8).fits).toBe(false);
    expect(encode(kernels, Float32Array.of(-1e8, 1e8), 8, 8).fits).toBe(false);
    expect(encode(kernels, Float32Array.of(0, Infinity), 8, 8).fits).toBe(false);
  });

  test('numbers above 65,504 fit where the least does: constants are rounded outwards', () => {
    const z = Float32Array.of(70_000, 70_001, 65_504);
    const { fits, decoded, record } = encode(kernels, z, 8, 8);
    expect(fits).toBe(true);
    const { scale } = scalar.parseLvqRecord(record, 3, 8);
    decoded.forEach((x, j) => {
      expect(Math.abs(x - z[j]!)).toBeLessThanOrEqual((scale / 2) * 1.003);
    });
  });

  test('codes behind the last dimension are 0', () => {
    const { record, residual } = encode(kernels, Float32Array.of(5, -5, 3), 4, 8);
    expect([...record.subarray(3, 16)]).toEqual(new Array(13).fill(0));
    expect([...residual.subarray(3, 16)]).toEqual(new Array(13).fill(0));
  });

  test('the selector of the mean is the last byte', () => {
    const { record } = encode(kernels, gaussians(new Random(1), 40), 4, 4);
    expect(record.length).toBe(32 + 5);
    expect(record[36]).toBe(3);
  });
});

describe('record sizes', () => {
  test.each(WIDTHS)('%s bits: whole blocks and five bytes', (bits) => {
    expect(codeBytes(1, bits)).toBe(bits === 3 ? 48 : 16);
    expect(codeBytes(768, bits)).toBe((768 * bits) / 8);
  });
});
