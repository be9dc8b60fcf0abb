import { expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import * as scalar from '../../src/kernels/scalar/matrix.js';
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

/** The rows at a stride of `ld` numbers, NaN between them. */
function strided(matrix: Float32Array, rows: number, cols: number, ld: number): Float32Array {
  const wide = new Float32Array(rows * ld).fill(NaN);
  for (let r = 0; r < rows; r++) wide.set(matrix.subarray(r * cols, (r + 1) * cols), r * ld);
  return wide;
}

/** multiplyPanels with strides beyond the rows' lengths; checks that nothing else is written. */
function multiply(
  kernels: Kernels,
  a: Float32Array,
  panels: Float32Array,
  rows: number,
  depth: number,
): Float32Array {
  const cols = panels.length / depth;
  const lda = depth + 3;
  const ldc = cols + 4;
  return borrowing(kernels, () => {
    const left = place(kernels, strided(a, rows, depth, lda));
    const right = place(kernels, panels);
    const out = place(kernels, new Float32Array(rows * ldc + 4).fill(-1));
    kernels.call.multiplyPanels(left, lda, rows, depth, right, cols / 8, out, ldc);
    const written = readF32(kernels, out, rows * ldc + 4);
    const product = new Float32Array(rows * cols);
    for (let r = 0; r < rows; r++) {
      product.set(written.subarray(r * ldc, r * ldc + cols), r * cols);
      expect(Array.from(written.subarray(r * ldc + cols, (r + 1) * ldc))).toEqual([-1, -1, -1, -1]);
    }
    return product;
  });
}

/** |c − exact| ≤ 1e-6 Σ_k |a| |b| for the products of random matrices. */
function expectClose(
  c: ArrayLike<number>,
  exact: Float64Array,
  sizes: Float64Array,
  what: string,
): void {
  for (let i = 0; i < exact.length; i++) {
    if (Math.abs(c[i]! - exact[i]!) <= 2e-6 * sizes[i]!) continue;
    expect.fail(`element ${i} of ${what}: ${c[i]} instead of ${exact[i]}`);
  }
}

function checkProduct(kernels: Kernels, rows: number, depth: number, panels: number): void {
  const random = new Random(rows * 10_000 + depth * 10 + panels);
  const cols = panels * 8;
  const a = gaussians(random, rows * depth);
  const b = gaussians(random, depth * cols);
  const exact = scalar.multiply(a, b, rows, depth, cols);
  const sizes = scalar.multiply(a.map(Math.abs), b.map(Math.abs), rows, depth, cols);
  const product = multiply(kernels, a, scalar.packPanels(b, depth, cols), rows, depth);
  expectClose(product, exact, sizes, `${rows} x ${depth} x ${cols}`);
}

describeBinaries('matrix products', (kernels) => {
  test('packPanels equals the scalar twin for every width 1 … 41', () => {
    const random = new Random(2);
    for (let cols = 1; cols <= 41; cols++) {
      const rows = 1 + (cols % 7);
      const matrix = gaussians(random, rows * cols);
      const panels = scalar.packPanels(matrix, rows, cols);
      borrowing(kernels, () => {
        const source = place(kernels, strided(matrix, rows, cols, cols + 2), 4);
        const target = place(kernels, new Float32Array(panels.length).fill(NaN));
        kernels.call.packPanels(source, rows, cols, cols + 2, target);
        expectSame(readF32(kernels, target, panels.length), panels, `cols = ${cols}`);
      });
    }
  });

  test('multiplyPanels: rows 1 … 9, depth 1 … 70, panels 1 … 5', () => {
    for (let rows = 1; rows <= 9; rows++) {
      for (let depth = 1; depth <= 70; depth++) {
        for (let panels = 1; panels <= 5; panels++) checkProduct(kernels, rows, depth, panels);
      }
    }
  });

  test('multiplyPanels: a large product', () => checkProduct(kernels, 61, 768, 32));

  test('accumulateOuter adds Aᵀ·B to what is there', () => {
    const random = new Random(3);
    for (const [depth, panelsA, panelsB] of [
      [1, 1, 1],
      [5, 2, 3],
      [70, 3, 1],
      [300, 2, 2],
    ] as const) {
      const [p, q] = [panelsA * 8, panelsB * 8];
      const a = gaussians(random, depth * p);
      const b = gaussians(random, depth * q);
      const ldc = q + 2;
      borrowing(kernels, () => {
        const left = place(kernels, scalar.packPanels(a, depth, p));
        const right = place(kernels, scalar.packPanels(b, depth, q));
        const out = place(kernels, new Float64Array(p * ldc).fill(10));
        kernels.call.accumulateOuter(left, panelsA, right, panelsB, depth, out, ldc, 0);
        const sums = kernels.f64(out, p * ldc);
        const block = Float64Array.from({ length: p * q }, (_, i) => {
          return sums[Math.floor(i / q) * ldc + (i % q)]! - 10;
        });
        const sizes = scalar.outer(a.map(Math.abs), b.map(Math.abs), depth, p, q);
        expectClose(block, scalar.outer(a, b, depth, p, q), sizes, `${p} x ${depth} x ${q}`);
        for (let r = 0; r < p; r++)
          expect([...sums.slice(r * ldc + q, (r + 1) * ldc)]).toEqual([10, 10]);
      });
    }
  });

  test('accumulateOuter of a symmetric product fills the panels on and above the diagonal', () => {
    const [depth, panels, cols] = [37, 3, 24];
    const a = gaussians(new Random(4), depth * cols);
    const exact = scalar.outer(a, a, depth, cols, cols);
    borrowing(kernels, () => {
      const packed = place(kernels, scalar.packPanels(a, depth, cols));
      const out = place(kernels, new Float64Array(cols * cols));
      kernels.call.accumulateOuter(packed, panels, packed, panels, depth, out, cols, 1);
      const sums = kernels.f64(out, cols * cols);
      for (let i = 0; i < cols * cols; i++) {
        const [panelA, panelB] = [Math.floor(i / cols / 8), Math.floor((i % cols) / 8)];
        if (panelA > panelB) expect(sums[i]).toBe(0);
        else expect(Math.abs(sums[i]! - exact[i]!)).toBeLessThan(1e-4);
      }
    });
  });
});

testBothBinaries('matrix products are bit-identical in both binaries', (simd, relaxed) => {
  const [rows, depth, cols] = [7, 133, 40];
  const random = new Random(5);
  const a = gaussians(random, rows * depth);
  const panels = scalar.packPanels(gaussians(random, depth * cols), depth, cols);
  const products = [simd, relaxed].map((kernels) => multiply(kernels, a, panels, rows, depth));
  expectSame(products[0]!, products[1]!);
});

testBothBinaries('a row alone gives the bits of the same row in a batch', (simd, relaxed) => {
  // Blocks of four rows and single rows are different code: the order of their sums must agree.
  const [rows, depth, cols] = [8, 100, 48];
  const random = new Random(6);
  const a = gaussians(random, rows * depth);
  const panels = scalar.packPanels(gaussians(random, depth * cols), depth, cols);
  for (const kernels of [simd, relaxed]) {
    const batch = multiply(kernels, a, panels, rows, depth);
    for (let r = 0; r < rows; r++) {
      const row = a.subarray(r * depth, (r + 1) * depth);
      expectSame(
        multiply(kernels, row, panels, 1, depth),
        batch.subarray(r * cols, (r + 1) * cols),
      );
    }
  }
});
