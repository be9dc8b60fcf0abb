import type { Distance } from '../base/distance.js';
import { outOfRange } from '../base/errors.js';
import { Random } from '../base/random.js';
import type { Steps } from '../base/steps.js';
import { Kernels } from '../kernels/index.js';
import type { Moments } from '../linalg/moments.js';
import { randomOrthogonalSteps } from '../linalg/qr.js';
import { matrixProductSteps } from '../linalg/row-products.js';
import { type PrimaryBits, primaryBytes, primaryCapacity, type SecondaryBits } from './layout.js';
import { type LeanVec, leanVecSteps, momentSteps, sampleRows } from './leanvec.js';
import { type NestedModel, nestedSteps, nestedTarget } from './nested.js';
import {
  choosePrimary,
  PRIMARY_LOSS_MAX,
  type PrimaryChoice,
  type PrimaryWish,
  primaryTargets,
} from './primary-choice.js';
import { queryAwareSteps } from './query-aware.js';
import { WIDE_DIMENSIONS, WIDE_ROWS_MAX, widePcaSteps } from './wide-pca.js';

/** All that encoding and searching need to know of the data an index was trained on. */
export interface IndexModel {
  distance: Distance;
  dimensions: number;
  /** The training mean (of unit vectors for Cosine). */
  mean: Float32Array;
  /** Codes hold (x − mean) / unit: the root mean square coordinate of the training data. */
  unit: number;
  /**
   * primaryDimensions x dimensions (none for 32 bits), rows of length up to 1: LeanVec's basis, rotated at random so
   * that all coordinates have the same variance (algorithms: one step per vector serves them all).
   */
  projection: Float32Array;
  primaryDimensions: number;
  primaryBits: PrimaryBits;
  primaryBytes: number;
  secondaryBits: SecondaryBits;
  /** Given where secondaryBits is 'nested'. */
  nested: NestedModel | undefined;
  /**
   * The map of queries where it is not that of the data: primaryDimensions x dimensions, rows of
   * length up to 1. Its products with `projection` are to be multiplied by queryScale.
   */
  queryProjection: Float32Array | undefined;
  queryScale: number;
  /** Seed of the rotation that vectors get before they are coded. */
  seed: number;
  /** Share of the variance of new vectors that the projection keeps, 0 … 1, estimated. */
  energyKept: number;
}

export interface ModelOptions extends PrimaryWish {
  dimensions: number;
  distance: Distance;
  seed: number;
  secondaryBits: SecondaryBits;
  /** Queries to train for; by default the data themselves. */
  queries?: Float32Array | undefined;
}

/** Trains on checked rows (n x dimensions, n ≥ 1), in slices. */
export function* modelSteps(vectors: Float32Array, options: ModelOptions): Steps<IndexModel> {
  const { dimensions, distance, seed } = options;
  const kernels = new Kernels();
  const sample = sampleRows(vectors, dimensions, seed);
  const rows = distance === 'Cosine' ? yield* unitRows(sample, dimensions) : sample;
  const isWide = dimensions > WIDE_DIMENSIONS && options.queries === undefined;
  const moments = isWide ? undefined : yield* momentSteps(kernels, rows, dimensions);
  const count = moments?.count ?? Math.min(rows.length / dimensions, WIDE_ROWS_MAX);
  let leanVec!: LeanVec;
  let choice!: PrimaryChoice;
  const isNested = options.secondaryBits === 'nested' && options.primaryBits !== 32;
  const targets = isNested ? [nestedTarget(dimensions)] : primaryTargets(dimensions, options);
  for (const target of targets) {
    leanVec =
      moments === undefined
        ? yield* widePcaSteps(kernels, rows, dimensions, target, seed)
        : yield* leanVecSteps(kernels, moments, target, seed);
    choice = choosePrimary(leanVec, count, isNested ? nestedWish(options) : options);
    if (choice.loss <= PRIMARY_LOSS_MAX) break;
  }
  const { bits, used, energyKept } = choice;
  const bytes = primaryBytes(used, bits, distance, options.secondaryBits);
  // Nested records refine 2-bit codes of the data's own principal components; LVQ serves the others.
  const canNest = isNested && bits === 2 && options.queries === undefined;
  const nested = canNest ? yield* nestedSteps(kernels, leanVec, used, bytes, seed) : undefined;
  const lvqBits = options.secondaryBits === 'nested' ? 4 : options.secondaryBits;
  return {
    distance,
    dimensions,
    mean: leanVec.mean,
    unit: chooseUnit(leanVec, distance),
    ...(yield* projections(kernels, leanVec, moments, used, options)),
    primaryDimensions: used,
    primaryBits: bits,
    primaryBytes: bytes,
    secondaryBits: canNest ? 'nested' : lvqBits,
    nested,
    seed,
    energyKept,
  };
}

/** What one is divided by must stay within float32, with room for numbers above the average. */
const UNIT_MIN = 1e-30;

/**
 * Nested records need 2-bit codes, and make up for what these lose; where all dimensions fit into a
 * line with 4 bits, that is better.
 */
function nestedWish(options: ModelOptions): PrimaryWish {
  const isNarrow = options.dimensions <= primaryCapacity(1, 4, options.distance);
  return { ...options, primaryBits: options.primaryBits ?? (isNarrow ? undefined : 2) };
}

/**
 * The root mean square coordinate around the mean, but no less than 2^−10 of that around zero: so
 * binary16, which ends at 65,504 units, leaves room for vectors of ten times the usual length even
 * where the training vectors are all alike. Under cosine coordinates end at 1, and all of them fit.
 */
function chooseUnit(leanVec: LeanVec, distance: Distance): number {
  const { mean, totalVariance, dimensions } = leanVec;
  const squaredMean = mean.reduce((sum, x) => sum + x * x, 0);
  const aroundMean = Math.sqrt(totalVariance / dimensions);
  const aroundZero = Math.sqrt((totalVariance + squaredMean) / dimensions);
  const least = distance === 'Cosine' ? 1 / 30_000 : 0;
  const unit = Math.fround(Math.max(aroundMean, aroundZero / 1024, least));
  if (aroundZero > 0 && unit < UNIT_MIN) {
    throw outOfRange('vectors', `of numbers above ${UNIT_MIN}`, `numbers around ${aroundZero}`);
  }
  return unit || 1;
}

function* unitRows(rows: Float32Array, dimensions: number): Steps<Float32Array> {
  const out = new Float32Array(rows.length);
  for (let first = 0; first < rows.length; first += dimensions) {
    let squares = 0;
    for (let i = first; i < first + dimensions; i++) squares += rows[i]! * rows[i]!;
    const inverse = 1 / Math.sqrt(squares);
    for (let i = first; i < first + dimensions; i++) out[i] = rows[i]! * inverse;
    if (first % (256 * dimensions) === 0) yield;
  }
  return out;
}

/**
 * The maps of data and queries: principal components for both, or where queries are known balanced
 * sphering (query-aware.ts), which at few bits finds more than the other query-aware maps.
 */
function* projections(
  kernels: Kernels,
  leanVec: LeanVec,
  moments: Moments | undefined,
  used: number,
  { dimensions, distance, seed, queries, primaryBits }: ModelOptions,
): Steps<Pick<IndexModel, 'projection' | 'queryProjection' | 'queryScale'>> {
  if (primaryBits === 32) {
    return { projection: new Float32Array(0), queryProjection: undefined, queryScale: 1 };
  }
  const rotation = yield* randomOrthogonalSteps(used, new Random(seed));
  if (queries === undefined || moments === undefined) {
    const projection = yield* rotated(kernels, rotation, used, leanVec.basis, dimensions);
    return { projection, queryProjection: undefined, queryScale: 1 };
  }
  const sample = sampleRows(queries, dimensions, seed);
  const rows = distance === 'Cosine' ? yield* unitRows(sample, dimensions) : sample;
  const queryMoments = yield* momentSteps(kernels, rows, dimensions);
  const options = { target: used, distance, seed };
  const maps = yield* queryAwareSteps(kernels, moments, queryMoments, options);
  const projection = yield* rotated(kernels, rotation, used, maps.basis, dimensions);
  const queryProjection = yield* rotated(kernels, rotation, used, maps.queryBasis, dimensions);
  const queryScale = shortenRows(projection, dimensions) * shortenRows(queryProjection, dimensions);
  return { projection, queryProjection, queryScale };
}

/** Divides all rows by the length of the longest, which it returns. */
function shortenRows(rows: Float32Array, dimensions: number): number {
  let longest = 0;
  for (let first = 0; first < rows.length; first += dimensions) {
    let squares = 0;
    for (let i = first; i < first + dimensions; i++) squares += rows[i]! * rows[i]!;
    longest = Math.max(longest, squares);
  }
  const length = Math.sqrt(longest) || 1;
  for (let i = 0; i < rows.length; i++) rows[i]! /= length;
  return length;
}

/** R · P: a rotation of the first `used` rows of a basis of d columns. */
function* rotated(
  kernels: Kernels,
  rotation: Float64Array,
  used: number,
  basis: Float32Array | Float64Array,
  d: number,
): Steps<Float32Array> {
  const rows = Float64Array.from(basis.subarray(0, used * d));
  return Float32Array.from(yield* matrixProductSteps(kernels, rotation, rows, used));
}
