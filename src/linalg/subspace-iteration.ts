import type { Random } from '../base/random.js';
import type { Steps } from '../base/steps.js';
import { alignUp, type Kernels } from '../kernels/index.js';
import { applyFilter, chooseFilter } from './chebyshev.js';
import { type EigenPairs, eigenSymmetricSteps, makeLargestPositive } from './eigen-symmetric.js';
import { eachRow, type FloatMatrix, multiplyRows, packFloatMatrix } from './float-product.js';
import { thinQrSteps } from './qr.js';
import { rowProductsSteps, transposeSteps } from './row-products.js';
import { largestMagnitude, powerOfTwoNear } from './scale.js';

/** Typical spectra of embeddings take 3 to 6. */
const ROUNDS_MAX = 12;
/** Relative error of a Ritz value that ends the iteration, by the residual bound. */
const TOLERANCE = 1e-6;
/** Eigenvalues below this share of the largest are noise of the float32 products. */
const RESOLUTION = 2 ** -24;
/** A Ritz value this far below zero, relative to the largest: not positive semidefinite. */
const NEGATIVE_MIN = -1e-5;

/** Ritz vectors with their products, both l × d, and the Ritz values, descending. */
interface RitzBlock {
  readonly values: Float64Array;
  readonly vectors: Float64Array;
  readonly products: Float64Array;
}

/**
 * The k leading eigenpairs of a positive semidefinite matrix by block subspace iteration (Halko,
 * Martinsson, Tropp 2011, section 4.5) with Chebyshev acceleration: l = 1.5 k + 16 vectors, their
 * products in float32, orthonormalised and turned into Ritz vectors in float64 in every round, the
 * last time from float64 products. It ends when the residual r of each wanted pair proves that
 * r² / (θ_i − θ_l) ≤ 1e-6 · θ_i, which bounds the relative error of θ_i.
 *
 * @returns undefined when that is not reached: a flat or very steep spectrum, or rank < k.
 * @throws RangeError `INVALID_ARGUMENT` for NaN and infinity.
 */
export function* subspaceSteps(
  kernels: Kernels,
  matrix: Float64Array,
  d: number,
  k: number,
  random: Random,
): Steps<EigenPairs | undefined> {
  const scale = powerOfTwoNear(yield* largestMagnitude('matrix', matrix));
  const mark = kernels.mark();
  try {
    const packed = yield* packFloatMatrix(kernels, matrix, d, scale);
    const basis = yield* iterateSteps(kernels, packed, k, random);
    if (basis === undefined) return undefined;
    const products = yield* rowProductsSteps(kernels, basis, matrix, d);
    const block = yield* ritzSteps(kernels, basis, products, d);
    const vectors = block.vectors.slice(0, k * d);
    for (let i = 0; i < k; i++) makeLargestPositive(vectors.subarray(i * d, (i + 1) * d));
    return { values: block.values.slice(0, k), vectors };
  } finally {
    kernels.release(mark);
  }
}

/** An orthonormal basis that holds the k leading eigenvectors to the tolerance. */
function* iterateSteps(
  kernels: Kernels,
  matrix: FloatMatrix,
  k: number,
  random: Random,
): Steps<Float64Array | undefined> {
  const { d } = matrix;
  const size = Math.min(d, alignUp(Math.ceil(1.5 * k) + 16, 8));
  const start = new Float64Array(size * d);
  for (let i = 0; i < start.length; i++) {
    start[i] = random.gaussian();
    if (i % 16_384 === 0) yield;
  }
  let vectors = yield* multiply(kernels, matrix, start);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const basis = (yield* thinQrSteps(kernels, vectors, size, d)).q;
    const block = yield* ritzSteps(kernels, basis, yield* multiply(kernels, matrix, basis), d);
    const largest = block.values[0]!;
    const smallest = block.values[k - 1]!;
    if (block.values[size - 1]! < NEGATIVE_MIN * largest) return undefined;
    const cut = Math.max(block.values[size - 1]!, RESOLUTION * largest);
    if (!(cut < smallest)) return undefined;
    if (accurate(block, d, k)) return basis;
    const filter = chooseFilter(cut, smallest, largest);
    vectors = yield* applyFilter(kernels, matrix, filter, block.vectors, block.products);
  }
  return undefined;
}

/** rows · A in float32, rows of d numbers. */
function* multiply(kernels: Kernels, matrix: FloatMatrix, rows: Float64Array): Steps<Float64Array> {
  const { d, stride } = matrix;
  const count = rows.length / d;
  const mark = kernels.mark();
  const from = kernels.alloc(count * stride * 4);
  const to = kernels.alloc(count * stride * 4);
  yield* eachRow(kernels, matrix, from, count, (row, i) => {
    for (let j = 0; j < d; j++) row[j] = rows[i * d + j]!;
  });
  yield* multiplyRows(kernels, matrix, from, count, to);
  const result = new Float64Array(count * d);
  yield* eachRow(kernels, matrix, to, count, (row, i) => result.set(row, i * d));
  kernels.release(mark);
  return result;
}

/** Rayleigh–Ritz: the eigenvectors of A within the span of orthonormal rows. */
function* ritzSteps(
  kernels: Kernels,
  vectors: Float64Array,
  products: Float64Array,
  d: number,
): Steps<RitzBlock> {
  const size = vectors.length / d;
  const small = yield* rowProductsSteps(kernels, vectors, products, d);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) {
      small[i * size + j] = 0.5 * (small[i * size + j]! + small[j * size + i]!);
    }
  }
  const pairs = yield* eigenSymmetricSteps(kernels, small, size);
  const columns = yield* transposeSteps(vectors, d);
  const productColumns = yield* transposeSteps(products, d);
  return {
    values: pairs.values,
    vectors: yield* rowProductsSteps(kernels, pairs.vectors, columns, size),
    products: yield* rowProductsSteps(kernels, pairs.vectors, productColumns, size),
  };
}

/** Whether the residuals prove the tolerance; what is left out is taken to be below θ_l. */
function accurate({ values, vectors, products }: RitzBlock, d: number, k: number): boolean {
  const cut = values[values.length - 1]!;
  for (let i = 0; i < k; i++) {
    const value = values[i]!;
    let squares = 0;
    for (let at = i * d; at < (i + 1) * d; at++) {
      const residual = products[at]! - value * vectors[at]!;
      squares += residual * residual;
    }
    if (!(squares <= TOLERANCE * value * (value - cut))) return false;
  }
  return true;
}
