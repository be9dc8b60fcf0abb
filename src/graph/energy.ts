import { outOfRange } from '../base/errors.js';
import { drain } from '../base/steps.js';
import { paddedDimensions } from '../kernels/index.js';
import type { NodeMemory } from './memory.js';
import { checkRowValues } from './rows.js';
import { QUERY_ROWS } from './scratch.js';

/**
 * The mean share of the energy of rows, 0 … 1, that the projection of a graph misses.
 * @throws RangeError for no rows, NaN, infinity, or a zero vector under cosine.
 */
export function energyMissed(nodes: NodeMemory, vectors: Float32Array): number {
  const { kernels, layout } = nodes;
  const { dimensions } = layout;
  const count = vectors.length / dimensions;
  if (count === 0) throw outOfRange('vectors', 'at least one row', vectors);
  // However far from the training data they are.
  drain(checkRowValues(vectors, { ...layout, model: undefined }));
  const stride = paddedDimensions(dimensions);
  const scratch = nodes.takeScratch();
  let sum = 0;
  for (let from = 0; from < count; from += QUERY_ROWS) {
    const size = Math.min(QUERY_ROWS, count - from);
    for (let r = 0; r < size; r++) {
      const row = vectors.subarray((from + r) * dimensions, (from + r + 1) * dimensions);
      kernels.floats.set(row, scratch.rows / 4 + r * stride);
    }
    const { pointer, rows, projected } = scratch;
    sum += kernels.call.missedEnergy(nodes.index, pointer, rows, size, projected);
  }
  nodes.giveBack(scratch);
  return sum / count;
}
