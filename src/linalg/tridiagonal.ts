import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { makeReflector } from './householder.js';

/** A = Q T Qᵀ, T tridiagonal, Q = H_{n−1} ⋯ H_2 with H_i = I − v_i v_iᵀ. */
export interface Tridiagonal {
  /** T_ii, n numbers. */
  readonly diagonal: Float64Array;
  /** T_{i,i+1}, n numbers of which the last is 0. */
  readonly offDiagonal: Float64Array;
}

/** Elements of the triangle that one kernel call handles: about 0.5 ms. */
const ELEMENTS_PER_CALL = 400_000;

/**
 * Householder tridiagonalisation of the symmetric n × n float64 matrix at `pointer`, of which only
 * the lower triangle is read (rows of `stride` = rowStride(n) numbers). The reflectors overwrite
 * the matrix: row i holds the i numbers of v_i, then zeros.
 *
 * The algorithm of tred2 (Martin, Reinsch, Wilkinson 1968) from the last row up, with the rank-2
 * update of each step postponed to the matrix-vector product of the next, so that the triangle is
 * read and written once a step. Backward stable: T is exact for a matrix within a modest multiple
 * of n · 2^-53 · ‖A‖ of A.
 */
export function* tridiagonaliseSteps(
  kernels: Kernels,
  pointer: number,
  n: number,
  stride: number,
): Steps<Tridiagonal> {
  const mark = kernels.mark();
  const bytes = stride * 8;
  const work = kernels.alloc(3 * bytes);
  const [v, w, y] = [work, work + bytes, work + 2 * bytes] as const;
  kernels.f64(work, 3 * stride).fill(0);
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    const row = kernels.f64(pointer + i * bytes, stride);
    const vOld = kernels.f64(v, stride);
    const wOld = kernels.f64(w, stride);
    for (let k = 0; k <= i; k++) row[k] = row[k]! - (vOld[i]! * wOld[k]! + wOld[i]! * vOld[k]!);
    diagonal[i] = row[i]!;
    row.fill(0, i);
    if (i > 0) offDiagonal[i - 1] = makeReflector(row, i);
    kernels.f64(y, i).fill(0);
    for (let from = 0; from < i; ) {
      const to = Math.min(i, from + rowsPerCall(from));
      kernels.call.updateAndMultiply(pointer, stride, from, to, v, w, pointer + i * bytes, y);
      from = to;
      yield;
    }
    postponeUpdate(kernels, row, i, v, w, y);
  }
  kernels.release(mark);
  return { diagonal, offDiagonal };
}

/** An even number of rows, so that all calls but the last one end at an even row. */
function rowsPerCall(from: number): number {
  const rows = Math.sqrt(from * from + 2 * ELEMENTS_PER_CALL) - from;
  return Math.max(2, Math.floor(rows / 2) * 2);
}

/** With y = A v: (I − v vᵀ) A (I − v vᵀ) = A − v wᵀ − w vᵀ for w = y − (vᵀy / 2) v. */
function postponeUpdate(
  kernels: Kernels,
  row: Float64Array,
  n: number,
  v: number,
  w: number,
  y: number,
): void {
  const vNew = kernels.f64(v, n);
  const wNew = kernels.f64(w, n);
  const product = kernels.f64(y, n);
  let sum = 0;
  for (let k = 0; k < n; k++) sum += row[k]! * product[k]!;
  for (let k = 0; k < n; k++) {
    vNew[k] = row[k]!;
    wNew[k] = product[k]! - 0.5 * sum * row[k]!;
  }
}
