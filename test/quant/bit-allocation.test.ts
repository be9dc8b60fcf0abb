import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allocateBits,
  allocateBlockBits,
  type Block,
  GAUSSIAN_DISTORTION,
  rotatedEnergy,
} from '../../src/quant/bit-allocation.js';

const sum = (numbers: Iterable<number>) => [...numbers].reduce((total, x) => total + x, 0);

describe('allocateBits', () => {
  test('energies 16, 4, 1, 1 and six bits: 3, 2, 1, 0', () => {
    expect([...allocateBits([16, 4, 1, 1], 6)]).toEqual([3, 2, 1, 0]);
  });

  test('spends the budget, more where the energy is more, and no more than the most', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 400 }),
        fc.integer({ min: 1, max: 9 }),
        (energies, budget, max) => {
          const bits = allocateBits(energies, budget, max);
          expect(sum(bits)).toBe(Math.min(budget, max * energies.length));
          bits.forEach((b, i) => {
            expect(b).toBeLessThanOrEqual(max);
            bits.forEach((c, j) => {
              if (energies[i]! > energies[j]!) expect(b).toBeGreaterThanOrEqual(c);
            });
          });
        },
      ),
      { seed: 1 },
    );
  });

  test('refuses wrong input', () => {
    expect(() => allocateBits([1, -1], 2)).toThrow(/energies\[1\]/);
    expect(() => allocateBits([Number.NaN], 2)).toThrow(RangeError);
    expect(() => allocateBits([1], 1.5)).toThrow(RangeError);
    expect(() => allocateBits([1], 1, 0)).toThrow(RangeError);
  });
});

/** Every choice of widths, by brute force: the least error within the budget. */
function leastError(blocks: readonly Block[], budget: number, widths: readonly number[]): number {
  const [first, ...rest] = blocks;
  if (first === undefined) return 0;
  const errors = widths.map((width) => {
    const bytes = width === 0 ? 0 : Math.ceil((first.dimensions * width) / 8) + 2;
    if (bytes > budget) return Infinity;
    return first.energy * GAUSSIAN_DISTORTION[width]! + leastError(rest, budget - bytes, widths);
  });
  return Math.min(...errors);
}

describe('allocateBlockBits', () => {
  test('is the best of all choices', () => {
    const block = fc.record({
      dimensions: fc.constantFrom(16, 64, 128, 100),
      energy: fc.double({ min: 0, max: 100, noNaN: true }),
    });
    const widths = [0, 1, 2, 4, 8];
    fc.assert(
      fc.property(
        fc.array(block, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 300 }),
        (blocks, budget) => {
          const { bits, bytes, distortion } = allocateBlockBits(blocks, budget, { widths });
          expect(bytes).toBeLessThanOrEqual(budget);
          const taken = blocks.map(({ dimensions }, i) =>
            bits[i] === 0 ? 0 : Math.ceil((dimensions * bits[i]!) / 8) + 2,
          );
          expect(sum(taken)).toBe(bytes);
          const error = sum(blocks.map(({ energy }, i) => energy * GAUSSIAN_DISTORTION[bits[i]!]!));
          expect(distortion).toBeCloseTo(error, 9);
          expect(distortion).toBeCloseTo(leastError(blocks, budget, widths), 9);
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });

  test('errs less the more it may spend; where variances fall it beats one width for all', () => {
    const blocks = Array.from({ length: 12 }, (_, i) => ({
      dimensions: 64,
      energy: 1 / (i + 1) ** 2,
    }));
    let previous = Infinity;
    for (let budget = 0; budget <= 600; budget += 40) {
      const { distortion } = allocateBlockBits(blocks, budget);
      expect(distortion).toBeLessThanOrEqual(previous);
      previous = distortion;
    }
    for (const bits of [1, 2, 4]) {
      const equal = GAUSSIAN_DISTORTION[bits]! * sum(blocks.map(({ energy }) => energy));
      const { distortion } = allocateBlockBits(blocks, 12 * (8 * bits + 2));
      expect(distortion).toBeLessThan(0.6 * equal);
    }
  });

  test('a block may have its own distortions, as one that refines a coarser code', () => {
    const blocks = [
      { dimensions: 64, energy: 1, distortion: [0.1188, 0.036, 0.0102] },
      { dimensions: 64, energy: 0.5 },
    ];
    const options = { widths: [0, 1, 2] };
    expect([...allocateBlockBits(blocks, 20, options).bits]).toEqual([0, 2]);
    expect([...allocateBlockBits(blocks, 36, options).bits]).toEqual([2, 2]);
  });

  test('refuses wrong input', () => {
    const blocks = [{ dimensions: 64, energy: 1 }];
    expect(() => allocateBlockBits(blocks, 5, { widths: [1, 2] })).toThrow(/budget/);
    expect(() => allocateBlockBits(blocks, 50, { widths: [9] })).toThrow(/at most 8/);
    expect(() => allocateBlockBits([{ dimensions: 8, energy: -1 }], 5)).toThrow(/block 0/);
  });
});

test('the distortions are those of Lloyd–Max levels on a gaussian', () => {
  for (const bits of [1, 2, 3, 4]) {
    expect(Math.abs(lloydMax(2 ** bits) / GAUSSIAN_DISTORTION[bits]! - 1)).toBeLessThan(0.002);
  }
  for (let bits = 1; bits <= 8; bits++) {
    const ratio = GAUSSIAN_DISTORTION[bits - 1]! / GAUSSIAN_DISTORTION[bits]!;
    expect(ratio).toBeGreaterThan(2.7);
    expect(ratio).toBeLessThan(4);
    expect(GAUSSIAN_DISTORTION[bits]).toBeLessThan((Math.sqrt(3) * Math.PI) / 2 / 4 ** bits);
  }
});

test('a rotation gives all dimensions of a block the mean of the variances', () => {
  expect(rotatedEnergy([4, 2, 1], [3, 1, 9], 0, 2)).toBe(12);
  expect(rotatedEnergy([4, 2, 1], [3, 1, 9], 2, 3)).toBe(9);
});

/** Mean squared error of Lloyd's levels for a gaussian, on a fine grid of it. */
function lloydMax(levels: number): number {
  const grid = Array.from({ length: 24_000 }, (_, i) => -6 + (i + 0.5) / 2000);
  const weights = grid.map((x) => Math.exp((-x * x) / 2));
  let centres = Array.from({ length: levels }, (_, i) => -2 + (4 * (i + 0.5)) / levels);
  let error = 0;
  for (let round = 0; round < 400; round++) {
    const sums = new Float64Array(levels);
    const counts = new Float64Array(levels);
    error = 0;
    let k = 0;
    grid.forEach((x, i) => {
      while (k + 1 < levels && x > (centres[k]! + centres[k + 1]!) / 2) k++;
      sums[k]! += weights[i]! * x;
      counts[k]! += weights[i]!;
      error += weights[i]! * (x - centres[k]!) ** 2;
    });
    centres = centres.map((centre, j) => (counts[j]! > 0 ? sums[j]! / counts[j]! : centre));
  }
  return error / sum(weights);
}
