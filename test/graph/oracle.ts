import type { Distance } from '../../src/base/distance.js';
import { Random } from '../../src/base/random.js';

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
