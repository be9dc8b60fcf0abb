/** Scalar twin of the rounding instructions: an oracle for the tests, not exported. */

/** The nearest integer, ties to even, as `f32x4.nearest` rounds. */
export function nearest(x: number): number {
  const up = Math.round(x);
  return up - x === 0.5 && up % 2 !== 0 ? up - 1 : up;
}

/** x held within [low, high]; NaN stays NaN. */
export function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}
