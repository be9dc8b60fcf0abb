import { mix32, Random } from '../../src/base/random.js';

/**
 * Separate random streams of one seed. With one each for the distribution, the corpus and the
 * queries, another number of rows changes none of the other rows.
 */
export function streams(seed: number): { shape: Random; corpus: Random; queries: Random } {
  const stream = (purpose: number) => new Random(mix32(mix32(seed) + purpose));
  return { shape: stream(1), corpus: stream(2), queries: stream(3) };
}
