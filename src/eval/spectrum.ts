import { checkInteger, checkRows } from '../base/check.js';
import { Random } from '../base/random.js';
import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { centredProductsSteps } from '../linalg/centred-products.js';
import { leadingEigenSteps } from '../linalg/leading-eigen.js';
import { createMoments } from '../linalg/moments.js';
import { trace } from '../linalg/trace.js';

/** How the variance of rows is spread over their principal components. */
export interface Spectrum {
  /** Share of the variance in the first component, the first two, … : 0 … 1, ascending; 1 of none. */
  energy: Float64Array;
  /**
   * (Σλ)² / Σλ², the participation ratio: as many equal components would have the same. 1 where one
   * component has all, `dimensions` for white noise; NaN where nothing varies.
   */
  effectiveDimensions: number;
}

/** More components cost seconds, and no primary code of one line holds more. */
const COMPONENTS = 512;

/**
 * The spectrum of rows around their mean: its first components, of which there are no more than rows
 * or dimensions. Of fewer rows than dimensions it is that of the sample, which is narrower than that
 * of all.
 * @param rows n x dimensions, n ≥ 1.
 * @param kernels nobody else takes of its memory meanwhile.
 */
export function* spectrumSteps(
  kernels: Kernels,
  rows: Float32Array,
  dimensions: number,
  { components = COMPONENTS, seed = 1 }: { components?: number; seed?: number } = {},
): Steps<Spectrum> {
  checkInteger('dimensions', dimensions, 1, 16_384);
  const size = Math.min(dimensions, checkRows('rows', rows, dimensions));
  const matrix = yield* narrowerSteps(kernels, rows, dimensions);
  const known = Math.min(size, components);
  const { values } = yield* leadingEigenSteps(kernels, matrix, size, known, new Random(seed));
  const variance = trace(matrix, size);
  let squares = 0;
  for (let i = 0; i < size; i++) {
    // Row by row, as 16,384 dimensions take a quarter of a second.
    for (const x of matrix.subarray(i * size, (i + 1) * size)) squares += x * x;
    yield;
  }
  const energy = new Float64Array(known);
  let sum = 0;
  values.forEach((value, i) => {
    sum += Math.max(0, value);
    energy[i] = variance > 0 ? Math.min(1, sum / variance) : 1;
  });
  return { energy, effectiveDimensions: variance ** 2 / squares };
}

/** What has the eigenvalues of the covariance, but for a factor and zeros: as narrow as there is. */
function* narrowerSteps(
  kernels: Kernels,
  rows: Float32Array,
  dimensions: number,
): Steps<Float64Array> {
  const count = rows.length / dimensions;
  if (count < dimensions) {
    return (yield* centredProductsSteps(kernels, rows, dimensions)).products;
  }
  const moments = createMoments(kernels, dimensions);
  yield* moments.addSteps(rows, count);
  return (yield* moments.finishSteps()).covariance;
}
