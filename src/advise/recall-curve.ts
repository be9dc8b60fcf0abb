/** Recall at a beam width. */
export interface CurvePoint {
  ef: number;
  recall: number;
}

/** Beam widths, in units of k, that a curve is measured at. */
const FACTORS = [1, 1.4, 2, 2.8, 4, 5.6, 8, 11.2, 16, 22.4, 32, 44.8, 64, 89.6, 128];
/** A miss of 0 has no logarithm. */
const MISS_LEAST = 1e-5;
/** Growth of the beam with the number of vectors is not believed beyond these powers. */
const POWER_LEAST = 0.1;
const POWER_MOST = 1;
const POWER_FACTOR = 1.2;

export function beamWidths(k: number): number[] {
  return FACTORS.map((factor) => Math.round(factor * k));
}

/**
 * The beam width at which a recall is reached, between two points of the curve by the logarithm of
 * the miss over that of the width; undefined where it is not reached.
 * @param curve by ascending width.
 */
export function beamFor(curve: readonly CurvePoint[], recall: number): number | undefined {
  const at = curve.findIndex((point) => point.recall >= recall);
  if (at < 0) return undefined;
  const { ef, recall: reached } = curve[at];
  if (at === 0) return ef;
  const before = curve[at - 1];
  const miss = (of: number) => Math.log(Math.max(MISS_LEAST, 1 - of));
  const span = miss(before.recall) - miss(reached);
  const part = span > 0 ? (miss(before.recall) - miss(recall)) / span : 1;
  return before.ef * (ef / before.ef) ** part;
}

/** The best recall of a curve. */
export function ceilingOf(curve: readonly CurvePoint[]): number {
  return Math.max(0, ...curve.map(({ recall }) => recall));
}

/** The beam that reaches a recall among a number of vectors. */
export interface BeamAt {
  count: number;
  ef: number;
}

/**
 * The power p of ef ~ n^p by which the beam goes on growing, from those that reach the same recall in
 * two samples. The slope between the samples is taken 1.2 times, as that of hard data rises with n
 * (docs/advisor.md), and kept within .1 … 1: noise must not run away, and a beam in proportion to n is
 * a scan.
 */
export function growthPower(small: BeamAt, large: BeamAt): number {
  const slope = Math.log(large.ef / small.ef) / Math.log(large.count / small.count);
  return Math.min(POWER_MOST, Math.max(POWER_LEAST, POWER_FACTOR * slope));
}
