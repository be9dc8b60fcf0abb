import type { Distance } from '../base/distance.js';
import type { Steps } from '../base/steps.js';
import { exactNeighbours } from './ground-truth.js';

/** Shares of the k nearest that two distances have in common, 0 … 1, means over the queries. */
export interface MetricAgreement {
  cosineDot: number;
  cosineEuclid: number;
  dotEuclid: number;
}

/** Queries compared between two yields. */
const QUERIES_PER_STEP = 4;

/**
 * How far it matters which distance is used: 1 each for rows of one length.
 * @param rows n x dimensions, n ≥ k.
 * @param queries m x dimensions, m ≥ 1.
 */
export function* metricAgreement(
  rows: Float32Array,
  queries: Float32Array,
  dimensions: number,
  k: number,
): Steps<MetricAgreement> {
  const count = queries.length / dimensions;
  const shared = { cosineDot: 0, cosineEuclid: 0, dotEuclid: 0 };
  for (let from = 0; from < count; from += QUERIES_PER_STEP) {
    const part = queries.subarray(from * dimensions, (from + QUERIES_PER_STEP) * dimensions);
    const nearest = (distance: Distance) =>
      exactNeighbours(rows, part, dimensions, k, distance).ids;
    const cosine = nearest('Cosine');
    yield;
    const dot = nearest('Dot');
    yield;
    const euclid = nearest('Euclid');
    yield;
    shared.cosineDot += common(cosine, dot, k);
    shared.cosineEuclid += common(cosine, euclid, k);
    shared.dotEuclid += common(dot, euclid, k);
  }
  const share = (sum: number) => sum / (count * k);
  return {
    cosineDot: share(shared.cosineDot),
    cosineEuclid: share(shared.cosineEuclid),
    dotEuclid: share(shared.dotEuclid),
  };
}

/** Ids that both have in the same row of k. */
function common(a: Uint32Array, b: Uint32Array, k: number): number {
  let sum = 0;
  for (let from = 0; from < a.length; from += k) {
    const others = new Set(b.subarray(from, from + k));
    for (const id of a.subarray(from, from + k)) if (others.has(id)) sum++;
  }
  return sum;
}
