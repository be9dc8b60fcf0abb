import type { Steps } from '../base/steps.js';
import { alignUp, type Kernels } from '../kernels/index.js';
import { accumulateOuterSteps, type Block, multiplyPanelsSteps, PANEL } from './panel-products.js';
import { accumulateGramSteps } from './row-products.js';

/** Rows whose products with Aᵀ are summed in float32. */
const BLOCK_ROWS = 256;

/** An m × n matrix, row-major; all products are with a / scale. */
export interface RowSource {
  readonly a: Float32Array;
  readonly m: number;
  readonly n: number;
  readonly scale: number;
}

/** What is at hand of one block of rows of A. */
interface ProductBlock {
  /** Number of the first row. */
  readonly first: number;
  /** The rows of A / scale, n numbers each. */
  readonly rows: Block;
  /** Their products with the vectors, stride numbers each; those past the vectors are 0. */
  readonly product: Block;
}

/** out = A V / scale, m × count, for `count` vectors given as rows of n numbers. */
export function* multiplySteps(
  kernels: Kernels,
  source: RowSource,
  vectors: Float64Array,
  out: Float32Array,
): Steps<void> {
  const count = vectors.length / source.n;
  yield* eachProduct(kernels, source, vectors, function* ({ first, product }) {
    const { pointer, rows, stride } = product;
    const block = kernels.f32(pointer, rows * stride);
    for (let i = 0; i < rows; i++) {
      out.set(block.subarray(i * stride, i * stride + count), (first + i) * count);
    }
    yield;
  });
}

/** AᵀA V / scale² as rows of n numbers; the sums over blocks of rows are float64. */
export function* multiplyTwiceSteps(
  kernels: Kernels,
  source: RowSource,
  vectors: Float64Array,
): Steps<Float64Array> {
  const { n } = source;
  const count = vectors.length / n;
  const width = alignUp(count, PANEL);
  const stride = alignUp(n, PANEL);
  const mark = kernels.mark();
  const packedRows = kernels.alloc(BLOCK_ROWS * stride * 4);
  const packedProduct = kernels.alloc(BLOCK_ROWS * width * 4);
  const sums = kernels.alloc(width * stride * 8);
  kernels.f64(sums, width * stride).fill(0);
  yield* eachProduct(kernels, source, vectors, function* ({ rows, product }) {
    const depth = rows.rows;
    kernels.call.packPanels(rows.pointer, depth, n, n, packedRows);
    kernels.call.packPanels(product.pointer, depth, width, product.stride, packedProduct);
    const [a, b] = [width / PANEL, stride / PANEL];
    yield* accumulateOuterSteps(kernels, packedProduct, a, packedRows, b, depth, sums, stride);
  });
  const result = withoutPadding(kernels.f64(sums, width * stride), stride, count, n);
  kernels.release(mark);
  return result;
}

/** Vᵀ AᵀA V / scale²: float32 products with A, then exact products summed in float64. */
export function* gramSteps(
  kernels: Kernels,
  source: RowSource,
  vectors: Float64Array,
): Steps<Float64Array> {
  const count = vectors.length / source.n;
  const width = alignUp(count, PANEL);
  const mark = kernels.mark();
  const columns = {
    pointer: kernels.alloc(width * BLOCK_ROWS * 8),
    rows: width,
    stride: BLOCK_ROWS,
  };
  const sums = kernels.alloc(width * width * 8);
  kernels.f64(sums, width * width).fill(0);
  yield* eachProduct(kernels, source, vectors, function* ({ product }) {
    const { pointer, rows, stride } = product;
    const from = kernels.f32(pointer, rows * stride);
    const to = kernels.f64(columns.pointer, width * BLOCK_ROWS).fill(0);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < width; j++) to[j * BLOCK_ROWS + i] = from[i * stride + j]!;
    }
    yield* accumulateGramSteps(kernels, columns, BLOCK_ROWS, sums);
  });
  const result = withoutPadding(kernels.f64(sums, width * width), width, count, count);
  kernels.release(mark);
  return result;
}

/** Runs `use` for each block of rows of A with its product A V. */
function* eachProduct(
  kernels: Kernels,
  { a, m, n, scale }: RowSource,
  vectors: Float64Array,
  use: (block: ProductBlock) => Steps<void>,
): Steps<void> {
  const mark = kernels.mark();
  const width = alignUp(vectors.length / n, PANEL);
  const packed = kernels.alloc(n * width * 4);
  const rowsPointer = kernels.alloc(BLOCK_ROWS * n * 4);
  const productPointer = kernels.alloc(BLOCK_ROWS * width * 4);
  yield* packVectors(kernels, vectors, n, packed);
  const factor = 1 / scale;
  for (let first = 0; first < m; first += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, m - first);
    const rows = { pointer: rowsPointer, rows: count, stride: n };
    const product = { pointer: productPointer, rows: count, stride: width };
    const block = kernels.f32(rowsPointer, count * n);
    const from = first * n;
    for (let i = 0; i < block.length; i++) block[i] = a[from + i]! * factor;
    yield* multiplyPanelsSteps(kernels, rows, n, packed, width / PANEL, product);
    yield* use({ first, rows, product });
  }
  kernels.release(mark);
}

/** Packs rows of n numbers as the columns of float32 panels. */
function* packVectors(
  kernels: Kernels,
  vectors: Float64Array,
  n: number,
  pointer: number,
): Steps<void> {
  const count = vectors.length / n;
  for (let first = 0; first < count; first += PANEL) {
    const panel = kernels.f32(pointer + first * n * 4, n * PANEL).fill(0);
    for (let j = first; j < Math.min(count, first + PANEL); j++) {
      for (let i = 0; i < n; i++) panel[i * PANEL + j - first] = vectors[j * n + i]!;
    }
    yield;
  }
}

/** The first n numbers of the first `rows` rows of a matrix with longer rows. */
function withoutPadding(
  matrix: Float64Array,
  stride: number,
  rows: number,
  n: number,
): Float64Array {
  const result = new Float64Array(rows * n);
  for (let i = 0; i < rows; i++) {
    result.set(matrix.subarray(i * stride, i * stride + n), i * n);
  }
  return result;
}
