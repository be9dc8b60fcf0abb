import type { Steps } from '../base/steps.js';

/** (√5 − 1) / 2: the share of the interval that one evaluation leaves. */
const GOLDEN = 0.6180339887498949;

export interface Minimum {
  readonly at: number;
  readonly value: number;
}

/**
 * The least value of a function that falls and then rises between 0 and 1, by golden-section search
 * (Kiefer 1953) down to an interval of `tolerance`. Both ends are evaluated too, so the result is
 * no worse than either, whatever the function is like; ties go to the point found first.
 */
export function* minimiseOnUnitSteps(
  evaluate: (at: number) => Steps<number>,
  tolerance: number,
): Steps<Minimum> {
  let best: Minimum = { at: 0, value: yield* evaluate(0) };
  function* consider(at: number): Steps<number> {
    const value = yield* evaluate(at);
    if (value < best.value) best = { at, value };
    return value;
  }
  yield* consider(1);
  let [low, high] = [0, 1];
  let [left, right] = [1 - GOLDEN, GOLDEN];
  let [leftValue, rightValue] = [yield* consider(left), yield* consider(right)];
  while (high - low > tolerance) {
    if (leftValue <= rightValue) {
      high = right;
      [right, rightValue] = [left, leftValue];
      left = high - GOLDEN * (high - low);
      leftValue = yield* consider(left);
    } else {
      low = left;
      [left, leftValue] = [right, rightValue];
      right = low + GOLDEN * (high - low);
      rightValue = yield* consider(right);
    }
  }
  return best;
}
