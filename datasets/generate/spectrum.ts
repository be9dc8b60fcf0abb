import type { Random } from '../../src/base/random.js';
import { checkCommon, checkNumber, type Generated, type GeneratorOptions } from './options.js';
import { randomRotation } from './rotation.js';
import { makeRows, norm, scale } from './rows.js';
import { streams } from './streams.js';

export type SpectrumOptions = GeneratorOptions & {
  /** The i-th variance, from 1 on, is proportional to i^-decay; 0 is white noise. */
  readonly decay: number;
  /** Length of the mean vector in [0, 1), 0 unless given; text embeddings have .3 to .8. */
  readonly meanNorm?: number;
};

/** Fills a row with one sample, its random numbers drawn from the stream. */
export type Sampler = (row: Float64Array, random: Random) => void;

/**
 * Gaussian rows whose covariance has a power-law spectrum in a random orthonormal basis, around a
 * mean of length `meanNorm`; the mean square length is 1. Queries have the same distribution.
 */
export function generateSpectrum(options: SpectrumOptions): Generated {
  checkCommon(options);
  const { count, queries, dimensions, seed, decay, meanNorm = 0, normalise = false } = options;
  checkNumber('decay', decay, 0, Infinity);
  checkNumber('meanNorm', meanNorm, 0, 1);
  const random = streams(seed);
  const sample = spectrumSampler(dimensions, decay, meanNorm, random.shape);
  return {
    corpus: makeRows(count, dimensions, normalise, (row) => sample(row, random.corpus)),
    queries: makeRows(queries, dimensions, normalise, (row) => sample(row, random.queries)),
    dimensions,
  };
}

/** The distribution of `generateSpectrum`; basis and direction of the mean come from `shape`. */
export function spectrumSampler(
  dimensions: number,
  decay: number,
  meanNorm: number,
  shape: Random,
): Sampler {
  const deviations = powerLawDeviations(dimensions, decay, 1 - meanNorm * meanNorm);
  const rotate = randomRotation(dimensions, shape);
  const mean = new Float64Array(dimensions).map(() => shape.gaussian());
  scale(mean, meanNorm / norm(mean));
  return (row, random) => {
    for (let i = 0; i < dimensions; i++) row[i] = deviations[i] * random.gaussian();
    rotate(row);
    for (let i = 0; i < dimensions; i++) row[i] += mean[i];
  };
}

/** Standard deviations whose squares follow i^-decay and add up to `total`. */
function powerLawDeviations(dimensions: number, decay: number, total: number): Float64Array {
  const deviations = new Float64Array(dimensions);
  for (let i = 0; i < dimensions; i++) deviations[i] = (i + 1) ** (-decay / 2);
  scale(deviations, Math.sqrt(total) / norm(deviations));
  return deviations;
}
