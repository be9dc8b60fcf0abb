import { describe, expect, test } from 'vitest';
import type { Distance } from '../../src/base/distance.js';
import { Random } from '../../src/base/random.js';
import { drain } from '../../src/base/steps.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import { lidOf, localIntrinsicDimensionality } from '../../src/eval/lid.js';
import { lidOfRows } from '../../src/eval/lid-of-rows.js';
import { errorOf } from '../datasets/support.js';
import { gaussianRows } from '../graph/oracle.js';

const lids = (vectors: Float32Array, dimensions: number, distance: Distance = 'Euclid', seed = 1) =>
  drain(lidOfRows(vectors, { dimensions, distance, seed }));

/** Gaussian clusters, each in a random subspace of its own dimension. */
function unevenClusters(count: number, dimensions: number, intrinsic: number[]): Float32Array {
  const random = new Random(1);
  const gaussians = () => Float64Array.from({ length: dimensions }, () => random.gaussian());
  const clusters = intrinsic.map((size) => ({
    centre: gaussians().map((x) => x / 2),
    axes: Array.from({ length: size }, () => gaussians().map((x) => x / Math.sqrt(size))),
  }));
  const rows = new Float32Array(count * dimensions);
  for (let row = 0; row < count; row++) {
    const { centre, axes } = clusters[random.below(clusters.length)]!;
    const sum = centre.slice();
    for (const axis of axes) {
      const z = random.gaussian();
      for (let i = 0; i < dimensions; i++) sum[i]! += z * axis[i]!;
    }
    rows.set(sum, row * dimensions);
  }
  return rows;
}

/** Spearman's coefficient, without ties. */
function rankCorrelation(a: Float64Array, b: Float64Array): number {
  const ranks = (values: Float64Array) => {
    const order = [...values.keys()].sort((i, j) => values[i]! - values[j]!);
    const rank = new Float64Array(values.length);
    order.forEach((row, place) => {
      rank[row] = place;
    });
    return rank;
  };
  const [p, q] = [ranks(a), ranks(b)];
  const n = a.length;
  const sum = p.reduce((total, rank, i) => total + (rank - q[i]!) ** 2, 0);
  return 1 - (6 * sum) / (n * (n * n - 1));
}

/** The estimates from all exact neighbours. */
function exactLids(vectors: Float32Array, dimensions: number, k: number): Float64Array {
  const truth = exactNeighbours(vectors, vectors, dimensions, k + 1, 'Euclid');
  const count = vectors.length / dimensions;
  return Float64Array.from({ length: count }, (_, row) =>
    lidOf(truth.scores.subarray(row * (k + 1) + 1, (row + 1) * (k + 1))),
  );
}

describe('lidOfRows', () => {
  test('up to 2,048 rows are compared with all others', () => {
    const vectors = gaussianRows(700, 9, 1);
    const expected = exactLids(vectors, 9, 100);
    lids(vectors, 9).forEach((lid, row) => {
      expect(lid / expected[row]!).toBeCloseTo(1, 4);
    });
  });

  test.each<Distance>(['Cosine', 'Dot'])('%s: the mean is that of the report', (distance) => {
    const vectors = gaussianRows(500, 12, 2);
    const options = { dimensions: 12, distance, sample: 500, seed: 1 };
    const { mean } = drain(localIntrinsicDimensionality(vectors, options));
    const sum = lids(vectors, 12, distance).reduce((total, lid) => total + lid, 0);
    expect(sum / 500 / mean).toBeCloseTo(1, 4);
  });

  test('among a sample they rank rows as the exact estimates do', () => {
    const D = 32;
    const intrinsic = [1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 5, 7];
    const vectors = unevenClusters(6000, D, intrinsic);
    const exact = exactLids(vectors, D, 100);
    expect(rankCorrelation(lids(vectors, D), exact)).toBeGreaterThan(0.9);
    const few = unevenClusters(6000, D, [2, 8, 24]);
    expect(rankCorrelation(lids(few, D), exactLids(few, D, 100))).toBeGreaterThan(0.8);
  });

  test('do not depend on where the data lie', () => {
    const vectors = gaussianRows(3000, 8, 3);
    const moved = vectors.map((x) => Math.fround(x + 50) - 50);
    const far = moved.map((x) => x + 50);
    const expected = lids(moved, 8);
    lids(far, 8).forEach((lid, row) => {
      expect(lid / expected[row]!).toBeCloseTo(1, 3);
    });
  });

  test('depend on the seed alone', () => {
    const vectors = gaussianRows(2500, 4, 3);
    expect(lids(vectors, 4, 'Euclid', 5)).toEqual(lids(vectors, 4, 'Euclid', 5));
    expect(lids(vectors, 4, 'Euclid', 5)).not.toEqual(lids(vectors, 4, 'Euclid', 6));
  });

  test('equal vectors are no neighbours, at any length under Cosine', () => {
    const D = 6;
    const vectors = gaussianRows(400, D, 4);
    const twice = Float32Array.of(...vectors, ...vectors.map((x) => x * 3));
    const options = { dimensions: D, seed: 1, k: 40 };
    const half = drain(lidOfRows(vectors, { ...options, distance: 'Cosine', k: 20 }));
    const found = drain(lidOfRows(twice, { ...options, distance: 'Cosine', k: 41 }));
    half.forEach((lid, row) => {
      expect(found[row]! / lid).toBeCloseTo(1, 3);
      expect(found[row + 400]! / lid).toBeCloseTo(1, 3);
    });
    expect([...lids(new Float32Array(30 * D).fill(2), D)]).toEqual(Array(30).fill(Number.NaN));
  });

  test.each([0, 1, 2])('of %i rows are unknown', (count) => {
    expect([...lids(gaussianRows(count, 3, 1), 3)]).toEqual(Array(count).fill(Number.NaN));
  });

  test('yield often', () => {
    let steps = 0;
    const work = lidOfRows(gaussianRows(3000, 16, 1), {
      ...{ dimensions: 16, distance: 'Dot', seed: 1 },
    });
    while (!work.next().done) steps++;
    expect(steps).toBeGreaterThan(50);
  });

  test('refuse numbers that are not finite', () => {
    const error = errorOf(() => lids(Float32Array.of(1, 2, 3, Infinity), 2));
    expect(error.message).toMatch(/vectors at row 1, column 1 must be a finite number/);
  });
});
