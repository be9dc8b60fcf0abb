import * as zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import * as scalar from '../../src/kernels/scalar/checksum.js';
import { borrowing, describeBinaries, place, Random, randomCodes } from './support.js';

/** zlib's own where the Node version has it (20.15 on), else the checksum in the gzip trailer. */
function zlibCrc32(bytes: Uint8Array): number {
  const { crc32 } = zlib as { crc32?: (data: Uint8Array) => number };
  if (crc32 !== undefined) return crc32(bytes);
  const zipped = zlib.gzipSync(bytes);
  return zipped.readUInt32LE(zipped.length - 8);
}

const bytes = randomCodes(new Random(1), 400, 8);

describeBinaries('crc32', (kernels) => {
  const crc32 = (pointer: number, length: number, crc = 0) =>
    kernels.call.crc32(pointer, length, crc) >>> 0;

  test('equals zlib for lengths 0 … 300 at every offset within 16 bytes', () => {
    borrowing(kernels, () => {
      const base = place(kernels, bytes);
      for (let length = 0; length <= 300; length++) {
        const expected = zlibCrc32(bytes.subarray(length % 16, (length % 16) + length));
        expect(crc32(base + (length % 16), length)).toBe(expected);
      }
      for (let offset = 0; offset < 16; offset++) {
        expect(crc32(base + offset, 77)).toBe(zlibCrc32(bytes.subarray(offset, offset + 77)));
      }
    });
  });

  test('goes on from an earlier part, wherever the cut is', () => {
    borrowing(kernels, () => {
      const base = place(kernels, bytes);
      const whole = zlibCrc32(bytes.subarray(0, 100));
      for (let cut = 0; cut <= 100; cut++) {
        expect(crc32(base + cut, 100 - cut, crc32(base, cut))).toBe(whole);
      }
    });
  });

  test('known values', () => {
    borrowing(kernels, () => {
      const digits = place(kernels, new TextEncoder().encode('123456789'));
      expect(crc32(digits, 9)).toBe(0xcbf43926);
      expect(crc32(digits, 0)).toBe(0);
    });
  });

  test('notices every single altered bit', () => {
    borrowing(kernels, () => {
      const base = place(kernels, bytes);
      const right = crc32(base, 64);
      for (let bit = 0; bit < 512; bit++) {
        const byte = kernels.u8(base + (bit >> 3), 1);
        byte[0]! ^= 1 << (bit & 7);
        expect(crc32(base, 64)).not.toBe(right);
        byte[0]! ^= 1 << (bit & 7);
      }
    });
  });
});

describe('the scalar twin of crc32', () => {
  test('equals zlib', () => {
    for (let n = 0; n <= 50; n++) {
      expect(scalar.crc32(bytes.subarray(0, n))).toBe(zlibCrc32(bytes.subarray(0, n)));
    }
    expect(scalar.crc32(bytes.subarray(20), scalar.crc32(bytes.subarray(0, 20)))).toBe(
      zlibCrc32(bytes),
    );
  });
});
