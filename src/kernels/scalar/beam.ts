/** Scalar twin of wasm/beam.ts: an oracle for the tests, not exported by the package. */

export interface Ranked {
  ids: number[];
  distances: number[];
}

/** The k nearest of the distances, whose ids are first, first + 1, …; ties go to the lower id. */
export function topK(distances: Float32Array, first: number, k: number): Ranked {
  const order = Array.from(distances.keys()).sort((a, b) => distances[a]! - distances[b]! || a - b);
  const best = order.slice(0, k);
  return { ids: best.map((i) => first + i), distances: best.map((i) => distances[i]!) };
}
