import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomRotation } from '../../datasets/generate/rotation.js';
import { generateClusters } from '../../datasets/generate.js';
import { Random } from '../../src/base/random.js';
import { drain } from '../../src/base/steps.js';
import { type ClusterMetric, daviesBouldin as steps } from '../../src/eval/davies-bouldin.js';
import { errorOf } from '../datasets/support.js';

const daviesBouldin = (...of: Parameters<typeof steps>) => drain(steps(...of));

const METRICS: ClusterMetric[] = ['Cosine', 'Euclid'];

/** From the definition, on plain arrays. */
function oracle(rows: number[][], labels: number[], metric: ClusterMetric): number {
  const length = (v: number[]) => Math.hypot(...v);
  const unit = (v: number[]) => v.map((x) => x / length(v));
  const distance = (a: number[], b: number[]) =>
    metric === 'Euclid'
      ? length(a.map((x, i) => x - b[i]))
      : 1 - a.reduce((sum, x, i) => sum + x * b[i], 0) / (length(a) * length(b));
  const clusters = [...new Set(labels)].map((label) => {
    const members = rows.filter((_, i) => labels[i] === label);
    const averaged = metric === 'Cosine' ? members.map(unit) : members;
    const centre = averaged[0].map(
      (_, i) => averaged.reduce((s, v) => s + v[i], 0) / members.length,
    );
    const spread = members.reduce((s, v) => s + distance(v, centre), 0) / members.length;
    return { centre, spread };
  });
  const worst = clusters.map((a) =>
    Math.max(
      ...clusters
        .filter((b) => b !== a)
        .map((b) => (a.spread + b.spread) / distance(a.centre, b.centre)),
    ),
  );
  return worst.reduce((sum, x) => sum + x, 0) / worst.length;
}

const toRows = (rows: Float32Array, d: number) =>
  Array.from({ length: rows.length / d }, (_, i) => [...rows.subarray(i * d, (i + 1) * d)]);

const clusters = (spread: number) =>
  generateClusters({ count: 120, queries: 0, dimensions: 6, seed: 3, clusters: 5, spread });

describe('daviesBouldin', () => {
  test('golden: two clusters on a line', () => {
    // Centres 1 and 11, spreads 1 and 1: (1 + 1) / 10 for both.
    expect(daviesBouldin(Float32Array.of(0, 2, 10, 12), 1, [7, 7, -1, -1], 'Euclid')).toBeCloseTo(
      0.2,
    );
  });

  test.each(METRICS)('is the definition under %s', (metric) => {
    const { corpus, labels, dimensions } = clusters(0.7);
    const expected = oracle(toRows(corpus, dimensions), [...labels], metric);
    expect(daviesBouldin(corpus, dimensions, labels, metric)).toBeCloseTo(expected, 4);
  });

  test.each(METRICS)('goes to 0 with the spread of the clusters under %s', (metric) => {
    const of = (spread: number) => {
      const { corpus, labels, dimensions } = clusters(spread);
      return daviesBouldin(corpus, dimensions, labels, metric);
    };
    expect(of(0.3)).toBeLessThan(of(1));
    expect(of(1e-3)).toBeLessThan(0.01);
    expect(of(0)).toBeLessThan(1e-5);
  });

  test('does not depend on the names of the labels', () => {
    const { corpus, labels, dimensions } = clusters(0.5);
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer(), { minLength: 5, maxLength: 5 }), (names) => {
        for (const metric of METRICS) {
          const renamed = Array.from(labels, (label) => names[label]);
          const expected = daviesBouldin(corpus, dimensions, labels, metric);
          expect(daviesBouldin(corpus, dimensions, renamed, metric)).toBeCloseTo(expected, 10);
        }
      }),
      { seed: 2, numRuns: 20 },
    );
  });

  test('Euclid: the same after rotating, moving and scaling; Cosine: after scaling each row', () => {
    const { corpus, labels, dimensions } = clusters(0.5);
    const rotation = randomRotation(dimensions, new Random(5));
    const moved = corpus.slice();
    for (let from = 0; from < corpus.length; from += dimensions) {
      const row = Float64Array.from(corpus.subarray(from, from + dimensions));
      rotation(row);
      moved.set(
        row.map((x) => 3 * x + 2),
        from,
      );
    }
    const euclid = daviesBouldin(corpus, dimensions, labels, 'Euclid');
    expect(daviesBouldin(moved, dimensions, labels, 'Euclid')).toBeCloseTo(euclid, 4);
    const stretched = corpus.map((x, i) => x * (1 + (Math.floor(i / dimensions) % 7)));
    const cosine = daviesBouldin(corpus, dimensions, labels, 'Cosine');
    expect(daviesBouldin(stretched, dimensions, labels, 'Cosine')).toBeCloseTo(cosine, 4);
  });

  test('says nothing of one cluster, and Infinity of two with one centre', () => {
    expect(daviesBouldin(Float32Array.of(1, 2), 1, [4, 4], 'Euclid')).toBeNaN();
    expect(daviesBouldin(new Float32Array(), 1, [], 'Euclid')).toBeNaN();
    expect(daviesBouldin(Float32Array.of(1, -1, 2, -2), 1, [0, 0, 1, 1], 'Euclid')).toBe(Infinity);
  });

  test('names what is wrong', () => {
    const wrong = errorOf(() => daviesBouldin(new Float32Array(4), 2, [1], 'Euclid'));
    expect(wrong).toMatchObject({ code: 'DIMENSION_MISMATCH' });
    const metric = errorOf(() => daviesBouldin(new Float32Array(4), 2, [1, 2], 'Dot' as 'Euclid'));
    expect(metric).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
