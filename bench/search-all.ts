import { NO_ID } from '../src/eval/metrics.js';
import type { LeanIndex, SearchOptions } from '../src/index.js';

/** The ids that each of the queries finds, m x k, padded with NO_ID: one query a call, in this thread. */
export function searchAll(
  index: LeanIndex,
  queries: Float32Array,
  k: number,
  options: SearchOptions,
): Uint32Array {
  const { dimensions } = index;
  const count = queries.length / dimensions;
  const ids = new Uint32Array(count * k).fill(NO_ID);
  for (let i = 0; i < count; i++) {
    const query = queries.subarray(i * dimensions, (i + 1) * dimensions);
    ids.set(index.search(query, k, options).ids, i * k);
  }
  return ids;
}
