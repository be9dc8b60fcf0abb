import { describe, expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import * as scalar from '../../src/kernels/scalar/float.js';
import {
  borrowing,
  describeBinaries,
  expectSame,
  gaussians,
  padded,
  place,
  Random,
  readF32,
  testBothBinaries,
  write,
} from './support.js';

const LENGTH_MAX = 1100;
/** Byte offsets from a 16-byte boundary: every word, and some that are no multiple of 4. */
const OFFSETS = [0, 4, 8, 12, 1, 2, 7];
const LARGEST = 2 ** 127 * (2 - 2 ** -23);
const SMALLEST = 2 ** -149;

/** Calls with two vectors of every length 0 … 1100, at changing offsets. */
function forEachLength(
  kernels: Kernels,
  check: (n: number, a: number, b: number, x: Float32Array, y: Float32Array) => void,
): void {
  const random = new Random(1);
  const x = gaussians(random, LENGTH_MAX);
  const y = gaussians(random, LENGTH_MAX, 3, 0.5);
  borrowing(kernels, () => {
    const base = kernels.alloc(LENGTH_MAX * 4 + 64);
    const other = kernels.alloc(LENGTH_MAX * 4 + 64);
    for (let n = 0; n <= LENGTH_MAX; n++) {
      const a = base + OFFSETS[n % OFFSETS.length]!;
      const b = other + OFFSETS[(n * 3 + 1) % OFFSETS.length]!;
      const first = x.subarray(0, n);
      const second = y.subarray(LENGTH_MAX - n);
      write(kernels, a, first);
      write(kernels, b, second);
      check(n, a, b, first, second);
    }
  });
}

describeBinaries('float32 sums', (kernels) => {
  test('dotF32 is within 1e-5 ‖a‖‖b‖ of float64 at every length 0 … 1100 and any alignment', () => {
    forEachLength(kernels, (n, a, b, x, y) => {
      const error = Math.abs(kernels.call.dotF32(a, b, n) - scalar.dot(x, y));
      expect(error).toBeLessThanOrEqual(1e-5 * scalar.norm(x) * scalar.norm(y));
    });
  });

  test('squaredL2F32 is within 1e-5 of float64, relatively', () => {
    forEachLength(kernels, (n, a, b, x, y) => {
      const exact = scalar.squaredL2(x, y);
      expect(Math.abs(kernels.call.squaredL2F32(a, b, n) - exact)).toBeLessThanOrEqual(
        1e-5 * exact,
      );
      expect(kernels.call.squaredL2F32(a, a, n)).toBe(0);
    });
  });

  test('sumF32 is within 1e-5 Σ|a| of float64', () => {
    forEachLength(kernels, (n, a, _b, x) => {
      const error = Math.abs(kernels.call.sumF32(a, n) - scalar.sum(x));
      expect(error).toBeLessThanOrEqual(1e-5 * scalar.sum(x.map(Math.abs)));
    });
  });

  test('what lies behind the n numbers does not matter', () => {
    borrowing(kernels, () => {
      for (let n = 0; n <= 40; n++) {
        const a = place(kernels, new Float32Array(64).fill(NaN));
        const b = place(kernels, new Float32Array(64).fill(NaN));
        write(kernels, a, new Float32Array(n).fill(2));
        write(kernels, b, new Float32Array(n).fill(5));
        expect(kernels.call.dotF32(a, b, n)).toBe(10 * n);
        expect(kernels.call.squaredL2F32(a, b, n)).toBe(9 * n);
        expect(kernels.call.sumF32(a, n)).toBe(2 * n);
      }
    });
  });

  test('the largest magnitudes overflow to infinity, the smallest vanish', () => {
    borrowing(kernels, () => {
      const large = place(kernels, new Float32Array(20).fill(LARGEST));
      const small = place(kernels, new Float32Array(20).fill(SMALLEST));
      expect(kernels.call.dotF32(large, large, 20)).toBe(Infinity);
      expect(kernels.call.sumF32(large, 20)).toBe(Infinity);
      expect(kernels.call.dotF32(small, small, 20)).toBe(0);
      expect(kernels.call.sumF32(small, 20)).toBe(20 * SMALLEST);
    });
  });
});

testBothBinaries('float32 sums are bit-identical in both binaries', (simd, relaxed) => {
  const results = [simd, relaxed].map((kernels) => {
    const values: number[] = [];
    forEachLength(kernels, (n, a, b) => {
      const { dotF32, squaredL2F32, sumF32, normaliseF32 } = kernels.call;
      values.push(dotF32(a, b, n), squaredL2F32(a, b, n), sumF32(a, n), normaliseF32(a, n));
      values.push(...readF32(kernels, a, n));
    });
    return values;
  });
  expectSame(results[0]!, results[1]!);
});

describeBinaries('float32 vectors in place', (kernels) => {
  test('scaleF32 and subtractF32 equal the scalar twin to the bit and stay inside n', () => {
    forEachLength(kernels, (n, a, b, x, y) => {
      write(kernels, a + n * 4, Float32Array.of(7));
      kernels.call.scaleF32(a, 0.3, n);
      expectSame(readF32(kernels, a, n + 1), [...scalar.scaled(x, 0.3), 7], `scaled, n = ${n}`);
      write(kernels, a, x);
      kernels.call.subtractF32(a, b, n);
      expectSame(readF32(kernels, a, n + 1), [...scalar.difference(x, y), 7], `less, n = ${n}`);
    });
  });

  test('normaliseF32 returns the length before, and is within 2 ulp of the twin', () => {
    forEachLength(kernels, (n, a, _b, x) => {
      const { length, unit } = scalar.normalised(x);
      const before = kernels.call.normaliseF32(a, n);
      expect(Math.abs(before - length)).toBeLessThanOrEqual(1e-12 * length);
      readF32(kernels, a, n).forEach((value, i) => {
        const error = Math.abs(value - unit[i]!);
        if (error > 2 ** -22 * Math.abs(unit[i]!)) expect.fail(`n = ${n}, i = ${i}: ${value}`);
      });
    });
  });

  test.each([1e-38, 2 ** -149, 1e-20, 1e20, 1e38])('lengths about %s do not overflow', (size) => {
    borrowing(kernels, () => {
      const a = place(kernels, Float32Array.of(3 * size, 0, -2 * size, 0, 0, 1 * size));
      expect(kernels.call.normaliseF32(a, 6)).toBeGreaterThan(0);
      expect(scalar.norm(readF32(kernels, a, 6))).toBeCloseTo(1, 6);
    });
  });

  test('a zero vector stays as it is', () => {
    borrowing(kernels, () => {
      const a = place(kernels, new Float32Array(9));
      expect(kernels.call.normaliseF32(a, 9)).toBe(0);
      expectSame(readF32(kernels, a, 9), new Float32Array(9));
    });
  });
});

describeBinaries('firstNonFinite', (kernels) => {
  const finite = Float32Array.of(0, -0, LARGEST, -LARGEST, SMALLEST, -SMALLEST, 2 ** -126, 1.5);

  test('passes zeros, denormals and the largest magnitudes', () => {
    borrowing(kernels, () => {
      const values = new Float32Array(70).map((_, i) => finite[i % finite.length]!);
      const a = place(kernels, values, 4);
      for (let n = 0; n <= 70; n++) expect(kernels.call.firstNonFinite(a, n)).toBe(-1);
    });
  });

  test('finds infinities and every kind of NaN at every position, and the first of several', () => {
    const patterns = [0x7f800000, 0xff800000, 0x7f800001, 0x7fc00000, 0xff800001, 0xffffffff];
    borrowing(kernels, () => {
      const a = kernels.alloc(64 * 4);
      for (const pattern of patterns) {
        for (let at = 0; at < 40; at++) {
          write(kernels, a, padded(finite, 64));
          write(kernels, a + at * 4, Uint32Array.of(pattern));
          write(kernels, a + (at + 5) * 4, Uint32Array.of(0x7fc00000));
          expect(kernels.call.firstNonFinite(a, at + 10)).toBe(at);
          expect(kernels.call.firstNonFinite(a, at)).toBe(-1);
        }
      }
    });
  });
});

describe('the scalar twin', () => {
  test('finds what the kernel finds', () => {
    expect(scalar.firstNonFinite(Float32Array.of(1, 2, NaN, Infinity))).toBe(2);
    expect(scalar.firstNonFinite(Float32Array.of(1, 2))).toBe(-1);
  });
});
