import { Random } from '../base/random.js';
import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { centredProductsSteps } from '../linalg/centred-products.js';
import { eigenSymmetricSteps } from '../linalg/eigen-symmetric.js';
import { multiplySteps } from '../linalg/row-blocks.js';
import { trace } from '../linalg/trace.js';
import { LeanVec } from './leanvec.js';

/** The covariance of more dimensions, and its eigenvectors, take too much memory and time. */
export const WIDE_DIMENSIONS = 4096;
/** Rows that their training reads at the most. */
export const WIDE_ROWS_MAX = 4096;
/** Rows or columns that a plain loop handles between two yields. */
const PER_STEP = 64;
/** Components with a smaller share of the largest one's energy are rounding errors. */
const NOISE = 2 ** -20;

/**
 * The leading principal components of wide rows (n x dimensions, n ≥ 1), as many as `target` but no
 * more than there are rows: from the inner products of a sample's rows with one another, which are
 * fewer than those of their dimensions (centred-products.ts).
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
  const chosen = count < total ? new Random(seed).permutation(total).subarray(0, count) : undefined;
  const { columns, mean, products } = yield* centredProductsSteps(
    kernels,
    rows,
    dimensions,
    chosen,
  );
  const rank = Math.min(target, count, dimensions);
  const { values, vectors } = yield* eigenSymmetricSteps(kernels, products, count, rank);
  const components = new Float32Array(dimensions * rank);
  const source = { a: columns, m: dimensions, n: count, scale: 1 };
  yield* multiplySteps(kernels, source, vectors, components);
  const basis = new Float32Array(rank * dimensions);
  const scales = values.map((value) =>
    value > NOISE * values[0]! ? 1 / Math.sqrt(value * dimensions) : 0,
  );
  for (let i = 0; i < dimensions; i++) {
    for (let j = 0; j < rank; j++)
      basis[j * dimensions + i] = components[i * rank + j]! * scales[j]!;
    if (i % PER_STEP === 0) yield;
  }
  const share = dimensions / count;
  const totalVariance = share * trace(products, count);
  return new LeanVec({
    method: 'pca',
    distance: 'Dot',
    mean,
    basis,
    queryBasis: basis,
    energies: values.map((value) => Math.max(0, share * value)),
    totalEnergy: totalVariance,
    totalVariance,
    loss: 0,
  });
}
