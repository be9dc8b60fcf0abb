import { expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import { type Ranked, topK } from '../../src/kernels/scalar/beam.js';
import { borrowing, describeBinaries, gaussians, place, Random } from './support.js';

/** The k nearest, offered in parts of at most `part` distances. */
function kernelTopK(
  kernels: Kernels,
  distances: Float32Array,
  first: number,
  k: number,
  part = distances.length,
): Ranked {
  return borrowing(kernels, () => {
    const source = place(kernels, distances);
    const list = kernels.alloc((k + 1) * 8);
    let size = 0;
    for (let at = 0; at < distances.length; at += part) {
      const n = Math.min(part, distances.length - at);
      size = kernels.call.topK(source + at * 4, n, first + at, k, list, size);
    }
    const ids = kernels.alloc(size * 4);
    const out = kernels.alloc(size * 4);
    kernels.call.readKeys(list, size, ids, out);
    return { ids: [...kernels.u32(ids, size)], distances: [...kernels.f32(out, size)] };
  });
}

describeBinaries('top-k', (kernels) => {
  test.each([1, 2, 3, 7, 16, 100])('k = %s of 0 … 60 random distances', (k) => {
    const random = new Random(k);
    for (let n = 0; n <= 60; n++) {
      const distances = gaussians(random, n);
      expect(kernelTopK(kernels, distances, 5, k)).toEqual(topK(distances, 5, k));
    }
  });

  test('parts give what the whole gives', () => {
    const distances = gaussians(new Random(1), 1000);
    for (const part of [1, 7, 64, 999]) {
      expect(kernelTopK(kernels, distances, 0, 50, part)).toEqual(topK(distances, 0, 50));
    }
  });

  test('ties go to the lower id, and −0 equals 0', () => {
    const distances = Float32Array.of(1, 0, -0, 1, -0, 0, -1, 1);
    expect(kernelTopK(kernels, distances, 10, 6).ids).toEqual([16, 11, 12, 14, 15, 10]);
  });

  test('orders numbers of all sizes and signs, infinities included', () => {
    const sorted = [
      -Infinity,
      -(2 ** 127),
      -1,
      -(2 ** -149),
      0,
      2 ** -149,
      1e-3,
      1,
      2 ** 127,
      Infinity,
    ];
    const order = [3, 7, 0, 9, 4, 1, 8, 2, 6, 5];
    const distances = Float32Array.from(order, (i) => sorted[i]!);
    expect(kernelTopK(kernels, distances, 0, 10).distances).toEqual([...Float32Array.from(sorted)]);
  });

  test('ids up to 2^31 − 1', () => {
    const distances = Float32Array.of(3, -2, 1);
    expect(kernelTopK(kernels, distances, 2 ** 31 - 3, 3).ids).toEqual([
      2 ** 31 - 2,
      2 ** 31 - 1,
      2 ** 31 - 3,
    ]);
  });

  test('nothing is written behind k + 1 keys', () => {
    borrowing(kernels, () => {
      const source = place(kernels, gaussians(new Random(2), 500));
      const list = kernels.alloc(9 * 8 + 16);
      kernels.u8(list + 72, 16).fill(0xaa);
      kernels.call.topK(source, 500, 0, 8, list, 0);
      expect(kernels.u8(list + 72, 16).every((byte) => byte === 0xaa)).toBe(true);
    });
  });
});
