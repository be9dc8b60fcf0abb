import { checkInteger } from '../../src/base/check.js';
import type { Random } from '../../src/base/random.js';
import { checkCommon, checkNumber, type Generated, type GeneratorOptions } from './options.js';
import { makeRows } from './rows.js';
import { streams } from './streams.js';

export type ClusterOptions = GeneratorOptions & {
  /** How many clusters, each as likely as any other. */
  readonly clusters: number;
  /** Root mean square distance of a row from its centre; centres have a mean square length of 1. */
  readonly spread: number;
};

export type GeneratedClusters = Generated & {
  /** The cluster of each row of the corpus. */
  readonly labels: Uint32Array;
  /** The cluster of each query. */
  readonly queryLabels: Uint32Array;
};

/** Round gaussian clusters around gaussian centres; rows come in random order of clusters. */
export function generateClusters(options: ClusterOptions): GeneratedClusters {
  checkCommon(options);
  const { count, queries, dimensions, seed, clusters, spread, normalise = false } = options;
  checkInteger('clusters', clusters, 1, 2 ** 32 - 1);
  checkNumber('spread', spread, 0, Infinity);
  const random = streams(seed);
  const unit = 1 / Math.sqrt(dimensions);
  const centres = new Float64Array(clusters * dimensions).map(() => unit * random.shape.gaussian());
  const sample = (labels: Uint32Array, rowRandom: Random) =>
    makeRows(labels.length, dimensions, normalise, (row, index) => {
      const label = rowRandom.below(clusters);
      labels[index] = label;
      for (let i = 0; i < dimensions; i++) {
        row[i] = centres[label * dimensions + i] + spread * unit * rowRandom.gaussian();
      }
    });
  const labels = new Uint32Array(count);
  const queryLabels = new Uint32Array(queries);
  return {
    corpus: sample(labels, random.corpus),
    queries: sample(queryLabels, random.queries),
    dimensions,
    labels,
    queryLabels,
  };
}

/**
 * The row numbers sorted by label, rows of one label in their old order: with `reorderRows` it
 * feeds an index cluster by cluster, the order that harms a graph built in sequence the most.
 */
export function clusteredOrder(labels: Uint32Array): Uint32Array {
  const order = new Uint32Array(labels.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  return order.sort((a, b) => labels[a] - labels[b] || a - b);
}
