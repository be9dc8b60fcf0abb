import { checkInteger, checkOptions } from '../base/check.js';
import { wrongDimension, wrongType } from '../base/errors.js';
import { Random } from '../base/random.js';
import { drain, type Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { eigenSymmetricSteps, makeLargestPositive } from './eigen-symmetric.js';
import { thinQrSteps } from './qr.js';
import { gramSteps, multiplySteps, multiplyTwiceSteps, type RowSource } from './row-blocks.js';
import { rowProductsSteps, transposeSteps } from './row-products.js';
import { largestMagnitude, powerOfTwoNear } from './scale.js';

/** Singular values below this share of the largest are rounding errors of the float32 products. */
const NOISE = 2 ** -23;
const SIZE_MAX = 2 ** 31;

export interface SvdOptions {
  /** Vectors carried along besides the wanted ones. Default 10. */
  oversample?: number;
  /** Power iterations after the first sketch. Default 2. */
  iterations?: number;
  /** Default 1. */
  seed?: number;
}

const SVD_OPTIONS = [
  'oversample',
  'iterations',
  'seed',
] as const satisfies readonly (keyof SvdOptions)[];

/** A ≈ U diag(s) Vᵀ with r columns. */
export interface Svd {
  /** m × r, row-major, orthonormal columns; columns of a zero singular value are zero. */
  readonly u: Float32Array;
  /** r singular values, descending. */
  readonly s: Float64Array;
  /** n × r, row-major, orthonormal columns, the largest component of each positive. */
  readonly v: Float32Array;
}

/**
 * The leading singular triples of an m × n matrix (row-major, not changed) by subspace iteration on
 * AᵀA (Halko, Martinsson, Tropp 2011, algorithm 4.4, for the row space): V ← orth((AᵀA − α) V) from
 * a Gaussian start, iterations + 1 times, with shifts α as in dashSVD (Feng, Yu, Xie, Tang 2024,
 * arXiv 2404.09276); then the singular values of A V from the eigenvalues of its Gram matrix. Rows
 * pass in blocks, so memory besides the results is about 40 · (rank + oversample) · n bytes. Exact
 * up to rounding if rank + oversample ≥ min(m, n).
 *
 * Products with A are float32 (sums of up to 256 rows of those with Aᵀ), all else is float64:
 * singular values are within 2^-22 · σ_1 of those of A V (1e-8 σ_1 is typical), small ones too,
 * since the Gram matrix is summed from exact products. Values below 2^-23 · σ_1 count as 0. The
 * columns u_i are orthonormal to about 2^-23 · σ_1 / σ_i.
 *
 * The steps yield every few milliseconds and need `kernels` for themselves until they are done.
 *
 * @param rank 1 … min(m, n), the number of triples.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH` for wrong sizes or
 * options, NaN and infinity.
 */
export function* randomizedSvdSteps(
  kernels: Kernels,
  a: Float32Array,
  m: number,
  n: number,
  rank: number,
  options: SvdOptions = {},
): Steps<Svd> {
  checkArguments(a, m, n, rank, options);
  const size = Math.min(rank + (options.oversample ?? 10), m, n);
  const random = new Random(options.seed ?? 1);
  const mark = kernels.mark();
  try {
    const scale = powerOfTwoNear(yield* largestMagnitude('a', a));
    const source = { a, m, n, scale };
    let basis = yield* gaussianRows(size, n, random);
    // With n vectors the basis is complete; iterating would not change what it spans.
    const passes = size === n ? 0 : (options.iterations ?? 2) + 1;
    for (let pass = 0; pass < passes; pass++) {
      const products = yield* multiplyTwiceSteps(kernels, source, basis);
      // The Gaussian start is not orthonormal: there are no Ritz values yet.
      if (pass > 0) yield* shiftProducts(kernels, products, basis, n);
      basis = yield* orthonormal(kernels, products, size, n);
    }
    if (passes === 0) basis = yield* orthonormal(kernels, basis, size, n);
    return yield* decompose(kernels, source, basis, rank);
  } finally {
    kernels.release(mark);
  }
}

/** randomizedSvdSteps without a pause. */
export function randomizedSvd(
  kernels: Kernels,
  a: Float32Array,
  m: number,
  n: number,
  rank: number,
  options: SvdOptions = {},
): Svd {
  return drain(randomizedSvdSteps(kernels, a, m, n, rank, options));
}

function checkArguments(
  a: Float32Array,
  m: number,
  n: number,
  rank: number,
  options: SvdOptions,
): void {
  if (!(a instanceof Float32Array)) throw wrongType('a', 'a Float32Array', a);
  checkInteger('m', m, 1, SIZE_MAX);
  checkInteger('n', n, 1, SIZE_MAX);
  if (a.length !== m * n) throw wrongDimension('a', m * n, a.length);
  checkInteger('rank', rank, 1, Math.min(m, n));
  checkOptions('randomizedSvd', options, SVD_OPTIONS);
  checkInteger('oversample', options.oversample ?? 10, 0, SIZE_MAX);
  checkInteger('iterations', options.iterations ?? 2, 0, 100);
  checkInteger('seed', options.seed ?? 1, 0, 2 ** 32 - 1);
}

function* gaussianRows(count: number, n: number, random: Random): Steps<Float64Array> {
  const rows = new Float64Array(count * n);
  for (let i = 0; i < rows.length; i++) {
    rows[i] = random.gaussian();
    if (i % 16_384 === 0) yield;
  }
  return rows;
}

function* orthonormal(
  kernels: Kernels,
  rows: Float64Array,
  count: number,
  n: number,
): Steps<Float64Array> {
  return (yield* thinQrSteps(kernels, rows, count, n)).q;
}

/**
 * Turns products of AᵀA with an orthonormal basis into those of AᵀA − α, α half the smallest Ritz
 * value: eigenvalues from 0 to 2 α shrink, so that the leading ones stand out more in each pass.
 */
function* shiftProducts(
  kernels: Kernels,
  products: Float64Array,
  basis: Float64Array,
  n: number,
): Steps<void> {
  const small = yield* rowProductsSteps(kernels, basis, products, n);
  // The smallest eigenvalue is the largest of the negative, and one pair is cheaper than all.
  for (let i = 0; i < small.length; i++) small[i] = -small[i]!;
  const { values } = yield* eigenSymmetricSteps(kernels, small, basis.length / n, 1);
  const shift = Math.max(0, -0.5 * values[0]!);
  for (let i = 0; i < products.length; i++) products[i] = products[i]! - shift * basis[i]!;
  yield;
}

/** The SVD of A V for an orthonormal basis V (rows of n numbers), cut to `rank` triples. */
function* decompose(
  kernels: Kernels,
  source: RowSource,
  basis: Float64Array,
  rank: number,
): Steps<Svd> {
  const { m, n, scale } = source;
  const size = basis.length / n;
  const gram = yield* gramSteps(kernels, source, basis);
  const pairs = yield* eigenSymmetricSteps(kernels, gram, size, rank);
  const s = pairs.values.map((value) => Math.sqrt(Math.max(0, value)));
  for (let i = 0; i < rank; i++) if (s[i]! < NOISE * s[0]!) s[i] = 0;
  const right = yield* rowProductsSteps(
    kernels,
    pairs.vectors,
    yield* transposeSteps(basis, n),
    size,
  );
  for (let i = 0; i < rank; i++) makeLargestPositive(right.subarray(i * n, (i + 1) * n));
  const left = right.map((x, at) => {
    const value = s[Math.floor(at / n)]!;
    return value === 0 ? 0 : x / value;
  });
  const u = new Float32Array(m * rank);
  yield* multiplySteps(kernels, source, left, u);
  return { u, s: s.map((x) => x * scale), v: Float32Array.from(yield* transposeSteps(right, n)) };
}
