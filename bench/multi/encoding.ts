import { generateTopics } from '../../datasets/generate/topics.js';
import { FdeEncoder } from '../../src/fde/encoder.js';
import { type FdeDimensions, resolveMulti } from '../../src/fde/multi-options.js';
import { median } from '../statistics.js';
import { SIZES } from './candidates.js';

const DOCUMENTS = 1000;
const TOKENS = 60;
const DIMENSIONS = 128;
const ROUNDS = 5;

export interface EncodingFigures {
  fdeDimensions: FdeDimensions;
  /** Of 60 x 128 tokens, one thread. */
  documentsPerSecond: number;
}

/** Speed of encoding documents of 60 x 128 tokens on one thread. */
export function measureEncoding(): EncodingFigures[] {
  const { corpus } = generateTopics({
    count: 4 * DOCUMENTS,
    queries: 1,
    dimensions: DIMENSIONS,
    seed: 1,
  });
  const tokens = corpus.tokens.subarray(0, DOCUMENTS * TOKENS * DIMENSIONS);
  const offsets = Uint32Array.from({ length: DOCUMENTS + 1 }, (_, i) => i * TOKENS);
  return SIZES.map((fdeDimensions) => {
    const encoder = new FdeEncoder(resolveMulti({ dimensions: DIMENSIONS, fdeDimensions }).fde);
    encoder.encodeDocuments(tokens, offsets);
    const seconds = Array.from({ length: ROUNDS }, () => {
      const start = performance.now();
      encoder.encodeDocuments(tokens, offsets);
      return (performance.now() - start) / 1000;
    });
    return { fdeDimensions, documentsPerSecond: DOCUMENTS / median(seconds) };
  });
}
