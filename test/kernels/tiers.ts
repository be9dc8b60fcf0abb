import { expect, test } from 'vitest';
import { dotCodePair, dotQueryCodes, sumCodes } from '../../src/kernels/scalar/dot.js';
import { dot, norm } from '../../src/kernels/scalar/float.js';
import { packCodes } from '../../src/kernels/scalar/pack.js';
import * as primary from '../../src/kernels/scalar/primary.js';
import {
  borrowing,
  describeBinaries,
  gaussians,
  padded,
  place,
  Random,
  randomCodes,
} from './support.js';

/**
 * The kernels under one of V8's two compilers, whose flags the test file has set before the first
 * module is compiled. Usually code starts in the baseline compiler and is optimised once it is
 * hot, so that a compiler's bug shows in the first calls only, or only later: Node 20's baseline
 * compiler gets `i32x4.relaxed_dot_i8x16_i7x16_add_s` wrong.
 */
export function describeTier(tier: string): void {
  describeBinaries(`the ${tier} compiler`, (kernels) => {
    const { call } = kernels;

    test.each([2, 4, 7, 8] as const)('dots of %s-bit codes', (bits) => {
      const random = new Random(bits);
      for (let n = 1; n <= 300; n += 7) {
        const codes = randomCodes(random, n, bits);
        const query = Int8Array.from({ length: n }, () => random.below(128));
        borrowing(kernels, () => {
          const packed = place(kernels, packCodes(codes, bits));
          const q = place(kernels, padded(query, 320));
          expect(call.dotQueryCodes(q, packed, n, bits)).toBe(dotQueryCodes(query, codes, bits));
          expect(call.sumCodes(packed, n, bits)).toBe(sumCodes(codes));
          if (bits !== 7)
            expect(call.dotCodePair(packed, packed, n, bits)).toBe(dotCodePair(codes, codes));
          const floats = gaussians(random, n);
          const mixed = call.dotFloatCodes(place(kernels, padded(floats, 320)), packed, n, bits);
          expect(Math.abs(mixed - dot(floats, codes))).toBeLessThan(
            1e-5 * norm(floats) * norm(codes),
          );
        });
      }
    });

    test.each([2, 4, 7] as const)('traversal scores of %s-bit codes', (bits) => {
      const random = new Random(bits);
      const order = primary.primarySlotOrder(128, bits);
      for (let round = 0; round < 10; round++) {
        const z = new Float32Array(primary.primarySlots(128, bits));
        const p = new Float32Array(z.length);
        for (const slot of order) {
          z[slot] = random.gaussian();
          p[slot] = random.gaussian();
        }
        const record = primary.primaryEncode(z, bits, order.length, 'optimised', 1);
        const query = primary.primaryQuery(p, bits);
        borrowing(kernels, () => {
          const [q, r] = [place(kernels, query.codes), place(kernels, record)];
          const score = call.primaryScore(q, r, 128, bits, query.step, query.offset);
          expect(score).toBe(primary.primaryScore(query, record, bits));
        });
      }
    });

    test('float32 sums', () => {
      const random = new Random(9);
      for (let n = 1; n <= 200; n += 11) {
        const [x, y] = [gaussians(random, n), gaussians(random, n)];
        borrowing(kernels, () => {
          const value = call.dotF32(place(kernels, x), place(kernels, y), n);
          expect(Math.abs(value - dot(x, y))).toBeLessThanOrEqual(1e-5 * norm(x) * norm(y));
        });
      }
    });
  });
}
