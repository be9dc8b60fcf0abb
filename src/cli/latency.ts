import type { LeanIndex } from '../graph/lean-index.js';

export interface Latencies {
  queriesPerSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/**
 * Searches every query on its own, at the default settings: a first round lets the engine compile,
 * then the median of `rounds` rounds counts.
 */
export function measureLatencies(
  index: LeanIndex,
  queries: Float32Array,
  k: number,
  rounds = 3,
): { ids: Uint32Array; latencies: Latencies } {
  const count = queries.length / index.dimensions;
  const ids = new Uint32Array(count * k);
  searchEach(index, queries, k, ids);
  const measured = Array.from({ length: rounds }, () => searchEach(index, queries, k, ids));
  measured.sort((a, b) => sum(a) - sum(b));
  const median = measured[rounds >> 1]!;
  const sorted = median.slice().sort();
  return {
    ids,
    latencies: {
      queriesPerSecond: (1000 * count) / sum(median),
      p50Ms: sorted[Math.floor(count * 0.5)]!,
      p99Ms: sorted[Math.floor(count * 0.99)]!,
    },
  };
}

/** The milliseconds that each query took; its neighbours go to `ids`. */
function searchEach(
  index: LeanIndex,
  queries: Float32Array,
  k: number,
  ids: Uint32Array,
): Float64Array {
  const { dimensions } = index;
  const times = new Float64Array(queries.length / dimensions);
  for (let q = 0; q < times.length; q++) {
    const query = queries.subarray(q * dimensions, (q + 1) * dimensions);
    const started = performance.now();
    const found = index.search(query, k);
    times[q] = performance.now() - started;
    ids.set(found.ids, q * k);
  }
  return times;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
