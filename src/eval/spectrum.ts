import { checkInteger, checkRows } from '../base/check.js';
import { Random } from '../base/random.js';
import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { leadingEigenSteps } from '../linalg/leading-eigen.js';
import { createMoments } from '../linalg/moments.js';
import { trace } from '../linalg/trace.js';

/** How the variance of rows is spread over their principal components. */
export interface Spectrum {
  /** Share of the variance in the first component, the first two, … : 0 … 1, ascending. */
  energy: Float64Array;
  /**
   * (Σλ)² / Σλ², the participation ratio: as many equal components would have the same. 1 where one
   * component has all, `dimensions` for white noise; NaN where nothing varies.
   */
  effectiveDimensions: number;
}

/** More components cost seconds, and no primary code of one line holds more. */
const COMPONENTS_MAX = 512;

/**
 * The spectrum of rows around their mean, its first 512 components at most.
 * @param rows n x dimensions, n ≥ 1.
 * @param kernels nobody else takes of its memory meanwhile.
 */
export function* spectrumSteps(
  kernels: Kernels,
  rows: Float32Array,
  dimensions: number,
  seed = 1,
): Steps<Spectrum> {
  checkInteger('dimensions', dimensions, 1, 16_384);
  const count = checkRows('rows', rows, dimensions);
  const moments = createMoments(kernels, dimensions);
  yield* moments.addSteps(rows, count);
  const { covariance } = yield* moments.finishSteps();
  const components = Math.min(dimensions, COMPONENTS_MAX);
  const random = new Random(seed);
  const { values } = yield* leadingEigenSteps(kernels, covariance, dimensions, components, random);
  const variance = trace(covariance, dimensions);
  let squares = 0;
  for (let i = 0; i < dimensions; i++) {
    // Row by row, as 16,384 dimensions take a quarter of a second.
    for (const x of covariance.subarray(i * dimensions, (i + 1) * dimensions)) squares += x * x;
    yield;
  }
  const energy = new Float64Array(components);
  let sum = 0;
  values.forEach((value, i) => {
    sum += Math.max(0, value);
    energy[i] = Math.min(1, sum / variance);
  });
  return { energy, effectiveDimensions: variance ** 2 / squares };
}

/** The fewest components that hold a share of the variance; undefined where those known do not. */
export function componentsFor(energy: Float64Array, share: number): number | undefined {
  const index = energy.findIndex((kept) => kept >= share);
  return index < 0 ? undefined : index + 1;
}
