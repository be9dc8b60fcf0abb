import { Random } from '../base/random.js';
import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { randomizedSvdSteps } from '../linalg/randomized-svd.js';
import { LeanVec } from './leanvec.js';

/** Vectors of more dimensions have covariances that take too much memory and time. */
export const WIDE_DIMENSIONS = 2048;
/** Rows that their training reads at the most. */
export const WIDE_ROWS_MAX = 4096;

/**
 * The leading principal components of wide rows (n x dimensions, n ≥ 1), from the singular vectors of
 * a centred sample instead of its covariance: as many as `target`, no more than there are rows.
 */
export function* widePcaSteps(
  kernels: Kernels,
  rows: Float32Array,
  dimensions: number,
  target: number,
  seed: number,
): Steps<LeanVec> {
  const total = rows.length / dimensions;
  const count = Math.min(total, WIDE_ROWS_MAX);
  const chosen = count === total ? undefined : new Random(seed).permutation(total);
  const sample = new Float32Array(count * dimensions);
  const sums = new Float64Array(dimensions);
  for (let r = 0; r < count; r++) {
    const from = (chosen?.[r] ?? r) * dimensions;
    const row = rows.subarray(from, from + dimensions);
    sample.set(row, r * dimensions);
    for (let i = 0; i < dimensions; i++) sums[i]! += row[i]!;
    if (r % 64 === 0) yield;
  }
  const mean = Float32Array.from(sums, (sum) => sum / count);
  let squares = 0;
  for (let r = 0; r < count; r++) {
    const row = sample.subarray(r * dimensions, (r + 1) * dimensions);
    for (let i = 0; i < dimensions; i++) {
      row[i]! -= mean[i]!;
      squares += row[i]! * row[i]!;
    }
    if (r % 64 === 0) yield;
  }
  const rank = Math.min(target, count, dimensions);
  const { s, v } = yield* randomizedSvdSteps(kernels, sample, count, dimensions, rank, {
    iterations: 1,
    seed,
  });
  const basis = new Float32Array(rank * dimensions);
  for (let i = 0; i < dimensions; i++) {
    for (let j = 0; j < rank; j++) basis[j * dimensions + i] = v[i * rank + j]!;
    if (i % 64 === 0) yield;
  }
  const energies = Float64Array.from(s.subarray(0, rank), (value) => value ** 2 / count);
  const totalVariance = squares / count;
  return new LeanVec({
    method: 'pca',
    distance: 'Dot',
    mean,
    basis,
    queryBasis: basis,
    energies,
    totalEnergy: totalVariance,
    totalVariance,
    loss: 0,
  });
}
