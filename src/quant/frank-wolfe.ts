import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { eigenSymmetricSteps } from '../linalg/eigen-symmetric.js';
import { polarSteps } from '../linalg/polar.js';
import { matrixProductSteps, rowProductsSteps } from '../linalg/row-products.js';
import {
  innerProduct,
  lossOfProductsSteps,
  mapProductsSteps,
  type ProjectionMaps,
  type SecondMoments,
} from './projection-loss.js';

const ITERATIONS_MAX = 500;
/** It ends when an iteration lowers the loss by less than this share: the paper's 1e-3 is early. */
const TOLERANCE = 2e-4;

/** One of the two maps: its rows M, and M K with its own side's second moment K. */
interface Side {
  readonly moment: Float64Array;
  readonly rows: Float64Array;
  readonly products: Float64Array;
}

/**
 * LeanVec-OOD by Frank–Wolfe block coordinate descent (arXiv 2312.16335, algorithm 1): the loss is
 * minimised over maps of spectral norm ≤ 1, the convex hull of those with orthonormal rows, of
 * which the result nearly is a pair. Each iteration moves A, then B, towards the orthonormal rows
 * of the least inner product with the gradient, the polar factor of its opposite.
 *
 * Unlike the paper's it starts from `start` (orthonormal rows: the principal components), not from
 * zero, where the first gradient vanishes and the coordinates decide; and it goes as far as lowers
 * the loss most, a quadratic function of the step, instead of 1 / (t + 1)^.999, whose first step of
 * 1 would throw the start away. So the loss falls in every iteration and is never above that of the
 * principal components; both end at the same loss within a percent, this in fewer iterations.
 *
 * Rows of the result are by falling variance of the projected data; a prefix of them is not the map
 * for a smaller target. Slow: tens of iterations of 4 products of dimensions² · target.
 */
export function* frankWolfeSteps(
  kernels: Kernels,
  moments: SecondMoments,
  start: Float64Array,
  iterations = ITERATIONS_MAX,
): Steps<ProjectionMaps> {
  const { dimensions: d } = moments;
  const maps = { queryBasis: start, basis: start };
  const products = yield* mapProductsSteps(kernels, maps, moments);
  let queries: Side = { moment: moments.queries, rows: start, products: products.queries };
  let data: Side = { moment: moments.data, rows: start, products: products.data };
  let previous = yield* lossOfProductsSteps(kernels, maps, products, moments);
  for (let t = 0; t < iterations; t++) {
    queries = yield* descendSteps(kernels, queries, data, d);
    data = yield* descendSteps(kernels, data, queries, d);
    const loss = yield* lossOfProductsSteps(
      kernels,
      { queryBasis: queries.rows, basis: data.rows },
      { queries: queries.products, data: data.products },
      moments,
    );
    if (t > 1 && previous - loss <= TOLERANCE * previous) break;
    previous = loss;
  }
  return yield* orderByVarianceSteps(kernels, queries, data, d);
}

/**
 * One step of a map M while the other, O, stays: with S = O K_O Oᵀ, half the negative gradient is
 * G = O K_O K_M − S M K_M, and along Δ = polar(G) − M the loss changes by
 * −2 γ <G, Δ> + γ² <S Δ K_M, Δ>.
 */
function* descendSteps(kernels: Kernels, own: Side, other: Side, d: number): Steps<Side> {
  const count = own.rows.length / d;
  const spread = yield* rowProductsSteps(kernels, other.products, other.rows, d);
  const opposite = yield* rowProductsSteps(kernels, other.products, own.moment, d);
  const kept = yield* matrixProductSteps(kernels, spread, own.products, count);
  addScaled(opposite, -1, kept);
  yield;
  const change = yield* polarSteps(kernels, opposite, count, d);
  const changeProducts = yield* rowProductsSteps(kernels, change, own.moment, d);
  addScaled(change, -1, own.rows);
  addScaled(changeProducts, -1, own.products);
  yield;
  const curved = yield* matrixProductSteps(kernels, spread, changeProducts, count);
  const [slope, curvature] = [innerProduct(opposite, change), innerProduct(curved, change)];
  const step = curvature > 0 ? Math.min(1, Math.max(0, slope / curvature)) : 0;
  const [rows, products] = [own.rows.slice(), own.products.slice()];
  addScaled(rows, step, change);
  addScaled(products, step, changeProducts);
  yield;
  return { moment: own.moment, rows, products };
}

/** to += factor · from. */
function addScaled(to: Float64Array, factor: number, from: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i] = to[i]! + factor * from[i]!;
}

/** Both maps turned by the eigenvectors of B K_X Bᵀ, which changes no inner product. */
function* orderByVarianceSteps(
  kernels: Kernels,
  queries: Side,
  data: Side,
  d: number,
): Steps<ProjectionMaps> {
  const count = data.rows.length / d;
  const spread = yield* rowProductsSteps(kernels, data.products, data.rows, d);
  const { vectors } = yield* eigenSymmetricSteps(kernels, spread, count);
  return {
    queryBasis: yield* matrixProductSteps(kernels, vectors, queries.rows, count),
    basis: yield* matrixProductSteps(kernels, vectors, data.rows, count),
  };
}
