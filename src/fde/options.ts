import { checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';

/**
 * How a cell's vector is made shorter: `dense`, a matrix of ±1; `count-sketch`, each number added to
 * or subtracted from one place at random; `identity`, not at all.
 */
export type InnerProjection = 'dense' | 'count-sketch' | 'identity';
const INNER_PROJECTIONS: readonly InnerProjection[] = ['dense', 'count-sketch', 'identity'];

/**
 * What a document's empty cells get: `centroid`, that of the nearest cell with tokens; `token`, the
 * token whose sides of the hyperplanes differ least, as in MUVERA; `none`, zero.
 */
export type CellFill = 'none' | 'token' | 'centroid';
/** In the order of their numbers in wasm/fde.ts. */
export const CELL_FILLS: readonly CellFill[] = ['none', 'token', 'centroid'];

/** The shape of an encoding; all but `dimensions` have defaults. */
export interface FdeOptions {
  /** Numbers in a token, 1 … 4096. */
  dimensions: number;
  /** Hyperplanes a repetition (k_sim), 0 … 10: 2^partitionBits cells. Default 2. */
  partitionBits?: number;
  /** Independent partitions (R_reps), 1 … 1024. Default 20. */
  repetitions?: number;
  /** Default `dense`, and `identity` where it would not make tokens shorter. */
  projection?: InnerProjection;
  /** Numbers of a cell (d_proj), 1 … dimensions. Default 16, at most `dimensions`. */
  projectedDimensions?: number;
  /** Numbers of an encoding after a last count-sketch of the whole. Default: none, the whole. */
  finalDimensions?: number;
  /**
   * A document's centroids are divided by their length to this power, 0 … 1: 0 for plain means, as in
   * MUVERA, whose upper bound holds only then; 1 gives them unit length, so that varied cells count as
   * much as uniform ones. Default 1.
   */
  centroidExponent?: number;
  /** Default `none`, which finds most on real tokens (docs/multi-vector.md). */
  fill?: CellFill;
  /** Of all that is random. Default 1. */
  seed?: number;
}

/** Everything that an encoding depends on: what is saved of an encoder. */
export interface ResolvedFde extends Required<Omit<FdeOptions, 'finalDimensions'>> {
  finalDimensions: number | undefined;
}

export const FDE_OPTIONS = [
  'dimensions',
  'partitionBits',
  'repetitions',
  'projection',
  'projectedDimensions',
  'finalDimensions',
  'centroidExponent',
  'fill',
  'seed',
] as const satisfies readonly (keyof FdeOptions)[];

const TOKEN_DIMENSIONS_MAX = 4096;
const PARTITION_BITS_MAX = 10;
const PROJECTED_DIMENSIONS = 16;
/** An encoding must fit in an index of vectors, and the whole in memory. */
const FINAL_DIMENSIONS_MAX = 16_384;
const WHOLE_DIMENSIONS_MAX = 1 << 22;

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for unknown or wrong options. */
export function resolveFde(options: FdeOptions): ResolvedFde {
  checkOptions('FdeEncoder', options, FDE_OPTIONS);
  const dimensions = checkInteger('dimensions', options.dimensions, 1, TOKEN_DIMENSIONS_MAX);
  const most = Math.min(dimensions, PROJECTED_DIMENSIONS);
  const wished =
    options.projectedDimensions ?? (options.projection === 'identity' ? dimensions : most);
  const projectedDimensions = checkInteger('projectedDimensions', wished, 1, dimensions);
  const isWhole = projectedDimensions === dimensions;
  const projection = checkOneOf(
    'projection',
    options.projection ?? (isWhole ? 'identity' : 'dense'),
    INNER_PROJECTIONS,
  );
  if (projection === 'identity' && !isWhole) {
    throw outOfRange('projectedDimensions', `${dimensions} with identity`, projectedDimensions);
  }
  const { finalDimensions } = options;
  const resolved: ResolvedFde = {
    dimensions,
    partitionBits: checkInteger('partitionBits', options.partitionBits ?? 2, 0, PARTITION_BITS_MAX),
    repetitions: checkInteger('repetitions', options.repetitions ?? 20, 1, 1024),
    projection,
    projectedDimensions,
    finalDimensions,
    centroidExponent: checkExponent(options.centroidExponent ?? 1),
    fill: checkOneOf('fill', options.fill ?? 'none', CELL_FILLS),
    seed: checkInteger('seed', options.seed ?? 1, 0, 0xffff_ffff),
  };
  const whole = checkInteger(
    'numbers of an encoding',
    wholeDimensions(resolved),
    1,
    WHOLE_DIMENSIONS_MAX,
  );
  if (finalDimensions !== undefined) checkInteger('finalDimensions', finalDimensions, 1, whole);
  const total = finalDimensions ?? whole;
  if (total > FINAL_DIMENSIONS_MAX) {
    throw outOfRange(
      'numbers of an encoding',
      `at most ${FINAL_DIMENSIONS_MAX}: set finalDimensions`,
      total,
    );
  }
  return resolved;
}

function checkExponent(value: unknown): number {
  if (typeof value !== 'number') throw wrongType('centroidExponent', 'a number', value);
  if (!(value >= 0 && value <= 1)) throw outOfRange('centroidExponent', 'from 0 to 1', value);
  return Math.fround(value);
}

/** Numbers of an encoding before the final projection. */
export function wholeDimensions(options: ResolvedFde): number {
  const { partitionBits, repetitions, projectedDimensions } = options;
  return repetitions * 2 ** partitionBits * projectedDimensions;
}

/** Numbers of an encoding. */
export function encodedDimensions(options: ResolvedFde): number {
  return options.finalDimensions ?? wholeDimensions(options);
}
