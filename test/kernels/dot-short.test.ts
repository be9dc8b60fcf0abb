import { describe, expect, test } from 'vitest';
import { paddedDimensions } from '../../src/kernels/index.js';
import * as scalar from '../../src/kernels/scalar/dot.js';
import { norm } from '../../src/kernels/scalar/float.js';
import { packCodes } from '../../src/kernels/scalar/pack.js';
import { quantiseInput } from '../../src/kernels/scalar/project.js';
import {
  borrowing,
  describeBinaries,
  gaussians,
  padded,
  place,
  Random,
  randomCodes,
} from './support.js';

const LENGTH_MAX = 1100;
/** The length of a query in int16: what keeps the sums within 32 bits. */
const SCALE = 32_767;

/** Queries of at most that length, n numbers each. */
const QUERIES: readonly { name: string; query: (n: number) => Int16Array }[] = [
  { name: 'gaussian', query: (n) => quantiseInput(gaussians(new Random(n), n)).input },
  { name: 'all equal', query: (n) => new Int16Array(n).fill(SCALE / Math.sqrt(n)) },
  { name: 'all equal, negative', query: (n) => new Int16Array(n).fill(-SCALE / Math.sqrt(n)) },
  { name: 'one number, the last', query: (n) => new Int16Array(n).fill(SCALE, n - 1) },
  { name: 'one number, negative', query: (n) => new Int16Array(n).fill(-SCALE, n - 1) },
];

describeBinaries('int16 times codes', (kernels) => {
  function kernelDot(query: Int16Array, codes: Uint8Array, bits: 4 | 8, offset = 0): number {
    return borrowing(kernels, () => {
      const q = place(kernels, padded(query, paddedDimensions(query.length)), offset);
      const c = place(kernels, packCodes(codes, bits), (offset * 5) % 16);
      return kernels.call.dotShortCodes(q, c, query.length, bits);
    });
  }

  describe.each([4, 8] as const)('%s bits', (bits) => {
    const top = 2 ** bits - 1;

    test.each(QUERIES)('$name: every length 1 … 1100', ({ query }) => {
      const any = randomCodes(new Random(bits), LENGTH_MAX, bits);
      const extreme = new Uint8Array(LENGTH_MAX).fill(top);
      for (let n = 1; n <= LENGTH_MAX; n++) {
        const q = query(n);
        for (const all of [any, extreme]) {
          const codes = all.subarray(0, n);
          const dot = kernelDot(q, codes, bits, n % 16);
          if (dot !== scalar.dotShortCodes(q, codes)) expect.fail(`n = ${n}: ${dot}`);
        }
      }
    });

    test('each dimension meets its own code', () => {
      const n = 150;
      for (let at = 0; at < n; at++) {
        const query = new Int16Array(n);
        query[at] = -SCALE;
        const codes = Uint8Array.from({ length: n }, (_, j) => (j * 11) % (top + 1));
        expect(kernelDot(query, codes, bits)).toBe(-SCALE * codes[at]! || 0);
      }
    });

    test('every alignment within 16 bytes', () => {
      for (const n of [1, 15, 16, 31, 33, 63, 64, 65, 127, 128, 129, 768]) {
        const query = quantiseInput(gaussians(new Random(n), n)).input;
        const codes = randomCodes(new Random(n), n, bits);
        for (let offset = 0; offset < 16; offset++) {
          expect(kernelDot(query, codes, bits, offset)).toBe(scalar.dotShortCodes(query, codes));
        }
      }
    });

    test('16,384 dimensions, each as large as rounding makes it: the sum fits', () => {
      const n = 16_384;
      const codes = new Uint8Array(n).fill(top);
      for (const value of [256, -256]) {
        const query = new Int16Array(n).fill(value);
        expect(norm(query)).toBeGreaterThan(SCALE);
        expect(kernelDot(query, codes, bits)).toBe(n * value * top);
      }
    });
  });
});
