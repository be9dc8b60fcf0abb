import { wrongDimension } from '../base/errors.js';
import type { Moments } from './moments.js';

/**
 * E (x − a)(x − a)ᵀ = C + (μ − a)(μ − a)ᵀ of rows with mean μ and covariance C, a the origin unless
 * given: d × d, row-major, symmetric.
 *
 * @throws RangeError `DIMENSION_MISMATCH` for a point of other dimensions.
 */
export function secondMoment(
  { mean, covariance }: Moments,
  about?: Float32Array | Float64Array,
): Float64Array {
  const d = mean.length;
  if (about !== undefined && about.length !== d) {
    throw wrongDimension('the point', d, about.length);
  }
  const offset = mean.map((x, i) => x - (about?.[i] ?? 0));
  const result = covariance.slice();
  for (let i = 0; i < d; i++) {
    const factor = offset[i]!;
    for (let j = 0; j < d; j++) result[i * d + j] = result[i * d + j]! + factor * offset[j]!;
  }
  return result;
}
