/** Scalar twin of wasm/beam.ts: an oracle for the tests, not exported by the package. */

export interface Ranked {
  ids: number[];
  distances: number[];
}

/** An entry of a sorted list: 64 bits in the kernel, its parts here. */
export interface Entry {
  distance: number;
  id: number;
  /** Whether a search has expanded the node: behind an equal entry that it has not. */
  expanded: boolean;
}

/** The k nearest of the distances, whose ids are first, first + 1, …; ties go to the lower id. */
export function topK(distances: Float32Array, first: number, k: number): Ranked {
  const order = Array.from(distances.keys()).sort((a, b) => distances[a]! - distances[b]! || a - b);
  const best = order.slice(0, k);
  return { ids: best.map((i) => first + i), distances: best.map((i) => distances[i]!) };
}

/** The list with one entry more, cut off at its capacity. */
export function offered(list: readonly Entry[], capacity: number, entry: Entry): Entry[] {
  return [...list, entry].sort(compareEntries).slice(0, capacity);
}

/** By distance, then by id. */
export function compareEntries(a: Entry, b: Entry): number {
  return a.distance - b.distance || a.id - b.id || Number(a.expanded) - Number(b.expanded);
}
