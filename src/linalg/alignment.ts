import { checkInteger } from '../base/check.js';
import { wrongDimension } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { eigenSymmetricSteps } from './eigen-symmetric.js';
import { rowProductsSteps } from './row-products.js';

/** Columns from … to − 1 of a covariance, of one part of what it is taken of. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * Linear CKA of two parts of the same rows (Kornblith et al. 2019, arXiv 1905.00414, section 3): from
 * 0, no linear relation, to 1, equal up to rotation and scale. With centred X and Y it is
 * ‖XᵀY‖²_F / (‖XᵀX‖_F ‖YᵀY‖_F), of which the covariance of [X | Y] has all.
 *
 * @param covariance d × d, row-major. 0 where a part does not vary.
 */
export function linearCka(covariance: Float64Array, d: number, x: Span, y: Span): number {
  const own = Math.sqrt(blockEnergy(covariance, d, x, x) * blockEnergy(covariance, d, y, y));
  return own > 0 ? Math.min(1, blockEnergy(covariance, d, x, y) / own) : 0;
}

/** ‖C_xy‖²_F. */
function blockEnergy(covariance: Float64Array, d: number, x: Span, y: Span): number {
  let sum = 0;
  for (let i = x.from; i < x.to; i++) {
    for (let j = y.from; j < y.to; j++) sum += covariance[i * d + j]! ** 2;
  }
  return sum;
}

/**
 * Cosines of the principal angles between the spans of orthonormal rows a (p × d) and b (q × d),
 * descending: the singular values of A Bᵀ, min(p, q) of them (Björck and Golub 1973). Angles below
 * 1e-8 count as none.
 *
 * @throws RangeError `DIMENSION_MISMATCH` for rows that are not of d numbers.
 */
export function* principalCosinesSteps(
  kernels: Kernels,
  a: Float64Array,
  b: Float64Array,
  d: number,
): Steps<Float64Array> {
  checkInteger('d', d, 1, 16_384);
  for (const rows of [a, b]) {
    if (rows.length === 0 || rows.length % d !== 0) {
      throw wrongDimension('the rows', `a multiple of ${d}`, rows.length);
    }
  }
  const [few, many] = a.length <= b.length ? [a, b] : [b, a];
  const size = few.length / d;
  const products = yield* rowProductsSteps(kernels, few, many, d);
  const gram = yield* rowProductsSteps(kernels, products, products, many.length / d);
  const { values } = yield* eigenSymmetricSteps(kernels, gram, size);
  return values.map((value) => Math.sqrt(Math.min(1, Math.max(0, value))));
}
