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
