import { checkInteger, checkOneOf, checkRows } from '../base/check.js';
import { wrongDimension } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { unitRows } from './norms.js';

/** Cosine: 1 − cos between vectors; Euclid: the distance. */
export type ClusterMetric = 'Cosine' | 'Euclid';
const METRICS: readonly ClusterMetric[] = ['Cosine', 'Euclid'];

/**
 * The Davies–Bouldin index of labelled rows (IEEE PAMI 1979): the mean over the clusters of the worst
 * (Sᵢ + Sⱼ) / Mᵢⱼ, with S the mean distance of a cluster's rows to its centre and M the distance of two
 * centres. The lower, the better the metric separates the clusters; Infinity where two centres
 * coincide, NaN with fewer than two clusters. Under Cosine a centre is the mean of the unit vectors.
 *
 * @param rows n x dimensions.
 * @param labels n numbers, in any order and with gaps.
 */
export function* daviesBouldin(
  rows: Float32Array,
  dimensions: number,
  labels: ArrayLike<number>,
  metric: ClusterMetric,
): Steps<number> {
  checkInteger('dimensions', dimensions, 1, 65_536);
  checkOneOf('metric', metric, METRICS);
  const count = checkRows('rows', rows, dimensions);
  if (labels.length !== count) throw wrongDimension('labels', count, labels.length);
  const numbers = new Map<number, number>();
  const clusterOf = Uint32Array.from({ length: count }, (_, row) => {
    const known = numbers.get(labels[row]);
    if (known !== undefined) return known;
    numbers.set(labels[row], numbers.size);
    return numbers.size - 1;
  });
  const clusters = numbers.size;
  if (clusters < 2) return Number.NaN;
  const vectors = metric === 'Cosine' ? unitRows(rows, dimensions) : rows;
  yield;
  const sizes = new Float64Array(clusters);
  for (const cluster of clusterOf) sizes[cluster]++;
  const centres = centresOf(vectors, dimensions, clusterOf, sizes, metric);
  yield;
  const spreads = new Float64Array(clusters);
  clusterOf.forEach((cluster, row) => {
    const vector = vectors.subarray(row * dimensions, (row + 1) * dimensions);
    spreads[cluster] += distanceOf(vector, centreAt(cluster), metric) / sizes[cluster];
  });
  let sum = 0;
  for (let a = 0; a < clusters; a++) {
    yield;
    let worst = 0;
    for (let b = 0; b < clusters; b++) {
      if (a === b) continue;
      const between = distanceOf(centreAt(a), centreAt(b), metric);
      const ratio = between === 0 ? Infinity : (spreads[a] + spreads[b]) / between;
      worst = Math.max(worst, ratio);
    }
    sum += worst;
  }
  return sum / clusters;

  function centreAt(cluster: number): Float32Array {
    return centres.subarray(cluster * dimensions, (cluster + 1) * dimensions);
  }
}

/** The mean of each cluster's rows, of length 1 under Cosine. */
function centresOf(
  rows: Float32Array,
  dimensions: number,
  clusterOf: Uint32Array,
  sizes: Float64Array,
  metric: ClusterMetric,
): Float32Array {
  const sums = new Float64Array(sizes.length * dimensions);
  clusterOf.forEach((cluster, row) => {
    for (let i = 0; i < dimensions; i++) {
      sums[cluster * dimensions + i] += rows[row * dimensions + i] / sizes[cluster];
    }
  });
  const means = Float32Array.from(sums);
  return metric === 'Cosine' ? unitRows(means, dimensions) : means;
}

/** Under Cosine both have length 1. */
function distanceOf(a: Float32Array, b: Float32Array, metric: ClusterMetric): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i] - b[i]) ** 2;
  // 1 − cos of unit vectors, without the cancellation of a product near 1.
  return metric === 'Cosine' ? squares / 2 : Math.sqrt(squares);
}
