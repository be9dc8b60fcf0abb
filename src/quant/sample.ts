import { Random } from '../base/random.js';
import type { Progress, Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { createMoments, type Moments } from '../linalg/moments.js';

/** Rows that the training reads at the most; more change the leading subspace little. */
const SAMPLE_ROWS_MAX = 16_384;
const BLOCK_ROWS = 256;

/** At most SAMPLE_ROWS_MAX rows, in random order where they are a choice. */
export function sampleRows(vectors: Float32Array, dimensions: number, seed: number): Float32Array {
  const count = vectors.length / dimensions;
  if (count <= SAMPLE_ROWS_MAX) return vectors;
  const chosen = new Random(seed).permutation(count).subarray(0, SAMPLE_ROWS_MAX);
  const sample = new Float32Array(SAMPLE_ROWS_MAX * dimensions);
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
