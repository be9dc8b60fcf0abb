import { checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import { type DistanceName, parseDistance } from '../base/distance.js';
import { outOfRange, wrongDimension } from '../base/errors.js';
import { Random } from '../base/random.js';
import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { leadingEigenSteps } from '../linalg/leading-eigen.js';
import type { Moments } from '../linalg/moments.js';
import { rowProductsSteps } from '../linalg/row-products.js';
import { secondMoment } from '../linalg/second-moment.js';
import { trace } from '../linalg/trace.js';
import { eigenvectorSearchSteps } from './eigenvector-search.js';
import { frankWolfeSteps } from './frank-wolfe.js';
import {
  type ProjectionMaps,
  projectionLossSteps,
  type SecondMoments,
  totalInnerEnergy,
} from './projection-loss.js';
import { balance, spheringSteps } from './sphering.js';

export type QueryAwareMethod =
  | 'frank-wolfe'
  | 'eigenvector-search'
  | 'sphering'
  | 'balanced-sphering';
export const QUERY_AWARE_METHODS: readonly QueryAwareMethod[] = [
  'frank-wolfe',
  'eigenvector-search',
  'sphering',
  'balanced-sphering',
];

export interface QueryAwareOptions {
  /** Dimensions to keep, 1 … dimensions. */
  target: number;
  /** Default 'balanced-sphering'. */
  method?: QueryAwareMethod;
  /** What the maps serve; it decides what K_Q is taken about. Default 'Dot'. */
  distance?: DistanceName;
  /**
   * Share of the data's covariance, scaled to the trace of K_Q, that is mixed into K_Q, 0 … 1: a
   * few queries do not tell of all directions. Default D / (D + 5 m) for m queries of D numbers
   * with the sphering methods, which invert K_Q, and 0 with the others.
   */
  dataShare?: number;
  /** Seed of the eigensolver. Default 1. */
  seed?: number;
}

/** Maps with <q, x> ≈ <A q, B x>, and what they keep. */
export interface QueryAwareMaps extends ProjectionMaps {
  /**
   * What each row keeps. Sphering: of the energy of the inner products, eigenvalues of W K_X W, so
   * that a prefix's loss is the sum of the others. Else: variance of the data along the row.
   */
  readonly energies: Float64Array;
  /** What the energies of all dimensions add up to. */
  readonly totalEnergy: number;
  /** Mean squared error of the inner products over their mean square: f / tr(K_Q K_X). */
  readonly loss: number;
}

const OPTIONS = [
  'target',
  'method',
  'distance',
  'dataShare',
  'seed',
] as const satisfies readonly (keyof QueryAwareOptions)[];

/**
 * Trains the query map A and the data map B for queries that are distributed otherwise than the
 * data. The maps are for data centred by their mean μ, and for queries as follows:
 *
 * - Dot and Cosine (unit vectors): <q, x> = <q, μ> + <q, x − μ>, and the first term is the same for
 *   all x. What is approximated is the product of q *as it is* with x − μ, so K_Q = E q qᵀ, the
 *   second moment about zero, in which the queries' mean counts: <A q, B (x − μ)>.
 * - Euclid: ‖q − x‖² = ‖q − μ‖² − 2 <q − μ, x − μ> + ‖x − μ‖²; the last term is known exactly for
 *   each x. So queries are centred by the *data's* mean, and K_Q = E (q − μ)(q − μ)ᵀ is the second
 *   moment about it: <A (q − μ), B (x − μ)>.
 *
 * K_X is the covariance of the data in all cases.
 *
 * @param data moments of the vectors, for Cosine of unit vectors.
 * @param queries moments of training queries (other than those tested with), likewise.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`: wrong options, moments of
 * different dimensions, queries that are all zero.
 */
export function* queryAwareSteps(
  kernels: Kernels,
  data: Moments,
  queries: Moments,
  options: QueryAwareOptions,
): Steps<QueryAwareMaps> {
  const d = data.mean.length;
  if (queries.mean.length !== d) throw wrongDimension('a query', d, queries.mean.length);
  const { target, method, distance, dataShare, seed } = resolve(options, d, queries.count);
  const about = distance === 'Euclid' ? data.mean : undefined;
  const raw = secondMoment(queries, about);
  yield;
  const moments: SecondMoments = {
    dimensions: d,
    queries: mixedWithData(raw, data.covariance, d, dataShare),
    data: data.covariance,
  };
  yield;
  const maps = yield* mapsSteps(kernels, moments, method, target, seed);
  const loss = yield* projectionLossSteps(kernels, maps, moments);
  const total = totalInnerEnergy(moments);
  return { ...maps, loss: total > 0 ? Math.max(0, loss / total) : 0 };
}

function* mapsSteps(
  kernels: Kernels,
  moments: SecondMoments,
  method: QueryAwareMethod,
  target: number,
  seed: number,
): Steps<Omit<QueryAwareMaps, 'loss'>> {
  if (method === 'sphering' || method === 'balanced-sphering') {
    const maps = yield* spheringSteps(kernels, moments, target, seed);
    const totalEnergy = totalInnerEnergy(moments);
    return { ...(method === 'sphering' ? maps : balance(maps)), totalEnergy };
  }
  const maps = yield* orthonormalMapsSteps(kernels, moments, method, target, seed);
  const energies = yield* rowVariancesSteps(kernels, maps.basis, moments.data);
  return { ...maps, energies, totalEnergy: trace(moments.data, moments.dimensions) };
}

function* orthonormalMapsSteps(
  kernels: Kernels,
  moments: SecondMoments,
  method: 'frank-wolfe' | 'eigenvector-search',
  target: number,
  seed: number,
): Steps<ProjectionMaps> {
  if (method === 'eigenvector-search') {
    const basis = yield* eigenvectorSearchSteps(kernels, moments, target, seed);
    return { queryBasis: basis, basis };
  }
  const { dimensions: d, data } = moments;
  const random = new Random(seed);
  const { vectors } = yield* leadingEigenSteps(kernels, data, d, target, random);
  return yield* frankWolfeSteps(kernels, moments, vectors.slice(0, target * d));
}

/** p_iᵀ K p_i for the rows p_i of a basis: the variance along each. */
export function* rowVariancesSteps(
  kernels: Kernels,
  basis: Float64Array,
  covariance: Float64Array,
): Steps<Float64Array> {
  const d = Math.sqrt(covariance.length);
  const products = yield* rowProductsSteps(kernels, basis, covariance, d);
  const variances = new Float64Array(basis.length / d);
  for (let at = 0; at < basis.length; at++) {
    variances[Math.floor(at / d)]! += basis[at]! * products[at]!;
  }
  return variances;
}

/** (1 − share) K_Q + share · K_X tr K_Q / tr K_X; the trace of the result is that of K_Q. */
function mixedWithData(
  queries: Float64Array,
  data: Float64Array,
  d: number,
  share: number,
): Float64Array {
  const queryTrace = trace(queries, d);
  if (!(queryTrace > 0)) throw outOfRange('queries', 'not all zero', 'zeros');
  const dataTrace = trace(data, d);
  if (share === 0 || !(dataTrace > 0)) return queries;
  const factor = (share * queryTrace) / dataTrace;
  return queries.map((x, i) => (1 - share) * x + factor * data[i]!);
}

function resolve(options: QueryAwareOptions, d: number, count: number) {
  checkOptions('queryAware', options, OPTIONS);
  const method = checkOneOf('method', options.method ?? 'balanced-sphering', QUERY_AWARE_METHODS);
  const inverts = method === 'sphering' || method === 'balanced-sphering';
  const dataShare = options.dataShare ?? (inverts ? d / (d + 5 * count) : 0);
  if (typeof dataShare !== 'number' || !(dataShare >= 0 && dataShare <= 1)) {
    throw outOfRange('dataShare', 'a number from 0 to 1', dataShare);
  }
  return {
    target: checkInteger('target', options.target, 1, d),
    method,
    distance: parseDistance(options.distance ?? 'Dot'),
    dataShare,
    seed: checkInteger('seed', options.seed ?? 1, 0, 0xffff_ffff),
  };
}
