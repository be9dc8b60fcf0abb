import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bitsForError, bitsOf, expectedError, planBits } from '../../src/kv/plan.js';
import { GAUSSIAN_DISTORTION } from '../../src/quant/bit-allocation.js';

const VARIANCES = fc.array(
  fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 12 }),
  { minLength: 1, maxLength: 4 },
);

const typed = (variances: number[][]) => variances.map((of) => Float64Array.from(of));
const total = (plan: readonly Uint8Array[]) => plan.reduce((sum, of) => sum + bitsOf(of), 0);

test('all bits of a budget are given, at most eight a component', () => {
  fc.assert(
    fc.property(VARIANCES, fc.nat(120), (given, budget) => {
      const variances = typed(given);
      const most = 8 * variances.reduce((sum, of) => sum + of.length, 0);
      const plan = planBits(variances, budget);
      expect(total(plan)).toBe(Math.min(budget, most));
      for (const of of plan) expect(Math.max(0, ...of)).toBeLessThanOrEqual(8);
    }),
    { seed: 1 },
  );
});

test('more bits, no more error', () => {
  fc.assert(
    fc.property(VARIANCES, fc.nat(60), (given, budget) => {
      const variances = typed(given);
      const error = expectedError(variances, planBits(variances, budget));
      const next = expectedError(variances, planBits(variances, budget + 1));
      expect(next).toBeLessThanOrEqual(error * (1 + 1e-12));
    }),
    { seed: 2 },
  );
});

test('no other way to give the bits has less error', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0, max: 10, noNaN: true }), { minLength: 1, maxLength: 4 }),
      fc.nat(8),
      (given, budget) => {
        const variances = typed([given]);
        const found = expectedError(variances, planBits(variances, budget));
        let best = Infinity;
        const walk = (i: number, left: number, error: number) => {
          if (i === given.length) {
            best = Math.min(best, error);
            return;
          }
          for (let bits = 0; bits <= Math.min(8, left); bits++) {
            walk(i + 1, left - bits, error + given[i]! * GAUSSIAN_DISTORTION[bits]!);
          }
        };
        walk(0, budget, 0);
        expect(found).toBeLessThanOrEqual(best * (1 + 1e-9));
      },
    ),
    { seed: 3 },
  );
});

test('bits by variance have less error than as many for all, where variances decay', () => {
  const variances = [Float64Array.from({ length: 64 }, (_, i) => 1 / (i + 1))];
  for (const bits of [1, 2, 3, 4]) {
    const uniform = [new Uint8Array(64).fill(bits)];
    const mixed = planBits(variances, 64 * bits);
    expect(expectedError(variances, mixed)).toBeLessThan(expectedError(variances, uniform));
  }
});

test('the bits for an error are the fewest that have it', () => {
  const variances = [Float64Array.of(9, 3, 1), Float64Array.of(4, 0.5)];
  for (const error of [10, 2, 0.3, 0.01]) {
    const bits = bitsForError(variances, error);
    expect(expectedError(variances, planBits(variances, bits))).toBeLessThanOrEqual(error);
    if (bits > 0) {
      expect(expectedError(variances, planBits(variances, bits - 1))).toBeGreaterThan(error);
    }
  }
});
