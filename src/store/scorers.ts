import type { Distance } from '../base/distance.js';

/** The exact score of what a point has, with sums in float64. */
export type Scorer = (vectors: Float32Array) => number;

/** Of one vector against the query. */
export function vectorScorer(distance: Distance, query: Float32Array): Scorer {
  if (distance === 'Dot') return (vector) => dot(query, vector);
  if (distance === 'Euclid') return (vector) => Math.sqrt(squaredDistance(query, vector));
  const length = Math.sqrt(dot(query, query));
  return (vector) => {
    const lengths = length * Math.sqrt(dot(vector, vector));
    // A vector of zeros has no direction: it is like nothing.
    return lengths === 0 ? 0 : dot(query, vector) / lengths;
  };
}

/**
 * MaxSim of vectors of `size` numbers, one behind the other: the sum over those of the query of the
 * largest similarity with one of the point's.
 * @param distance Cosine or Dot
 */
export function maxSimScorer(distance: Distance, query: Float32Array, size: number): Scorer {
  const measured = (rows: Float32Array) =>
    vectorsOf(rows, size).map((vector) => ({
      vector,
      length: distance === 'Cosine' ? Math.sqrt(dot(vector, vector)) : 1,
    }));
  const queries = measured(query);
  return (vectors) => {
    const candidates = measured(vectors);
    let sum = 0;
    for (const one of queries) {
      let best = Number.NEGATIVE_INFINITY;
      for (const { vector, length } of candidates) {
        const lengths = one.length * length;
        best = Math.max(best, lengths === 0 ? 0 : dot(one.vector, vector) / lengths);
      }
      sum += best;
    }
    return sum;
  };
}

function vectorsOf(rows: Float32Array, size: number): Float32Array[] {
  return Array.from({ length: rows.length / size }, (_, i) =>
    rows.subarray(i * size, (i + 1) * size),
  );
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!;
    sum += difference * difference;
  }
  return sum;
}
