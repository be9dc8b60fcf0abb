import { expect, test } from 'vitest';
import { alignUp, type Kernels } from '../../src/kernels/index.js';
import { norm, squaredL2 } from '../../src/kernels/scalar/float.js';
import { hadamardSize, rotate, rotateBack } from '../../src/kernels/scalar/rotate.js';
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

const SENTINEL = 12_345;

/** Two rounds of n random signs. */
function randomSigns(random: Random, n: number): Int8Array {
  return Int8Array.from({ length: 2 * n }, () => (random.below(2) === 0 ? 1 : -1));
}

/** As the kernel takes them: words 0 or 2^31, each round rounded up to a v128. */
function signWords(signs: Int8Array): Uint32Array {
  const n = signs.length / 2;
  const words = new Uint32Array(2 * alignUp(n, 4));
  for (let j = 0; j < n; j++) {
    words[j] = signs[j]! < 0 ? 0x8000_0000 : 0;
    words[alignUp(n, 4) + j] = signs[n + j]! < 0 ? 0x8000_0000 : 0;
  }
  return words;
}

/** The kernel's rotation; what lies behind the last v128 must stay as it is. */
function kernelRotate(kernels: Kernels, x: ArrayLike<number>, signs: Int8Array, behind = 0) {
  const n = x.length;
  const room = alignUp(n, 4);
  return borrowing(kernels, () => {
    const row = new Float32Array(room + 4).fill(behind);
    row.set(x);
    row.fill(SENTINEL, room);
    const pointer = place(kernels, row);
    kernels.call.rotate(pointer, place(kernels, signWords(signs)), n);
    expectSame(readF32(kernels, pointer + room * 4, 4), new Array(4).fill(SENTINEL));
    return readF32(kernels, pointer, n);
  });
}

function kurtosis(x: ArrayLike<number>): number {
  const values = Array.from(x);
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const moment = (k: number) => values.reduce((sum, v) => sum + (v - mean) ** k, 0) / values.length;
  return moment(4) / moment(2) ** 2;
}

describeBinaries('rotations', (kernels) => {
  function checkAgainstMatrices(d: number): void {
    const random = new Random(d);
    const signs = randomSigns(random, d);
    const x = gaussians(random, d);
    const rotated = kernelRotate(kernels, x, signs);
    const error = Math.sqrt(squaredL2(rotated, rotate(x, signs))) / norm(x);
    if (!(error < 5e-7)) expect.fail(`d = ${d}: off by ${error}`);
    const length = norm(rotated) / norm(x);
    if (!(Math.abs(length - 1) < 1e-6)) expect.fail(`d = ${d}: length ${length}`);
  }

  test('are undone, by the kernel and by the twin', () => {
    for (let d = 4; d <= 300; d += 1 + (d >> 4)) {
      const random = new Random(d);
      const signs = randomSigns(random, d);
      const x = gaussians(random, d);
      expect(Math.sqrt(squaredL2(rotateBack(rotate(x, signs), signs), x))).toBeLessThan(1e-12 * d);
      const back = borrowing(kernels, () => {
        const pointer = place(kernels, x);
        const words = place(kernels, signWords(signs));
        kernels.call.rotate(pointer, words, d);
        kernels.call.rotateBack(pointer, words, d);
        return readF32(kernels, pointer, d);
      });
      expect(Math.sqrt(squaredL2(back, x))).toBeLessThan(1e-6 * norm(x));
    }
  });

  test('equal the product of sign and Hadamard matrices, and keep lengths: d = 4 … 300', () => {
    for (let d = 4; d <= 300; d++) checkAgainstMatrices(d);
  });

  test.each([384, 512, 768, 1000, 1023, 1024, 1025])('the same for d = %s', (d) => {
    checkAgainstMatrices(d);
  });

  test.each([
    4, 5, 6, 7, 8, 9, 15, 16, 31, 48, 64, 100, 127, 128,
  ])('d = %s: the matrix is orthonormal', (d) => {
    const signs = randomSigns(new Random(d), d);
    const columns = Array.from({ length: d }, (_, j) => {
      const unit = new Float32Array(d);
      unit[j] = 1;
      return kernelRotate(kernels, unit, signs);
    });
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) {
        let product = 0;
        for (let k = 0; k < d; k++) product += columns[i]![k]! * columns[j]![k]!;
        const error = Math.abs(product - (i === j ? 1 : 0));
        if (error > 1e-6) expect.fail(`columns ${i} and ${j}: off by ${error}`);
      }
    }
  });

  test('numbers of all sizes keep their length, zeros stay zeros', () => {
    const random = new Random(1);
    const signs = randomSigns(random, 100);
    for (const size of [1e-30, 1e-6, 1e6, 1e15]) {
      const x = gaussians(random, 100, size);
      expect(Math.abs(norm(kernelRotate(kernels, x, signs)) / norm(x) - 1)).toBeLessThan(1e-6);
    }
    const zeros = kernelRotate(kernels, new Float32Array(100), signs);
    expect(zeros.every((value) => value === 0)).toBe(true);
  });

  test('what fills the last v128 does not matter', () => {
    for (const d of [5, 6, 7, 13, 101]) {
      const random = new Random(d);
      const signs = randomSigns(random, d);
      const x = gaussians(random, d);
      const rotated = kernelRotate(kernels, x, signs);
      for (const behind of [7, -1e30, Infinity, NaN]) {
        expectSame(kernelRotate(kernels, x, signs, behind), rotated, `d = ${d}, ${behind}`);
      }
    }
  });

  // 48 … 1,536 are three times a power of two: half of the numbers are in both transforms.
  test.each([
    64, 48, 96, 192, 384, 768, 1536, 100, 300, 1000, 1024,
  ])('d = %s: a single number spreads over all, wherever it is', (d) => {
    const random = new Random(d);
    const p = hadamardSize(d);
    let total = 0;
    const step = Math.max(1, Math.floor(d / 40));
    const places = Array.from({ length: Math.floor(d / step) }, (_, i) => i * step);
    for (const at of places) {
      const unit = new Float32Array(d);
      unit[at] = 1;
      const rotated = kernelRotate(kernels, unit, randomSigns(random, d));
      const spread = kurtosis(rotated);
      total += spread;
      // Some of these vectors of 64 numbers reach 8.5; left unspread they would be near d.
      expect(spread).toBeLessThan(12);
      const largest = rotated.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largest * Math.sqrt(p)).toBeLessThan(6);
    }
    expect(total / places.length).toBeLessThan(3.3);
  });

  test.each([
    64, 96, 384, 768, 1000, 1024,
  ])('d = %s: outlier dimensions become gaussian: kurtosis about 3', (d) => {
    const random = new Random(d);
    const rounds = 40;
    let before = 0;
    let after = 0;
    for (let round = 0; round < rounds; round++) {
      const x = gaussians(random, d);
      for (let i = 0; i < 4; i++) x[random.below(d)]! *= 30;
      before += kurtosis(x) / rounds;
      after += kurtosis(kernelRotate(kernels, x, randomSigns(random, d))) / rounds;
    }
    expect(before).toBeGreaterThan(10);
    expect(after).toBeGreaterThan(2.3);
    expect(after).toBeLessThan(3.4);
  });
});

testBothBinaries('rotations are bit-identical in both binaries', (simd, relaxed) => {
  for (const d of [4, 7, 48, 100, 333, 768]) {
    const random = new Random(d);
    const signs = randomSigns(random, d);
    const x = gaussians(random, d);
    expectSame(kernelRotate(simd, x, signs), kernelRotate(relaxed, x, signs), `d = ${d}`);
  }
});
