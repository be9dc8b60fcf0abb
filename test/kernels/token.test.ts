import { describe, expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import { paddedDimensions } from '../../src/kernels/index.js';
import { norm } from '../../src/kernels/scalar/float.js';
import {
  decodeToken,
  encodeToken,
  parseCodes,
  type TokenBits,
} from '../../src/kernels/scalar/token.js';
import { writeSigns } from '../../src/quant/rotation.js';
import {
  borrowing,
  describeBinaries,
  expectSame,
  gaussians,
  place,
  Random,
  readF32,
} from './support.js';

const WIDTHS = [32, 16, 8, 4] as const;

interface Coded {
  records: Uint8Array[];
  decoded: Float32Array[];
  expanded: Uint8Array;
  longest: number;
}

/** Encodes rows one behind the other, decodes and expands them by the kernels. */
function code(kernels: Kernels, rows: Float32Array[], bits: TokenBits, rotated = false): Coded {
  const { call } = kernels;
  const [n, d] = [rows.length, rows[0]!.length];
  return borrowing(kernels, () => {
    const source = place(kernels, Float32Array.from(rows.flatMap((row) => [...row])));
    const signs = rotated ? writeSigns(kernels, d, 1) : 0;
    const bytes = call.tokenBytes(d, bits);
    const records = kernels.alloc(n * bytes);
    // What was there before must not show.
    kernels.u8(records, n * bytes).fill(0xff);
    const work = kernels.alloc(paddedDimensions(d) * 5);
    call.encodeTokens(source, n, d, bits, signs, work, records);
    const out = kernels.alloc(n * d * 4);
    call.decodeTokens(records, n, d, bits, signs, work, out);
    const expandedBytes = n * call.expandedBytes(d, bits);
    const expanded = kernels.alloc(expandedBytes);
    if (bits < 32) call.expandTokens(records, n, d, bits, expanded);
    return {
      records: rows.map((_, i) => kernels.u8(records + i * bytes, bytes).slice()),
      decoded: rows.map((_, i) => readF32(kernels, out + i * d * 4, d)),
      expanded: kernels.u8(expanded, expandedBytes).slice(),
      longest: call.longestToken(records, n, d, bits, work),
    };
  });
}

describeBinaries('token records', (kernels) => {
  describe.each(WIDTHS)('of %s bits', (bits) => {
    test('equal the scalar twin to the bit, for 1 … 300 dimensions', () => {
      const random = new Random(bits);
      for (let d = 1; d <= 300; d += d < 70 ? 1 : 7) {
        const rows = [gaussians(random, d), gaussians(random, d, 1e-3, 5), gaussians(random, d)];
        const { records, decoded, longest } = code(kernels, rows, bits);
        for (const [i, row] of rows.entries()) {
          const record = encodeToken(row, bits);
          expectSame(records[i]!, record, `record ${i}, d = ${d}`);
          expectSame(decoded[i]!, decodeToken(record, d, bits), `decoded ${i}, d = ${d}`);
        }
        const lengths = rows.map((row) => norm(decodeToken(encodeToken(row, bits), d, bits)));
        expect(Math.abs(longest / Math.max(...lengths) - 1)).toBeLessThan(1e-6);
      }
    });

    test('expand to their numbers', () => {
      const random = new Random(bits);
      for (const d of [1, 7, 8, 15, 16, 31, 32, 33, 100, 128, 300]) {
        const rows = [gaussians(random, d), gaussians(random, d)];
        const { records, expanded } = code(kernels, rows, bits);
        if (bits === 32) continue;
        const numbers =
          bits === 16
            ? new Float32Array(expanded.buffer)
            : Float32Array.from(new Int16Array(expanded.buffer));
        const width = numbers.length / rows.length;
        for (const [i, record] of records.entries()) {
          const expected =
            bits === 16 ? decodeToken(record, d, bits) : parseCodes(record, d, bits).codes;
          expectSame(numbers.subarray(i * width, i * width + d), expected, `d = ${d}`);
          expect(numbers.subarray(i * width + d, (i + 1) * width).every((x) => x === 0)).toBe(true);
        }
      }
    });
  });

  test.each([8, 4] as const)('of %s bits err by at most half a step', (bits) => {
    const random = new Random(bits);
    for (const [deviation, mean] of [
      [1, 0],
      [1e-12, 0],
      [1e12, 0],
      [1, 100],
      [1e-30, 0],
    ] as const) {
      for (const d of [2, 17, 128]) {
        const row = gaussians(random, d, deviation, mean);
        const { records, decoded } = code(kernels, [row], bits);
        const { scale } = parseCodes(records[0]!, d, bits);
        const slack = 1.0001 * (scale / 2) + Math.abs(mean) * 2 ** -22;
        row.forEach((x, j) => {
          expect(Math.abs(x - decoded[0]![j]!)).toBeLessThanOrEqual(slack);
        });
      }
    }
  });

  test.each([8, 4] as const)('of %s bits are rotated and rotated back', (bits) => {
    const random = new Random(bits);
    for (const d of [16, 20, 64, 100, 128, 300]) {
      const row = gaussians(random, d);
      // An outlier is what the rotation is for.
      row[3] = 30;
      const [plain, rotated] = [code(kernels, [row], bits), code(kernels, [row], bits, true)];
      const error = ({ decoded }: Coded) => norm(decoded[0]!.map((x, j) => x - row[j]!));
      const { scale } = parseCodes(rotated.records[0]!, d, bits);
      expect(error(rotated)).toBeLessThanOrEqual(1.001 * (scale / 2) * Math.sqrt(d));
      if (d >= 64) expect(error(rotated)).toBeLessThan(error(plain));
      expect(Math.abs(rotated.longest / norm(rotated.decoded[0]!) - 1)).toBeLessThan(1e-5);
    }
  });

  test.each([8, 4] as const)('of %s bits hold equal numbers exactly', (bits) => {
    for (const x of [0, -0, 1, -3.5, 1e-44, 1e15]) {
      const row = new Float32Array(33).fill(x);
      expectSame(
        code(kernels, [row], bits).decoded[0]!.map((y) => y + 0),
        row.map((y) => y + 0),
      );
    }
  });

  test('binary16 keeps subnormal numbers and the largest', () => {
    const row = Float32Array.of(65_504, -65_504, 2 ** -24, -(2 ** -20), 6e-5, 0, 2 ** -14, 1);
    const { records, expanded } = code(kernels, [row], 16);
    expectSame(new Float32Array(expanded.buffer), decodeToken(records[0]!, 8, 16));
  });

  test('the longest token shows numbers that are not finite, padding included', () => {
    const { call } = kernels;
    for (const bits of WIDTHS) {
      const d = 5;
      const bytes = call.tokenBytes(d, bits);
      const record = place(kernels, new Uint8Array(bytes).fill(0xff));
      const work = kernels.alloc(paddedDimensions(d) * 5);
      expect(Number.isFinite(call.longestToken(record, 1, d, bits, work))).toBe(false);
      expect(call.longestToken(record, 0, d, bits, work)).toBe(0);
    }
  });
});
