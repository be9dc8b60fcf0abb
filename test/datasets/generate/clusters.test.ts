import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusteredOrder, generateClusters, reorderRows } from '../../../datasets/generate.js';

describe('generateClusters', () => {
  const dimensions = 32;
  const options = { count: 8000, queries: 400, dimensions, clusters: 10, seed: 2 };

  test('rows lie `spread` away from the mean of their label', () => {
    for (const spread of [0.05, 0.5]) {
      const { corpus, labels } = generateClusters({ ...options, spread });
      const sizes = new Float64Array(10);
      for (const label of labels) sizes[label] += 1;
      expect(Math.min(...sizes)).toBeGreaterThan(650);
      const means = new Float64Array(10 * dimensions);
      for (let i = 0; i < corpus.length; i++) {
        const label = labels[Math.floor(i / dimensions)];
        means[label * dimensions + (i % dimensions)] += corpus[i] / sizes[label];
      }
      let squares = 0;
      for (let i = 0; i < corpus.length; i++) {
        const label = labels[Math.floor(i / dimensions)];
        squares += (corpus[i] - means[label * dimensions + (i % dimensions)]) ** 2;
      }
      expect(Math.sqrt(squares / options.count) / spread).toBeCloseTo(1, 1);
      const centre = means.reduce((sum, value) => sum + value * value, 0) / 10;
      expect(centre).toBeGreaterThan(0.6);
      expect(centre).toBeLessThan(1.5);
    }
  });

  test('without spread a row is its centre, for queries the same centre', () => {
    const { corpus, queries, labels, queryLabels } = generateClusters({ ...options, spread: 0 });
    expect(queryLabels.length).toBe(400);
    const row = labels.indexOf(queryLabels[0]);
    expect(corpus.subarray(row * dimensions, (row + 1) * dimensions)).toEqual(
      queries.subarray(0, dimensions),
    );
  });

  test('in clustered order the rows come cluster by cluster', () => {
    const { corpus, labels } = generateClusters({ ...options, spread: 0 });
    const order = clusteredOrder(labels);
    const sorted = reorderRows(corpus, dimensions, order);
    let changes = 0;
    for (let row = 1; row < options.count; row++) {
      if (sorted[row * dimensions] !== sorted[(row - 1) * dimensions]) changes += 1;
    }
    expect(changes).toBe(9);
  });
});

describe('clusteredOrder', () => {
  test('golden order, stable', () => {
    expect([...clusteredOrder(Uint32Array.of(2, 0, 1, 0, 2))]).toEqual([1, 3, 2, 0, 4]);
  });

  test('is a permutation that sorts the labels', () => {
    fc.assert(
      fc.property(fc.uint32Array({ max: 5, maxLength: 50 }), (labels) => {
        const order = clusteredOrder(labels);
        expect([...order].sort((a, b) => a - b)).toEqual([...labels.keys()]);
        expect([...order].map((row) => labels[row])).toEqual([...labels].sort((a, b) => a - b));
      }),
    );
  });
});
