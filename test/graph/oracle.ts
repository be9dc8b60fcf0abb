import type { Distance } from '../../src/base/distance.js';
import { Random } from '../../src/base/random.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';

/** Gaussian rows, scaled by a falling spectrum so that projections have something to keep. */
export function gaussianRows(count: number, dimensions: number, seed: number, decay = 0.5) {
  const random = new Random(seed);
  const scale = Float64Array.from({ length: dimensions }, (_, j) => (j + 1) ** -decay);
  return Float32Array.from(
    { length: count * dimensions },
    (_, i) => random.gaussian() * scale[i % dimensions]!,
  );
}

/** Row r of a row-major matrix. */
export function rowOf(rows: Float32Array, dimensions: number, r: number): Float32Array {
  return rows.subarray(r * dimensions, (r + 1) * dimensions);
}

/** The score of two vectors in float64, as the public API gives it. */
export function scoreOf(a: Float32Array, b: Float32Array, distance: Distance): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  let squared = 0;
  for (let j = 0; j < a.length; j++) {
    dot += a[j]! * b[j]!;
    aa += a[j]! * a[j]!;
    bb += b[j]! * b[j]!;
    squared += (a[j]! - b[j]!) ** 2;
  }
  if (distance === 'Euclid') return Math.sqrt(squared);
  return distance === 'Dot' ? dot : dot / Math.sqrt(aa * bb);
}

/** The ids of the exact k nearest of each query among rows that have these ids. */
export function nearestIds(
  { ids, rows }: { ids: readonly number[]; rows: Float32Array },
  queries: Float32Array,
  dimensions: number,
  k: number,
  distance: Distance,
): Set<number>[] {
  const truth = exactNeighbours(rows, queries, dimensions, Math.min(k, ids.length), distance);
  return Array.from({ length: queries.length / dimensions }, (_, q) => {
    const places = truth.ids.subarray(q * truth.k, (q + 1) * truth.k);
    return new Set(Array.from(places, (place) => ids[place]!));
  });
}

/** The share of the true neighbours that were found, k' of each query in a row. */
export function recallOf(found: Uint32Array, truth: readonly Set<number>[]): number {
  const k = found.length / truth.length;
  let hits = 0;
  let all = 0;
  truth.forEach((nearest, q) => {
    all += nearest.size;
    for (const id of new Set(found.subarray(q * k, (q + 1) * k))) if (nearest.has(id)) hits++;
  });
  return hits / all;
}
