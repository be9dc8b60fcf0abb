import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { createMoments } from './moments.js';
import { secondMoment } from './second-moment.js';

/** Rows or columns that a plain loop handles between two yields. */
const PER_STEP = 64;

export interface CentredProducts {
  /** Centred rows as columns, so that the sums over their numbers are sums over rows: d x count. */
  columns: Float32Array;
  mean: Float32Array;
  /** XXᵀ / d of the centred rows: count x count. d / count times its eigenvalues are the covariance's. */
  products: Float64Array;
}

/**
 * The inner products of centred rows with one another: where rows are fewer than their dimensions
 * they tell the spectrum for less than a covariance does (the method of snapshots, Sirovich 1987).
 * @param rows n x dimensions; only those `chosen`, where it is given.
 */
export function* centredProductsSteps(
  kernels: Kernels,
  rows: Float32Array,
  dimensions: number,
  chosen?: ArrayLike<number>,
): Steps<CentredProducts> {
  const count = chosen?.length ?? rows.length / dimensions;
  const columns = new Float32Array(count * dimensions);
  const mean = new Float32Array(dimensions);
  for (let r = 0; r < count; r++) {
    const from = (chosen?.[r] ?? r) * dimensions;
    for (let i = 0; i < dimensions; i++) columns[i * count + r] = rows[from + i]!;
    if (r % PER_STEP === 0) yield;
  }
  for (let i = 0; i < dimensions; i++) {
    const column = columns.subarray(i * count, (i + 1) * count);
    mean[i] = column.reduce((sum, x) => sum + x, 0) / count;
    for (let r = 0; r < count; r++) column[r]! -= mean[i]!;
    if (i % PER_STEP === 0) yield;
  }
  const moments = createMoments(kernels, count);
  yield* moments.addSteps(columns, dimensions);
  return { columns, mean, products: secondMoment(yield* moments.finishSteps()) };
}
