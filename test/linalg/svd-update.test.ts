import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';
import { type RightSvd, updateSvd } from '../../src/linalg/svd-update.js';

const kernels = new Kernels();

function randomRows(count: number, n: number, seed: number, decay = 1): Float64Array {
  const random = new Random(seed);
  return Float64Array.from({ length: count * n }, (_, i) => {
    return random.gaussian() / (1 + (i % n)) ** decay;
  });
}

function stacked(...blocks: Float64Array[]): Float64Array {
  return Float64Array.from(blocks.flatMap((block) => [...block]));
}

/** Singular values by ml-matrix. */
function singularValues(rows: Float64Array, n: number): number[] {
  const matrix = Matrix.from1DArray(rows.length / n, n, rows);
  return new SingularValueDecomposition(matrix, { autoTranspose: true }).diagonal;
}

function empty(): RightSvd {
  return { s: new Float64Array(0), v: new Float64Array(0) };
}

/** Σ of what rows have outside the span of V, squared. */
function missedOf(rows: Float64Array, v: Float64Array, n: number): number {
  let sum = 0;
  for (let r = 0; r < rows.length; r += n) {
    const row = rows.slice(r, r + n);
    for (let i = 0; i < v.length; i += n) {
      let along = 0;
      for (let j = 0; j < n; j++) along += row[j]! * v[i + j]!;
      for (let j = 0; j < n; j++) row[j]! -= along * v[i + j]!;
    }
    sum += row.reduce((total, x) => total + x * x, 0);
  }
  return sum;
}

function orthonormality(v: Float64Array, n: number): number {
  let worst = 0;
  for (let i = 0; i < v.length; i += n) {
    for (let k = 0; k <= i; k += n) {
      let dot = k === i ? -1 : 0;
      for (let j = 0; j < n; j++) dot += v[i + j]! * v[k + j]!;
      worst = Math.max(worst, Math.abs(dot));
    }
  }
  return worst;
}

describe('updateSvd', () => {
  test('with the full rank kept is the SVD of all rows', () => {
    const n = 20;
    const [a, b, c] = [randomRows(9, n, 1), randomRows(5, n, 2), randomRows(30, n, 3)];
    let known = updateSvd(kernels, empty(), a, n, n);
    for (const rows of [b, c]) known = updateSvd(kernels, known, rows, n, n);
    const expected = singularValues(stacked(a, b, c), n);
    expect(known.s.length).toBe(n);
    known.s.forEach((s, i) => {
      expect(Math.abs(s / expected[i]! - 1)).toBeLessThan(1e-8);
    });
    // The rows are spanned, and A V has orthogonal columns of length s.
    expect(missedOf(stacked(a, b, c), known.v, n)).toBeLessThan(1e-20);
    const leading = known.v.subarray(0, 4 * n);
    const optimal = expected.slice(4).reduce((sum, s) => sum + s * s, 0);
    expect(missedOf(stacked(a, b, c), leading, n) / optimal).toBeCloseTo(1, 8);
  });

  test('cut to a rank misses what is least to be missed of [U Σ Vᵀ; E]', () => {
    const n = 24;
    const rank = 6;
    const known = updateSvd(kernels, empty(), randomRows(40, n, 4), n, rank);
    const rows = randomRows(11, n, 5, 0.5);
    const scaled = known.v.map((x, i) => x * known.s[Math.floor(i / n)]!);
    const all = stacked(scaled, rows);
    const { v } = updateSvd(kernels, known, rows, n, rank);
    const optimal = singularValues(all, n)
      .slice(rank)
      .reduce((sum, s) => sum + s * s, 0);
    expect(missedOf(all, v, n) / optimal).toBeCloseTo(1, 8);
  });

  test('stays orthonormal over 100 updates', () => {
    const n = 16;
    let known = empty();
    for (let i = 0; i < 100; i++) known = updateSvd(kernels, known, randomRows(3, n, 6 + i), n, 8);
    expect(orthonormality(known.v, n)).toBeLessThan(1e-8);
  });

  test('takes rows that are zero, or that V spans', () => {
    const n = 5;
    const known = updateSvd(kernels, empty(), randomRows(2, n, 7), n, n);
    const rows = stacked(new Float64Array(n), known.v.subarray(0, n), known.v.subarray(0, n));
    const { s, v } = updateSvd(kernels, known, rows, n, n);
    expect(s.length).toBe(2);
    expect(orthonormality(v, n)).toBeLessThan(1e-12);
    expect(s.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(
      known.s.reduce((sum, x) => sum + x * x, 0) + 2,
      10,
    );
  });
});
