import type { Distance } from '../base/distance.js';
import {
  gaussianDistortion,
  LINE_BYTES,
  PRIMARY_CODE_BITS,
  type PrimaryBits,
  primaryBytes,
  primaryCapacity,
} from './layout.js';
import type { LeanVec } from './leanvec.js';

/** Width and dimensions of the primary codes. */
export interface PrimaryChoice {
  bits: PrimaryBits;
  /** Dimensions that the projection keeps. */
  used: number;
  /** Share of the variance of vectors not trained on that these dimensions keep, estimated. */
  energyKept: number;
  /** Share of the variance that the codes lose: what is not kept, and the grid's error. */
  loss: number;
}

/** What the user may have decided. */
export interface PrimaryWish {
  primaryBits: PrimaryBits | undefined;
  primaryDimensions: number | undefined;
  distance: Distance;
}

/**
 * Real text embeddings lose about .2 in one line, and then 99.5 % of the true top 10 are among the
 * best 50 by primary codes. Data that lose more than this get another line.
 */
export const PRIMARY_LOSS_MAX = 0.3;
const LINES_MAX = 4;

/** The eigenvectors that more lines need take too long for wider vectors. */
const WIDE_DIMENSIONS = 4096;

/**
 * How many dimensions to train: first what one line holds, which nearly always suffices, then what
 * all lines hold.
 */
export function primaryTargets(dimensions: number, wish: PrimaryWish): number[] {
  if (wish.primaryBits === 32) return [1];
  if (wish.primaryDimensions !== undefined) return [wish.primaryDimensions];
  const lines = dimensions > WIDE_DIMENSIONS ? [1] : [1, LINES_MAX];
  const bits = wish.primaryBits ?? 2;
  const targets = lines.map((count) =>
    Math.min(dimensions, primaryCapacity(count, bits, wish.distance)),
  );
  return [...new Set(targets)];
}

/**
 * The codes of the fewest cache lines that lose little; where none do, those that lose least. What
 * is lost is the energy that the projection misses and the grid's error on what it keeps.
 * @param rows how many the projection was trained on.
 */
export function choosePrimary(leanVec: LeanVec, rows: number, wish: PrimaryWish): PrimaryChoice {
  const { primaryBits, primaryDimensions, distance } = wish;
  if (primaryBits === 32) return { bits: 32, used: leanVec.dimensions, energyKept: 1, loss: 0 };
  const evaluate = (bits: PrimaryBits, used: number): PrimaryChoice => {
    const energyKept = energyOfNewVectors(leanVec, used, rows);
    const loss = 1 - energyKept + energyKept * gaussianDistortion(bits);
    return { bits, used, energyKept, loss };
  };
  const wished = primaryDimensions;
  let best: PrimaryChoice | undefined;
  for (let lines = 1; lines <= LINES_MAX; lines++) {
    if (best !== undefined && best.loss <= PRIMARY_LOSS_MAX) break;
    for (const bits of primaryBits === undefined ? PRIMARY_CODE_BITS : [primaryBits]) {
      const used = Math.min(leanVec.target, wished ?? primaryCapacity(lines, bits, distance));
      if (primaryBytes(used, bits, distance) > lines * LINE_BYTES) continue;
      const choice = evaluate(bits, used);
      if (best === undefined || choice.loss < best.loss) best = choice;
    }
  }
  // Only a wish for more dimensions than LINES_MAX lines hold finds none.
  return best ?? evaluate(primaryBits ?? 2, leanVec.target);
}

/**
 * Principal components fit the vectors they were trained on better than others. Measured on real
 * embeddings of 384 and 768 dimensions and 50 … 4,000 rows, the share kept of new vectors lies
 * between the training's and the average direction's, at d / (d + 5 n) of the way, within .04.
 */
function energyOfNewVectors(leanVec: LeanVec, used: number, rows: number): number {
  const trained = leanVec.energyKept(used);
  const { dimensions } = leanVec;
  return trained - (dimensions / (dimensions + 5 * rows)) * (trained - used / dimensions);
}
