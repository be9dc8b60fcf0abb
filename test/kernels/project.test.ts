import { expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import { norm } from '../../src/kernels/scalar/float.js';
import { project } from '../../src/kernels/scalar/project.js';
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

describeBinaries('projections in int16', (kernels) => {
  function expectProjection(x: Float32Array, rows: Float32Array, slots: number): void {
    const exact = project(x, rows);
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
    const exact = project(x, rows);
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
