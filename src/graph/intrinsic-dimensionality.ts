import { checkInteger, checkOptions } from '../base/check.js';
import { type DistanceName, parseDistance } from '../base/distance.js';
import { runSteps } from '../base/steps.js';
import { type LidReport, localIntrinsicDimensionality } from '../eval/lid.js';

export type { LidReport };

export interface IntrinsicDimensionalityOptions {
  dimensions: number;
  /** Default `Cosine`. */
  distance?: DistanceName;
  /** Neighbours that an estimate rests on. Default 100. */
  k?: number;
  /** How many vectors, drawn by the seed, are estimated. Default 256. */
  sample?: number;
  /** Default 1. */
  seed?: number;
  /** Aborts the work. */
  signal?: AbortSignal;
}

const OPTIONS = [
  'dimensions',
  'distance',
  'k',
  'sample',
  'seed',
  'signal',
] as const satisfies readonly (keyof IntrinsicDimensionalityOptions)[];

/**
 * How hard the data are for a graph: the local intrinsic dimensionality of a sample of its vectors
 * (maximum likelihood, src/eval/lid.ts), mean and quantiles. Text embeddings lie between 15 and 40.
 * It takes about sample x n x dimensions nanoseconds, in slices.
 * @throws TypeError, RangeError for wrong options or input; LeandexError `ABORTED`.
 */
export async function intrinsicDimensionality(
  vectors: Float32Array,
  options: IntrinsicDimensionalityOptions,
): Promise<LidReport> {
  checkOptions('intrinsicDimensionality', options, OPTIONS);
  const { k, sample, signal } = options;
  const steps = localIntrinsicDimensionality(vectors, {
    dimensions: checkInteger('dimensions', options.dimensions, 1, 16_384),
    distance: parseDistance(options.distance ?? 'Cosine'),
    seed: checkInteger('seed', options.seed ?? 1, 0, 0xffff_ffff),
    ...(k !== undefined && { k }),
    ...(sample !== undefined && { sample }),
  });
  return runSteps(steps, signal === undefined ? {} : { signal });
}
