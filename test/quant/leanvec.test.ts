import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';
import { leadingEigen } from '../../src/linalg/leading-eigen.js';
import { LeanVec } from '../../src/quant/leanvec.js';
import { gaussianRows } from '../graph/oracle.js';

/** A · B of row-major matrices: a is n x m, b is m x p. */
function multiply(a: ArrayLike<number>, b: ArrayLike<number>, n: number, m: number, p: number) {
  const out = new Float64Array(n * p);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < m; k++) {
      for (let j = 0; j < p; j++) out[i * p + j]! += a[i * m + k]! * b[k * p + j]!;
    }
  }
  return out;
}

function transpose(a: ArrayLike<number>, n: number, m: number): Float64Array {
  return Float64Array.from({ length: n * m }, (_, i) => a[(i % n) * m + Math.floor(i / n)]!);
}

function trace(a: Float64Array, n: number): number {
  return Array.from({ length: n }, (_, i) => a[i * n + i]!).reduce((sum, x) => sum + x, 0);
}

/**
 * LeanVec's loss (arXiv 2312.16335, eq. 3) for A = B = P given by rows: with M = Pᵀ P it is
 * tr(M K_Q M K_X) − 2 tr(K_Q M K_X) + tr(K_Q K_X).
 */
function loss(
  rows: ArrayLike<number>,
  target: number,
  kq: Float64Array,
  kx: Float64Array,
  d: number,
) {
  const m = multiply(transpose(rows, target, d), rows, d, target, d);
  const mkq = multiply(m, kq, d, d, d);
  const mkx = multiply(m, kx, d, d, d);
  const kqmkx = multiply(kq, mkx, d, d, d);
  return (
    trace(multiply(mkq, mkx, d, d, d), d) -
    2 * trace(kqmkx, d) +
    trace(multiply(kq, kx, d, d, d), d)
  );
}

const diagonal = (...values: number[]) =>
  Float64Array.from({ length: values.length ** 2 }, (_, i) =>
    i % (values.length + 1) === 0 ? values[i / (values.length + 1)]! : 0,
  );

const gram = (rows: Float32Array, d: number) => {
  const n = rows.length / d;
  return multiply(transpose(rows, n, d), rows, d, n, d);
};

describe('the loss of PCA', () => {
  const kx = diagonal(9, 4, 1);
  const kq = diagonal(1, 4, 100);
  test.each([
    [1, 116],
    [2, 100],
    [3, 0],
  ])('with %i of 3 dimensions is %i: it drops the direction that queries use', (target, expected) => {
    const { vectors } = leadingEigen(new Kernels(), kx, 3, target, new Random(1));
    expect(loss(vectors, target, kq, kx, 3)).toBeCloseTo(expected, 9);
  });

  test('by the trace formula is ‖Q M Xᵀ − Q Xᵀ‖², and does not rise with the dimensions', () => {
    const d = 12;
    const x = gaussianRows(80, d, 1);
    const q = gaussianRows(30, d, 2, 0.2);
    const leanVec = LeanVec.train(x, { dimensions: d, target: d });
    let previous = Infinity;
    for (let target = 1; target <= d; target++) {
      const rows = leanVec.basis.subarray(0, target * d);
      const value = loss(rows, target, gram(q, d), gram(x, d), d);
      const m = multiply(transpose(rows, target, d), rows, d, target, d);
      const qm = multiply(q, m, 30, d, d).map((v, i) => v - q[i]!);
      const direct = multiply(qm, transpose(x, 80, d), 30, d, 80).reduce((s, v) => s + v * v, 0);
      expect(Math.abs(value - direct)).toBeLessThan(1e-6 * (1 + direct) + 1e-6 * 2400);
      expect(value).toBeLessThanOrEqual(previous + 1e-6 * 2400);
      previous = value;
    }
    expect(previous).toBeLessThan(1e-8 * trace(multiply(gram(q, d), gram(x, d), d, d, d), d));
  });
});

describe('LeanVec', () => {
  const d = 20;
  const x = gaussianRows(500, d, 3).map((v, i) => v + (i % d === 0 ? 3 : 0));
  const q = gaussianRows(10, d, 4);

  test('keeps inner products with all dimensions', () => {
    const leanVec = LeanVec.train(x, { dimensions: d, target: d });
    const px = leanVec.project(x);
    const pq = leanVec.projectQueries(q);
    for (let i = 0; i < 10; i++) {
      for (let r = 0; r < 500; r += 50) {
        let exact = 0;
        let projected = 0;
        for (let j = 0; j < d; j++) {
          exact += q[i * d + j]! * (x[r * d + j]! - leanVec.mean[j]!);
          projected += pq[i * d + j]! * px[r * d + j]!;
        }
        expect(projected).toBeCloseTo(exact, 4);
      }
    }
  });

  test('has orthonormal rows by falling variance, and keeps a rising share of the energy', () => {
    const { basis, energies, ...leanVec } = LeanVec.train(x, { dimensions: d, target: 8 });
    for (let a = 0; a < 8; a++) {
      if (a > 0) expect(energies[a]).toBeLessThanOrEqual(energies[a - 1]!);
      for (let b = 0; b <= a; b++) {
        let dot = 0;
        for (let j = 0; j < d; j++) dot += basis[a * d + j]! * basis[b * d + j]!;
        expect(dot).toBeCloseTo(a === b ? 1 : 0, 5);
      }
    }
    expect(leanVec.mean[0]).toBeCloseTo(3, 0);
    const full = LeanVec.train(x, { dimensions: d, target: d });
    expect(full.energyKept()).toBeCloseTo(1, 9);
    expect(full.energyKept(4)).toBeLessThan(full.energyKept(8));
  });

  test('finds the plane that the data lie in', () => {
    const random = new Random(5);
    const plane = new Float32Array(300 * 6);
    for (let r = 0; r < 300; r++) {
      const [a, b] = [random.gaussian(), random.gaussian()];
      for (let j = 0; j < 6; j++) plane[r * 6 + j] = a * Math.sin(j) + b * Math.cos(2 * j);
    }
    expect(LeanVec.train(plane, { dimensions: 6, target: 2 }).energyKept()).toBeCloseTo(1, 6);
  });

  test('comes back from its bytes, and damage is refused', () => {
    const leanVec = LeanVec.train(x, { dimensions: d, target: 8 });
    const bytes = leanVec.toBytes();
    expect(LeanVec.fromBytes(bytes)).toEqual(leanVec);
    for (let at = 0; at < bytes.length; at += 7) {
      const altered = bytes.slice();
      altered[at]! ^= 1;
      expect(() => LeanVec.fromBytes(altered)).toThrow(
        expect.objectContaining({ code: 'CORRUPT' }),
      );
    }
  });

  test('refuses wrong input', () => {
    const wrong = x.slice();
    wrong[3 * d + 1] = Number.NaN;
    expect(() => LeanVec.train(wrong, { dimensions: d, target: 4 })).toThrow(/row 3, column 1/);
    expect(() => LeanVec.train(x, { dimensions: d, target: d + 1 })).toThrow(RangeError);
    expect(() => LeanVec.train(x, { dimensions: 21, target: 4 })).toThrow(/multiple of 21/);
    expect(() => LeanVec.train(new Float32Array(0), { dimensions: d, target: 4 })).toThrow(
      RangeError,
    );
    expect(() => LeanVec.train(x, { dimensions: d, target: 4, bits: 2 } as never)).toThrow(
      /"bits"/,
    );
  });
});
