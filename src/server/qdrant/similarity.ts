import type { Distance } from '../../base/distance.js';

/** How alike two vectors are: the more, the larger. */
export type Similarity = (a: Float32Array, b: Float32Array) => number;

/**
 * The similarity that queries by examples count with, as Qdrant does: of Euclid minus the squared
 * distance. Sums are float32, as its are; of points with several vectors, given row after row, the sum of the best of each of a's.
 */
export function similarityOf(distance: Distance, size: number, isMulti: boolean): Similarity {
  const ofOne = SIMILARITIES[distance];
  if (!isMulti) return ofOne;
  return (a, b) => {
    let sum = 0;
    for (let i = 0; i < a.length; i += size) {
      const row = a.subarray(i, i + size);
      let best = Number.NEGATIVE_INFINITY;
      for (let j = 0; j < b.length; j += size) {
        best = Math.max(best, ofOne(row, b.subarray(j, j + size)));
      }
      sum += best;
    }
    return sum;
  };
}

const SIMILARITIES: Readonly<Record<Distance, Similarity>> = {
  Dot: dot,
  Cosine: (a, b) => {
    const lengths = Math.sqrt(dot(a, a) * dot(b, b));
    return lengths === 0 ? 0 : dot(a, b) / lengths;
  },
  Euclid: (a, b) => {
    let sum = 0;
    for (let i = 0; i < a.length; i++) {
      const difference = Math.fround(a[i]! - b[i]!);
      sum = Math.fround(sum + Math.fround(difference * difference));
    }
    return -sum;
  },
};

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum = Math.fround(sum + Math.fround(a[i]! * b[i]!));
  return sum;
}

/** A vector of length 1 in the same direction; one of length 0 stays. */
export function normalised(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  return length === 0 ? vector : vector.map((x) => x / length);
}
