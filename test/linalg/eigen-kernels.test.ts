import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';

// wasm/eigen.ts against plain loops, for all small sizes.

const kernels = new Kernels();
const random = new Random(1);

function numbers(count: number): Float64Array {
  return Float64Array.from({ length: count }, () => random.gaussian());
}

function put(values: Float64Array): number {
  const pointer = kernels.alloc(values.byteLength);
  kernels.f64(pointer, values.length).set(values);
  return pointer;
}

function expectClose(received: Float64Array, expected: ArrayLike<number>): void {
  received.forEach((x, i) => {
    expect(Math.abs(x - expected[i]!)).toBeLessThan(1e-12);
  });
}

describe('kernels of the eigen-solver', () => {
  test('updateAndMultiply, in one range or several', () => {
    for (let n = 1; n <= 17; n++) {
      const mark = kernels.mark();
      const ld = 24;
      const [a, v, w, x] = [numbers(n * ld), numbers(ld), numbers(ld), numbers(ld)];
      const expected = a.slice();
      const product = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j <= i; j++) {
          const value = a[i * ld + j]! - v[i]! * w[j]! - w[i]! * v[j]!;
          expected[i * ld + j] = value;
          product[i]! += value * x[j]!;
          if (j < i) product[j]! += value * x[i]!;
        }
      }
      const [pa, pv, pw, px] = [put(a), put(v), put(w), put(x)];
      const py = put(new Float64Array(n));
      const { updateAndMultiply } = kernels.call;
      const middle = n > 4 ? 4 : 0;
      updateAndMultiply(pa, ld, 0, middle, pv, pw, px, py);
      updateAndMultiply(pa, ld, middle, n, pv, pw, px, py);
      expectClose(kernels.f64(pa, n * ld), expected);
      expectClose(kernels.f64(py, n), product);
      kernels.release(mark);
    }
  });

  test('rotatePanel replays backwards what was recorded', () => {
    const n = 9;
    const panel = numbers(n * 8);
    const expected = panel.slice();
    const ranges = [
      [0, 8],
      [2, 5],
      [3, 3],
      [1, 8],
    ] as const;
    const recorded: { row: number; c: number; s: number }[] = [];
    for (const [first, last] of ranges) {
      for (let row = last - 1; row >= first; row--) {
        const angle = random.gaussian();
        recorded.push({ row, c: Math.cos(angle), s: Math.sin(angle) });
      }
    }
    for (const { row, c, s } of [...recorded].reverse()) {
      for (let j = 0; j < 8; j++) {
        const [x, y] = [expected[row * 8 + j]!, expected[row * 8 + 8 + j]!];
        expected[row * 8 + j] = c * x + s * y;
        expected[row * 8 + 8 + j] = c * y - s * x;
      }
    }
    const mark = kernels.mark();
    const pairs = put(Float64Array.from(recorded.flatMap(({ c, s }) => [c, s])));
    const sweeps = kernels.alloc(ranges.length * 8);
    kernels.u32(sweeps, ranges.length * 2).set(ranges.flat());
    const pointer = put(panel);
    const end = pairs + recorded.length * 16;
    const { rotatePanel } = kernels.call;
    const middle = rotatePanel(pointer, sweeps + 32, 1, end);
    expect(rotatePanel(pointer, sweeps + 24, 3, middle)).toBe(pairs);
    expectClose(kernels.f64(pointer, n * 8), expected);
    kernels.release(mark);
  });

  test.each([1, -1])('reflectRows with lengths that change by %i', (growth) => {
    const ld = 24;
    for (let length = 1; length <= 12; length++) {
      for (let count = 0; count <= 6; count++) {
        if (growth < 0 && count > length) continue;
        const mark = kernels.mark();
        const rows = numbers(4 * ld);
        const expected = rows.slice();
        const reflectors = new Float64Array(8 * ld);
        for (let i = 0; i < count; i++) {
          const v = numbers(length + i * growth).map((x) => x / 3);
          reflectors.set(v, i * ld);
          for (let r = 0; r < 4; r++) {
            const row = expected.subarray(r * ld, r * ld + v.length);
            const product = row.reduce((sum, x, k) => sum + x * v[k]!, 0);
            row.forEach((x, k) => {
              row[k] = x - product * v[k]!;
            });
          }
        }
        const [pointer, first] = [put(rows), put(reflectors)];
        kernels.call.reflectRows(pointer, ld, first, ld, length, growth, count);
        expectClose(kernels.f64(pointer, 4 * ld), expected);
        kernels.release(mark);
      }
    }
  });

  test('accumulateRowProducts', () => {
    for (const [p, q, depth] of [
      [2, 4, 2],
      [4, 8, 6],
      [6, 4, 24],
      [2, 4, 0],
    ] as const) {
      const mark = kernels.mark();
      const ld = 26;
      const [x, y, c] = [numbers(p * ld), numbers(q * ld), numbers(p * 10)];
      const expected = c.slice();
      for (let i = 0; i < p; i++) {
        for (let j = 0; j < q; j++) {
          for (let k = 0; k < depth; k++) expected[i * 10 + j]! += x[i * ld + k]! * y[j * ld + k]!;
        }
      }
      const [px, py, pc] = [put(x), put(y), put(c)];
      kernels.call.accumulateRowProducts(px, p, py, q, depth, ld, pc, 10);
      expectClose(kernels.f64(pc, p * 10), expected);
      kernels.release(mark);
    }
  });
});
