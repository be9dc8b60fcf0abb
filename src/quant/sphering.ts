import { Random } from '../base/random.js';
import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { leadingEigenSteps } from '../linalg/leading-eigen.js';
import { matrixProductSteps, rowProductsSteps } from '../linalg/row-products.js';
import { symmetricRootsSteps } from '../linalg/symmetric-roots.js';
import { trace } from '../linalg/trace.js';
import type { ProjectionMaps, SecondMoments } from './projection-loss.js';

export interface SpheringMaps extends ProjectionMaps {
  /** The leading eigenvalues e of W K_X W, descending: the loss is the sum of those left out. */
  readonly energies: Float64Array;
}

/** Energies below this share of the largest are balanced like it: their rows carry nothing. */
const ENERGY_FLOOR = 1e-12;

/**
 * LeanVec-Sphering (arXiv 2410.22347): the maps of least loss among all of this rank, in closed
 * form. With W = K_Q^½ and U the leading eigenvectors of W K_X W, A = Uᵀ W⁻¹ and B = Uᵀ W: by
 * Eckart and Young on W Xᵀ no other pair errs less, orthonormal ones included. Any prefix of the
 * rows is the pair for a smaller target. B is not orthonormal: what the projected data keep is the
 * inner products with queries, not those among themselves. W is scaled to tr W² = d, so that B is
 * orthonormal where queries vary alike in all directions.
 */
export function* spheringSteps(
  kernels: Kernels,
  { dimensions: d, queries, data }: SecondMoments,
  target: number,
  seed = 1,
): Steps<SpheringMaps> {
  const { root, inverseRoot } = yield* symmetricRootsSteps(kernels, queries, d);
  const half = yield* rowProductsSteps(kernels, root, data, d);
  const sphered = yield* rowProductsSteps(kernels, half, root, d);
  const pairs = yield* leadingEigenSteps(kernels, sphered, d, target, new Random(seed));
  const vectors = pairs.vectors.subarray(0, target * d);
  const queryBasis = yield* matrixProductSteps(kernels, vectors, inverseRoot, d);
  const basis = yield* matrixProductSteps(kernels, vectors, root, d);
  const scale = Math.sqrt(d / trace(queries, d));
  return {
    queryBasis: queryBasis.map((x) => x / scale),
    basis: basis.map((x) => x * scale),
    energies: pairs.values.slice(0, target).map((value) => Math.max(0, value)),
  };
}

/**
 * Balanced sphering: the same inner products, with s = (e_1 / e)^¼ moved from the queries to the
 * data, B ← s B and A ← A / s. Plain sphering's projected data have the variances e and its queries
 * variance 1; after balancing both have √e up to a factor, and once the coordinates are rotated
 * among themselves the error of a uniform quantizer goes as (Σ √e)² / d instead of Σ e, never more
 * by Cauchy and Schwarz.
 */
export function balance({ queryBasis, basis, energies }: SpheringMaps): SpheringMaps {
  const d = basis.length / energies.length;
  const largest = energies[0]!;
  const scales = energies.map((energy) =>
    largest > 0 ? Math.sqrt(Math.sqrt(largest / Math.max(energy, ENERGY_FLOOR * largest))) : 1,
  );
  return {
    queryBasis: queryBasis.map((x, at) => x / scales[Math.floor(at / d)]!),
    basis: basis.map((x, at) => x * scales[Math.floor(at / d)]!),
    energies,
  };
}
