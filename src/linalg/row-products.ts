import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { rowStride } from './householder.js';
import type { Block } from './panel-products.js';

/** Multiplications that one kernel call does: below 1 ms. */
const PRODUCTS_PER_CALL = 5_000_000;

/**
 * X Yᵀ in float64, for x with p and y with q rows of n numbers: p × q. Each sum is in error by at
 * most (2 + n / 2) · 2^-53 · Σ |x_k y_k|.
 */
export function* rowProductsSteps(
  kernels: Kernels,
  x: Float64Array,
  y: Float64Array,
  n: number,
): Steps<Float64Array> {
  const p = x.length / n;
  const q = y.length / n;
  const mark = kernels.mark();
  const stride = rowStride(n);
  const rows = Math.ceil(p / 2) * 2;
  // No more than there are: for small matrices a call could handle millions.
  const columns = Math.min(columnsPerCall(rows, n), Math.ceil(q / 4) * 4);
  const left = kernels.alloc(rows * stride * 8);
  const right = kernels.alloc(columns * stride * 8);
  const sums = kernels.alloc(rows * columns * 8);
  const result = new Float64Array(p * q);
  copyRows(x, n, 0, kernels.f64(left, rows * stride), stride);
  yield;
  for (let first = 0; first < q; first += columns) {
    copyRows(y, n, first, kernels.f64(right, columns * stride), stride);
    const block = kernels.f64(sums, rows * columns).fill(0);
    const depth = n + (n % 2);
    const { accumulateRowProducts } = kernels.call;
    accumulateRowProducts(left, rows, right, columns, depth, stride, sums, columns);
    const width = Math.min(columns, q - first);
    for (let i = 0; i < p; i++) {
      result.set(block.subarray(i * columns, i * columns + width), i * q + first);
    }
    yield;
  }
  kernels.release(mark);
  return result;
}

/** X Y in float64, for x with rows of `depth` numbers and y with `depth` rows. */
export function* matrixProductSteps(
  kernels: Kernels,
  x: Float64Array,
  y: Float64Array,
  depth: number,
): Steps<Float64Array> {
  return yield* rowProductsSteps(kernels, x, yield* transposeSteps(y, y.length / depth), depth);
}

/** c += X Xᵀ for float64 rows in the memory of the kernels, a multiple of 4, depth even. */
export function* accumulateGramSteps(
  kernels: Kernels,
  x: Block,
  depth: number,
  c: number,
): Steps<void> {
  const perCall = columnsPerCall(x.rows, depth);
  for (let first = 0; first < x.rows; first += perCall) {
    const size = Math.min(perCall, x.rows - first);
    const from = x.pointer + first * x.stride * 8;
    kernels.call.accumulateRowProducts(
      x.pointer,
      x.rows,
      from,
      size,
      depth,
      x.stride,
      c + first * 8,
      x.rows,
    );
    yield;
  }
}

function columnsPerCall(rows: number, depth: number): number {
  return Math.max(4, Math.floor(PRODUCTS_PER_CALL / (depth * rows) / 4) * 4);
}

/** Fills `to` with the rows from number `first` on; rows that do not exist become 0. */
function copyRows(
  from: Float64Array,
  n: number,
  first: number,
  to: Float64Array,
  stride: number,
): void {
  to.fill(0);
  const end = Math.min(to.length / stride, from.length / n - first);
  for (let i = 0; i < end; i++) {
    to.set(from.subarray((first + i) * n, (first + i + 1) * n), i * stride);
  }
}

/** The transpose of a matrix with rows of n numbers. */
export function* transposeSteps(matrix: Float64Array, n: number): Steps<Float64Array> {
  const rows = matrix.length / n;
  const result = new Float64Array(matrix.length);
  // Blocks of 16 rows: each cache line of the result is filled while it is at hand.
  for (let first = 0; first < rows; first += 16) {
    const end = Math.min(rows, first + 16);
    for (let j = 0; j < n; j++) {
      for (let i = first; i < end; i++) result[j * rows + i] = matrix[i * n + j]!;
    }
    yield;
  }
  return result;
}
