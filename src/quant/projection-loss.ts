import { drain, type Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { rowProductsSteps } from '../linalg/row-products.js';

/** A linear dimension reduction of inner products: <q, x> ≈ <A q, B x>. */
export interface ProjectionMaps {
  /** A, the query map: target × dimensions, row-major. */
  readonly queryBasis: Float64Array;
  /** B, the data map: target × dimensions, row-major; the same array as A where they are equal. */
  readonly basis: Float64Array;
}

/** All that a projection is trained on. */
export interface SecondMoments {
  readonly dimensions: number;
  /** K_Q = E q qᵀ, dimensions × dimensions. */
  readonly queries: Float64Array;
  /** K_X = E x xᵀ of the centred vectors, dimensions × dimensions. */
  readonly data: Float64Array;
}

/** The maps' products with the second moments, target × dimensions each. */
export interface MapProducts {
  /** A K_Q. */
  readonly queries: Float64Array;
  /** B K_X. */
  readonly data: Float64Array;
}

/**
 * LeanVec's loss (arXiv 2312.16335, eq. 3), the mean squared error of the inner products:
 * f = E (<A q, B x> − <q, x>)² = tr(A K_Q Aᵀ B K_X Bᵀ) − 2 tr(A K_Q K_X Bᵀ) + tr(K_Q K_X)
 * for maps given by rows. Rounding: about 1e-15 · tr(K_Q K_X), so tiny losses may come out negative.
 */
export function* projectionLossSteps(
  kernels: Kernels,
  maps: ProjectionMaps,
  moments: SecondMoments,
): Steps<number> {
  const products = yield* mapProductsSteps(kernels, maps, moments);
  return yield* lossOfProductsSteps(kernels, maps, products, moments);
}

/** projectionLossSteps without a pause. */
export function projectionLoss(
  kernels: Kernels,
  maps: ProjectionMaps,
  moments: SecondMoments,
): number {
  return drain(projectionLossSteps(kernels, maps, moments));
}

export function* mapProductsSteps(
  kernels: Kernels,
  { queryBasis, basis }: ProjectionMaps,
  { dimensions, queries, data }: SecondMoments,
): Steps<MapProducts> {
  return {
    queries: yield* rowProductsSteps(kernels, queryBasis, queries, dimensions),
    data: yield* rowProductsSteps(kernels, basis, data, dimensions),
  };
}

/** The loss where A K_Q and B K_X are at hand. */
export function* lossOfProductsSteps(
  kernels: Kernels,
  { queryBasis, basis }: ProjectionMaps,
  products: MapProducts,
  { dimensions: d, queries, data }: SecondMoments,
): Steps<number> {
  const projectedQueries = yield* rowProductsSteps(kernels, products.queries, queryBasis, d);
  const projectedData = yield* rowProductsSteps(kernels, products.data, basis, d);
  const kept = innerProduct(projectedQueries, projectedData);
  return kept - 2 * innerProduct(products.queries, products.data) + innerProduct(queries, data);
}

/** tr(K_Q K_X) = E <q, x>²: what the loss is relative to. */
export function totalInnerEnergy({ queries, data }: SecondMoments): number {
  return innerProduct(queries, data);
}

/** tr(X Yᵀ): the sum of the products of all numbers. */
export function innerProduct(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
}
