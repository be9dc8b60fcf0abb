import { checkInteger } from '../base/check.js';
import { wrongDimension, wrongType } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { eigenSymmetricSteps } from './eigen-symmetric.js';
import { matrixProductSteps, rowProductsSteps, transposeSteps } from './row-products.js';

/** What of a row is no more than rounding, relative to its length. */
const DEPENDENT = 1e-12;

/** Singular values and right singular vectors of a matrix of rows of n numbers. */
export interface RightSvd {
  /** r values, descending. */
  readonly s: Float64Array;
  /** r × n, orthonormal rows. */
  readonly v: Float64Array;
}

/**
 * The `rank` leading singular values and right vectors of [diag(s) V; E]: those of a matrix whose SVD
 * is known, with rows e (k × n) added (Zha and Simon 1999). With Q an orthonormal basis of what V
 * misses of the rows, the small matrix [diag(s) 0; E Vᵀ, E Qᵀ] has the same singular values, and its
 * right vectors turn [V; Q] into the new ones. Exact but for rounding: of an untruncated SVD it gives
 * that of all rows. Values are within 2^-50 · σ_1² / σ_i of σ_i, vectors orthonormal to n · 2^-50.
 *
 * @returns fewer than `rank` where there are not so many.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`.
 */
export function* updateSvdSteps(
  kernels: Kernels,
  { s, v }: RightSvd,
  e: Float64Array,
  n: number,
  rank: number,
): Steps<RightSvd> {
  checkInteger('n', n, 1, 16_384);
  checkInteger('rank', rank, 1, n);
  if (!(e instanceof Float64Array)) throw wrongType('e', 'a Float64Array', e);
  if (e.length % n !== 0) throw wrongDimension('e', `a multiple of ${n}`, e.length);
  if (v.length !== s.length * n) throw wrongDimension('v', s.length * n, v.length);
  const basis = yield* extendSteps(v, e, n);
  const size = basis.length / n;
  const products = yield* rowProductsSteps(kernels, e, basis, n);
  const gram = yield* gramOfSteps(kernels, products, size);
  s.forEach((value, i) => {
    gram[i * size + i] = gram[i * size + i]! + value * value;
  });
  const count = Math.min(rank, size);
  const { values, vectors } = yield* eigenSymmetricSteps(kernels, gram, size, count);
  return {
    s: values.map((value) => Math.sqrt(Math.max(0, value))),
    v: yield* matrixProductSteps(kernels, vectors, basis, size),
  };
}

/** updateSvdSteps without a pause. */
export function updateSvd(
  kernels: Kernels,
  known: RightSvd,
  e: Float64Array,
  n: number,
  rank: number,
): RightSvd {
  return drain(updateSvdSteps(kernels, known, e, n, rank));
}

/** Xᵀ X for rows of `size` numbers. */
function* gramOfSteps(kernels: Kernels, x: Float64Array, size: number): Steps<Float64Array> {
  if (x.length === 0) return new Float64Array(size * size);
  const columns = yield* transposeSteps(x, size);
  return yield* rowProductsSteps(kernels, columns, columns, x.length / size);
}

/** Orthonormal rows v and what the rows e have beyond them, by Gram–Schmidt done twice. */
function* extendSteps(v: Float64Array, e: Float64Array, n: number): Steps<Float64Array> {
  const known = v.length / n;
  const basis = new Float64Array(Math.min(n, known + e.length / n) * n);
  basis.set(v);
  let size = known;
  for (let from = 0; from < e.length && size < n; from += n) {
    const rest = e.slice(from, from + n);
    const length = norm(rest);
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < size; i++) subtractAlong(rest, basis.subarray(i * n, (i + 1) * n));
    }
    const left = norm(rest);
    if (left > DEPENDENT * length) {
      for (let j = 0; j < n; j++) basis[size * n + j] = rest[j]! / left;
      size++;
    }
    yield;
  }
  return basis.subarray(0, size * n);
}

function subtractAlong(x: Float64Array, unit: Float64Array): void {
  let along = 0;
  for (let j = 0; j < x.length; j++) along += x[j]! * unit[j]!;
  for (let j = 0; j < x.length; j++) x[j] = x[j]! - along * unit[j]!;
}

function norm(x: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < x.length; j++) sum += x[j]! * x[j]!;
  return Math.sqrt(sum);
}
