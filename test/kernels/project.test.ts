import { expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import { norm } from '../../src/kernels/scalar/float.js';
import * as scalar from '../../src/kernels/scalar/project.js';
import {
  borrowing,
  describeBinaries,
  expectSame,
  gaussians,
  place,
  Random,
  readF32,
  testBothBinaries,
} from './support.js';

/** `count` random rows of length 1. */
function unitRows(random: Random, count: number, n: number): Float32Array {
  const rows = gaussians(random, count * n);
  for (let r = 0; r < count; r++) {
    const row = rows.subarray(r * n, (r + 1) * n);
    const length = norm(row);
    row.forEach((x, i) => {
      row[i] = x / length;
    });
  }
  return rows;
}

/** The kernel's projection of x on the rows, which go to slots 0, 1, …; the other slots are empty. */
function kernelProject(
  kernels: Kernels,
  x: Float32Array,
  rows: Float32Array,
  slots: number,
): Float32Array {
  const { call } = kernels;
  const n = x.length;
  return borrowing(kernels, () => {
    const packed = kernels.alloc(call.projectionBytes(n, slots));
    for (let r = 0; r < rows.length / n; r++) {
      call.packProjectionRow(place(kernels, rows.subarray(r * n, (r + 1) * n)), n, r, packed);
    }
    const scratch = kernels.alloc(n * 2 + 16);
    const out = kernels.alloc(slots * 4);
    call.projectVector(place(kernels, x), n, packed, slots, scratch, out);
    return readF32(kernels, out, slots);
  });
}

/** The kernel's int16 form, and what it writes up to a whole v128. */
function kernelQuantise(kernels: Kernels, x: Float32Array): scalar.QuantisedInput {
  return borrowing(kernels, () => {
    const room = Math.ceil(x.length / 8) * 8;
    const out = place(kernels, new Int16Array(room + 8).fill(77));
    const factor = kernels.call.quantiseInput(place(kernels, x), x.length, out);
    const written = new Int16Array(kernels.u8(out, (room + 8) * 2).slice().buffer);
    expectSame(written.subarray(x.length, room), new Int16Array(room - x.length), 'zeros behind');
    expectSame(written.subarray(room), new Int16Array(8).fill(77), 'nothing behind the v128');
    return { input: written.slice(0, x.length), factor };
  });
}

describeBinaries('inputs in int16', (kernels) => {
  function expectTwin(x: Float32Array, what: string): scalar.QuantisedInput {
    const quantised = kernelQuantise(kernels, x);
    const expected = scalar.quantiseInput(x);
    expectSame(quantised.input, expected.input, what);
    expect(quantised.factor, what).toBe(expected.factor);
    return quantised;
  }

  test('every length 1 … 1100 is the twin’s, of length 32,767', () => {
    const random = new Random(1);
    for (let n = 1; n <= 1100; n++) {
      const { input } = expectTwin(gaussians(random, n, 10 ** (n % 9)), `n = ${n}`);
      // Each number is rounded by at most a half.
      expect(Math.abs(norm(input) - 32_767)).toBeLessThanOrEqual(Math.sqrt(n) / 2 + 0.01);
    }
  });

  test('a single number becomes ±32,767, wherever it is and however large', () => {
    for (let n = 1; n <= 40; n++) {
      for (const value of [5, -5, 1e-30, -1e30]) {
        const x = new Float32Array(n);
        x[n - 1] = value;
        const { input } = expectTwin(x, `n = ${n}`);
        expect(input[n - 1]).toBe(Math.sign(value) * 32_767);
      }
    }
  });

  test('zeros stay zeros, with the factor 0', () => {
    for (const n of [1, 7, 8, 9, 64]) {
      const { input, factor } = expectTwin(new Float32Array(n), `n = ${n}`);
      expect(input.every((value) => value === 0)).toBe(true);
      expect(factor).toBe(0);
    }
  });
});

describeBinaries('projections in int16', (kernels) => {
  test('every length 1 … 130 equals the twin to the bit, 32 … 256 slots', () => {
    for (let n = 1; n <= 130; n++) {
      const random = new Random(n);
      const slots = 32 * (1 + (n % 8));
      const rows = unitRows(random, slots, n);
      const x = gaussians(random, n, 10 ** ((n % 7) - 3));
      const expected = scalar.projectInput(scalar.quantiseInput(x), rows);
      expectSame(kernelProject(kernels, x, rows, slots), expected, `n = ${n}`);
    }
  });

  test.each([384, 767, 768, 1000, 1536])('%s inputs equal the twin to the bit', (n) => {
    const random = new Random(n);
    const rows = unitRows(random, 96, n);
    const x = gaussians(random, n);
    const expected = scalar.projectInput(scalar.quantiseInput(x), rows);
    expectSame(kernelProject(kernels, x, rows, 96), expected);
  });

  test('16,384 inputs along a row: the sums fit', () => {
    const x = new Float32Array(16_384).map((_, i) => (i % 3 === 0 ? -1 : 1));
    const rows = x.map((value) => value / 128);
    for (const sign of [1, -1]) {
      const projected = kernelProject(
        kernels,
        x.map((value) => value * sign),
        rows,
        32,
      );
      expect(projected[0]).toBeCloseTo(sign * 128, 0);
      expect(Math.sign(projected[0]!)).toBe(sign);
    }
  });

  test('a row goes to its slot, whichever is empty', () => {
    const n = 19;
    const rows = unitRows(new Random(5), 96, n);
    const x = gaussians(new Random(6), n);
    const all = kernelProject(kernels, x, rows, 96);
    for (let slot = 0; slot < 96; slot++) {
      const alone = rows.map((w, i) => (Math.floor(i / n) === slot ? w : 0));
      const expected = new Float32Array(96);
      expected[slot] = all[slot]!;
      expectSame(kernelProject(kernels, x, alone, 96), expected, `slot ${slot}`);
    }
  });

  function expectProjection(x: Float32Array, rows: Float32Array, slots: number): void {
    const exact = scalar.project(x, rows);
    const projected = kernelProject(kernels, x, rows, slots);
    for (let r = 0; r < slots; r++) {
      const error = Math.abs(projected[r]! - (exact[r] ?? 0));
      // Both operands err by at most half a step of 1 / 32,767 a number.
      const bound = (Math.sqrt(x.length) / 32_767) * 1.01 * norm(x);
      if (error > bound) expect.fail(`n = ${x.length}, slot ${r}: off by ${error}`);
    }
  }

  test('every length 1 … 70, one and several groups of 32 slots', () => {
    for (let n = 1; n <= 70; n++) {
      const random = new Random(n);
      const count = 1 + ((n * 5) % 90);
      const slots = Math.ceil(count / 32) * 32;
      expectProjection(gaussians(random, n), unitRows(random, count, n), slots);
    }
  });

  test('768 inputs, 256 slots: errors about 9e-6 of the length', () => {
    const random = new Random(1);
    const [x, rows] = [gaussians(random, 768), unitRows(random, 240, 768)];
    const exact = scalar.project(x, rows);
    const projected = kernelProject(kernels, x, rows, 256);
    const squares = exact.reduce((sum, y, r) => sum + (y - projected[r]!) ** 2, 0);
    expect(Math.sqrt(squares / 240)).toBeLessThan(2e-5 * norm(x));
    expect([...projected.subarray(240)]).toEqual(new Array(16).fill(0));
  });

  test('vectors along a row do not overflow, whatever their size', () => {
    const rows = unitRows(new Random(2), 3, 1000);
    for (const size of [1e-30, 1e-3, 1, 1e6, 1e30]) {
      const x = rows.slice(1000, 2000).map((w) => -w * size);
      expectProjection(x, rows, 32);
    }
    const axis = new Float32Array(9);
    axis[8] = -5;
    expect(kernelProject(kernels, axis, axis.map(Math.sign), 32)[0]).toBeCloseTo(5, 5);
  });

  test('a zero vector gives zeros', () => {
    for (const n of [7, 8, 64]) {
      const zeros = kernelProject(kernels, new Float32Array(n), unitRows(new Random(3), 5, n), 32);
      expect(zeros.every((x) => x === 0)).toBe(true);
    }
  });
});

testBothBinaries('projections are bit-identical in both binaries', (simd, relaxed) => {
  const random = new Random(4);
  const [x, rows] = [gaussians(random, 333), unitRows(random, 60, 333)];
  expectSame(kernelProject(simd, x, rows, 64), kernelProject(relaxed, x, rows, 64));
});
