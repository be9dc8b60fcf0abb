import { scratchFields } from '../../src/graph/fields.js';
import type { LeanIndex } from '../../src/graph/lean-index.js';
import type { IndexState } from '../../src/graph/state.js';

/**
 * Distances on primary codes that were computed in this thread since the index was made, by counters
 * that the kernels keep in their working memory and no release shows. They have 32 bits.
 */
export function distancesSoFar(index: LeanIndex): number {
  const { shards } = (index as unknown as { state: IndexState }).state;
  let sum = 0;
  for (const { nodes } of shards) {
    const scratch = nodes.takeScratch();
    sum += scratchFields.read(nodes.kernels, scratch.pointer, 'distances');
    nodes.giveBack(scratch);
  }
  return sum;
}
