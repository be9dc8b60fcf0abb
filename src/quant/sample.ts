import { Random } from '../base/random.js';
import type { Progress, Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { createMoments, type Moments } from '../linalg/moments.js';

/**
 * Rows that the training reads at the most: eight for each dimension, within these. More change the
 * leading subspace little, and training is what other threads cannot help with.
 */
const SAMPLE_ROWS = { least: 8192, most: 16_384, ofEach: 8 };
const BLOCK_ROWS = 256;

/** A sample of rows, in random order where they are a choice. */
export function sampleRows(vectors: Float32Array, dimensions: number, seed: number): Float32Array {
  const count = vectors.length / dimensions;
  const { least, most, ofEach } = SAMPLE_ROWS;
  const size = Math.min(most, Math.max(least, ofEach * dimensions));
  if (count <= size) return vectors;
  const chosen = new Random(seed).permutation(count).subarray(0, size);
  const sample = new Float32Array(size * dimensions);
  chosen.forEach((row, i) => {
    sample.set(vectors.subarray(row * dimensions, (row + 1) * dimensions), i * dimensions);
  });
  return sample;
}

/** Mean and covariance of checked rows, in slices. */
export function* momentSteps(
  kernels: Kernels,
  rows: Float32Array,
  dimensions: number,
): Steps<Moments> {
  const count = rows.length / dimensions;
  const progress: Progress = { phase: 'train', done: 0, total: Math.ceil(count / BLOCK_ROWS) };
  const moments = createMoments(kernels, dimensions);
  for (let from = 0; from < count; from += BLOCK_ROWS) {
    const size = Math.min(BLOCK_ROWS, count - from);
    yield* moments.addSteps(rows.subarray(from * dimensions, (from + size) * dimensions), size);
    progress.done++;
    yield progress;
  }
  return yield* moments.finishSteps();
}
