import { checkInteger, checkOptions } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';

/**
 * How many dimensions a projection keeps: a number; the fewest that keep a share of the energy
 * (`LeanVec.energyKept`); or the fewest whose loss (`LeanVec.loss`) is at most so much.
 */
export type TargetGoal = number | { energy: number } | { loss: number };

/** What each leading dimension keeps, and all of them together. */
export interface Kept {
  readonly each: Float64Array;
  readonly total: number;
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for anything but a goal. */
export function checkTarget(goal: unknown, dimensions: number): TargetGoal {
  if (typeof goal === 'number') return checkInteger('target', goal, 1, dimensions);
  if (typeof goal !== 'object' || goal === null) {
    throw wrongType('target', 'a number, { energy } or { loss }', goal);
  }
  checkOptions('target', goal, ['energy', 'loss']);
  const { energy, loss } = goal as { energy?: unknown; loss?: unknown };
  if ((energy === undefined) === (loss === undefined)) {
    throw outOfRange('target', 'a number, { energy } or { loss }', goal);
  }
  const share = energy ?? loss;
  if (typeof share !== 'number' || !(share >= 0 && share <= 1)) {
    throw outOfRange(`target.${energy === undefined ? 'loss' : 'energy'}`, 'from 0 to 1', share);
  }
  return goal as TargetGoal;
}

/** The fewest leading dimensions, at least 1, that keep the share; all where even they do not. */
export function fewestKeeping(share: number, { each, total }: Kept): number {
  let kept = 0;
  for (let i = 0; i < each.length; i++) {
    kept += each[i]!;
    // Rounding must not ask for one more dimension where a share is met exactly.
    if (kept >= share * total * (1 - 1e-12)) return i + 1;
  }
  return each.length;
}

/** The share that the first `count` keep: 1 where there is nothing to keep. */
export function shareKept({ each, total }: Kept, count: number): number {
  if (!(total > 0)) return 1;
  let kept = 0;
  for (let i = 0; i < count; i++) kept += each[i]!;
  return Math.min(1, Math.max(0, kept / total));
}
