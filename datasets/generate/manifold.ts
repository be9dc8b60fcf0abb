import { checkInteger } from '../../src/base/check.js';
import type { Random } from '../../src/base/random.js';
import { checkCommon, checkNumber, type Generated, type GeneratorOptions } from './options.js';
import { makeRows } from './rows.js';
import { streams } from './streams.js';

export type ManifoldOptions = GeneratorOptions & {
  /** Dimension of the manifold, at most `dimensions`. */
  readonly intrinsic: number;
  /** Root mean square length of the noise off the manifold, .01 unless given. */
  readonly noise?: number;
};

/**
 * Rows near a curved manifold: a gaussian latent z of `intrinsic` dimensions, extended by the
 * smooth features sin(z_i + z_{i+1} + phase_i), goes through a random linear map, and a little
 * gaussian noise is added. As z itself is among the features, the map is one to one, so locally
 * the rows have `intrinsic` dimensions.
 */
export function generateManifold(options: ManifoldOptions): Generated {
  checkCommon(options);
  const { count, queries, dimensions, seed, intrinsic, noise = 0.01, normalise = false } = options;
  checkInteger('intrinsic', intrinsic, 1, dimensions);
  checkNumber('noise', noise, 0, Infinity);
  const random = streams(seed);
  const embed = randomEmbedding(intrinsic, dimensions, random.shape);
  const noiseEach = noise / Math.sqrt(dimensions);
  const latent = new Float64Array(intrinsic);
  const sample = (row: Float64Array, rowRandom: Random) => {
    for (let i = 0; i < intrinsic; i++) latent[i] = rowRandom.gaussian();
    embed(latent, row);
    if (noise === 0) return;
    for (let i = 0; i < dimensions; i++) row[i] += noiseEach * rowRandom.gaussian();
  };
  return {
    corpus: makeRows(count, dimensions, normalise, (row) => sample(row, random.corpus)),
    queries: makeRows(queries, dimensions, normalise, (row) => sample(row, random.queries)),
    dimensions,
  };
}

/** The map from latent to row; it adds to a zeroed row. */
function randomEmbedding(
  intrinsic: number,
  dimensions: number,
  random: Random,
): (latent: Float64Array, row: Float64Array) => void {
  const phases = new Float64Array(intrinsic).map(() => 2 * Math.PI * random.uniform());
  // A latent has mean square 1 and a sine 1/2, so the rows get a mean square length of about 1.
  const unit = 1 / Math.sqrt(1.5 * intrinsic * dimensions);
  const map = new Float64Array(2 * intrinsic * dimensions).map(() => unit * random.gaussian());
  return (latent, row) => {
    for (let i = 0; i < intrinsic; i++) {
      const bent = Math.sin(latent[i] + latent[(i + 1) % intrinsic] + phases[i]);
      const straightStart = 2 * i * dimensions;
      const bentStart = straightStart + dimensions;
      for (let j = 0; j < dimensions; j++) {
        row[j] += latent[i] * map[straightStart + j] + bent * map[bentStart + j];
      }
    }
  };
}
