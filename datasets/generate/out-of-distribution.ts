import { checkCommon, checkNumber, type Generated, type GeneratorOptions } from './options.js';
import { makeRows } from './rows.js';
import { spectrumSampler } from './spectrum.js';
import { streams } from './streams.js';

export type OutOfDistributionOptions = GeneratorOptions & {
  /** Decay of the corpus, as in `generateSpectrum`. */
  readonly decay: number;
  /** Decay of the queries; that of the corpus unless given. */
  readonly queryDecay?: number;
  /** Length of the queries' mean vector in [0, 1), .5 unless given; the corpus has mean zero. */
  readonly shift?: number;
};

/**
 * Queries of another distribution than the corpus: a basis of their own, so that the directions in
 * which queries vary are not those in which the corpus varies, another decay and a shifted mean.
 * Ask for more queries and split them to get held-out training queries.
 */
export function generateOutOfDistribution(options: OutOfDistributionOptions): Generated {
  checkCommon(options);
  const { count, queries, dimensions, seed, decay, normalise = false } = options;
  const { queryDecay = decay, shift = 0.5 } = options;
  checkNumber('decay', decay, 0, Infinity);
  checkNumber('queryDecay', queryDecay, 0, Infinity);
  checkNumber('shift', shift, 0, 1);
  const random = streams(seed);
  const document = spectrumSampler(dimensions, decay, 0, random.shape);
  const query = spectrumSampler(dimensions, queryDecay, shift, random.shape);
  return {
    corpus: makeRows(count, dimensions, normalise, (row) => document(row, random.corpus)),
    queries: makeRows(queries, dimensions, normalise, (row) => query(row, random.queries)),
    dimensions,
  };
}
