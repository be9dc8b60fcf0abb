import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomRotation } from '../../datasets/generate/rotation.js';
import type { Distance } from '../../src/base/distance.js';
import { Random } from '../../src/base/random.js';
import { drain } from '../../src/base/steps.js';
import {
  type LidOptions,
  lidOf,
  localIntrinsicDimensionality,
  orderByLid,
} from '../../src/eval/lid.js';
import { errorOf } from '../datasets/support.js';
import { gaussianRows } from '../graph/oracle.js';

const report = (vectors: Float32Array, options: LidOptions) =>
  drain(localIntrinsicDimensionality(vectors, options));

function uniformCube(count: number, dimensions: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count * dimensions }, () => random.uniform());
}

/** The estimate from its definition, of all neighbours of a row by sorting all distances. */
function oracle(vectors: Float32Array, dimensions: number, row: number, k: number): number {
  const distances: number[] = [];
  for (let other = 0; other < vectors.length / dimensions; other++) {
    if (other === row) continue;
    let sum = 0;
    for (let i = 0; i < dimensions; i++) {
      sum += (vectors[row * dimensions + i]! - vectors[other * dimensions + i]!) ** 2;
    }
    distances.push(Math.sqrt(sum));
  }
  const nearest = distances.sort((a, b) => a - b).slice(0, k);
  const logs = nearest.filter((r) => r > 0).map((r) => Math.log(r / nearest.at(-1)!));
  return -1 / (logs.reduce((sum, x) => sum + x, 0) / logs.length);
}

describe('lidOf', () => {
  test('golden: the sum is divided by k', () => {
    expect(lidOf([0.5, 1, 1.5, 2, 2.5])).toBeCloseTo(1.533885, 6);
    // Divided by k − 1 it would be 1.227108.
    expect((lidOf([0.5, 1, 1.5, 2, 2.5]) * 4) / 5).toBeCloseTo(1.227108, 6);
  });

  test('drops distances of 0, and what rounding makes of them', () => {
    expect(lidOf([0, 0, 0.5, 1, 1.5, 2, 2.5])).toBeCloseTo(1.533885, 6);
    expect(lidOf([0, 1e-8, 0.5, 1, 1.5, 2, 2.5])).toBeCloseTo(1.533885, 6);
    expect(lidOf([1e-3, 1])).toBeCloseTo(-2 / Math.log(1e-3), 12);
  });

  test.each([[[]], [[0]], [[3]], [[0, 0]], [[0, 2]], [[2, 2, 2]]])('of %j says nothing', (none) => {
    expect(lidOf(none)).toBeNaN();
  });

  test('is the definition, whatever the scale', () => {
    const distance = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
    const factor = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
    const many = fc.array(distance, { minLength: 2, maxLength: 200 });
    fc.assert(
      fc.property(many, factor, (unsorted, scale) => {
        const sorted = unsorted.sort((a, b) => a - b);
        fc.pre(sorted[0]! < sorted.at(-1)! * (1 - 1e-6) && sorted[0]! > sorted.at(-1)! * 2e-6);
        const sum = sorted.reduce((total, r) => total + Math.log(r / sorted.at(-1)!), 0);
        const expected = -sorted.length / sum;
        expect(lidOf(sorted) / expected).toBeCloseTo(1, 8);
        expect(lidOf(sorted.map((r) => r * scale)) / expected).toBeCloseTo(1, 8);
      }),
    );
  });
});

describe('localIntrinsicDimensionality', () => {
  // The estimator is biased low where the dimension is high (checks of the project, 3.9).
  test.each([
    [2, 2.0],
    [4, 3.77],
    [8, 7.15],
    [16, 12.3],
  ])('uniform cube of %i dimensions: about %f', (dimensions, expected) => {
    const vectors = uniformCube(20_000, dimensions, dimensions);
    const options = { dimensions, distance: 'Euclid', sample: 600, seed: 1 } as const;
    const { mean, quantiles, estimated, k } = report(vectors, options);
    expect(Math.abs(mean / expected - 1)).toBeLessThan(0.05);
    expect([estimated, k]).toEqual([600, 100]);
    const { p5, p25, p50, p75, p95 } = quantiles;
    expect([p95, p50, p25, p75, p5].sort((a, b) => a - b)).toEqual([p5, p25, p50, p75, p95]);
    expect(Math.abs(p50 / expected - 1)).toBeLessThan(0.07);
  });

  test('is the mean over the exact neighbours of all vectors', () => {
    const D = 5;
    const vectors = gaussianRows(400, D, 2);
    const expected = Array.from({ length: 400 }, (_, row) => oracle(vectors, D, row, 30));
    const found = report(vectors, { dimensions: D, distance: 'Euclid', k: 30, seed: 1 });
    expect(found.estimated).toBe(256);
    const all = report(vectors, {
      ...{ dimensions: D, distance: 'Euclid', k: 30, sample: 400, seed: 1 },
    });
    expect(all.mean).toBeCloseTo(expected.reduce((a, b) => a + b) / 400, 8);
    const sorted = expected.sort((a, b) => a - b);
    expect(all.quantiles.p50).toBeCloseTo((sorted[199]! + sorted[200]!) / 2, 8);
  });

  test('does not depend on the blocks that the rows are compared in', () => {
    // 4,096 dimensions: a block holds 16 rows, fewer than there are neighbours.
    const D = 4096;
    const vectors = gaussianRows(70, D, 2);
    const expected = Array.from({ length: 70 }, (_, row) => oracle(vectors, D, row, 40));
    const { mean } = report(vectors, { dimensions: D, distance: 'Euclid', k: 40, seed: 1 });
    expect(mean).toBeCloseTo(expected.reduce((a, b) => a + b) / 70, 8);
  });

  test('is that of the unit vectors under Cosine, of the vectors under Dot', () => {
    const D = 6;
    const vectors = gaussianRows(500, D, 3);
    const unit = vectors.slice();
    for (let from = 0; from < unit.length; from += D) {
      const row = unit.subarray(from, from + D);
      const length = Math.hypot(...row);
      row.forEach((x, i) => {
        row[i] = x / length;
      });
    }
    const of = (rows: Float32Array, distance: Distance) =>
      report(rows, { dimensions: D, distance, k: 50, seed: 4 }).mean;
    expect(of(vectors, 'Cosine')).toBeCloseTo(of(unit, 'Euclid'), 4);
    expect(of(vectors, 'Dot')).toBe(of(vectors, 'Euclid'));
    expect(of(vectors, 'Cosine')).toBeLessThan(of(vectors, 'Euclid'));
  });

  test('is the same after scaling and rotating', () => {
    const D = 16;
    const vectors = gaussianRows(600, D, 5, 1);
    const options = { dimensions: D, distance: 'Euclid', seed: 6 } as const;
    const { mean } = report(vectors, options);
    const scaled = vectors.map((x) => x * 1024);
    expect(report(scaled, options).mean).toBe(mean);
    const rotate = randomRotation(D, new Random(7));
    const rotated = vectors.slice();
    for (let from = 0; from < rotated.length; from += D) {
      const row = Float64Array.from(rotated.subarray(from, from + D));
      rotate(row);
      rotated.set(row, from);
    }
    expect(report(rotated, options).mean).toBeCloseTo(mean, 4);
  });

  test('counts vectors without an estimate and leaves them out', () => {
    const D = 4;
    const vectors = new Float32Array(300 * D).fill(100);
    vectors.set(gaussianRows(150, D, 1));
    const options = { dimensions: D, distance: 'Euclid', k: 50, sample: 300, seed: 1 } as const;
    const { estimated, without, mean } = report(vectors, options);
    expect([estimated, without]).toEqual([150, 150]);
    expect(mean).toBeGreaterThan(0);
  });

  test.each([0, 1, 2])('of %i vectors is unknown', (count) => {
    const found = report(gaussianRows(count, 3, 1), { dimensions: 3, distance: 'Dot', seed: 1 });
    expect(found).toMatchObject({ k: Math.max(0, count - 1), estimated: 0, without: count });
    expect([found.mean, found.quantiles.p50]).toEqual([Number.NaN, Number.NaN]);
  });

  test('refuses what it cannot use', () => {
    const options = { dimensions: 2, distance: 'Euclid', seed: 1 } as const;
    const bad = Float32Array.of(1, 2, 3, Number.NaN);
    expect(errorOf(() => report(bad, options)).message).toMatch(/vectors at row 1, column 1/);
    expect(errorOf(() => report(bad.subarray(1), options)).code).toBe('DIMENSION_MISMATCH');
    for (const wrong of [{ k: 1 }, { sample: 0 }, { seed: -1 }, { distance: 'euclid' }]) {
      const error = errorOf(() => report(bad, { ...options, ...wrong } as LidOptions));
      expect(error.code).toBe('INVALID_ARGUMENT');
    }
  });
});

describe('orderByLid', () => {
  test('sorts both ways, ties by row, rows without an estimate as of dimension 0', () => {
    const lids = Float64Array.of(3, Number.NaN, 1.5, 3, 200, 1e-9, 0);
    expect([...orderByLid(lids, 'lid-asc')]).toEqual([1, 6, 5, 2, 0, 3, 4]);
    expect([...orderByLid(lids, 'lid-desc')]).toEqual([4, 0, 3, 2, 5, 1, 6]);
    expect(orderByLid(new Float64Array(0), 'lid-asc')).toHaveLength(0);
  });

  test('does not see the last bits of a logarithm', () => {
    const [a, b] = [10, 10 * (1 + 2 ** -52)];
    expect([...orderByLid(Float64Array.of(b, a), 'lid-asc')]).toEqual([0, 1]);
  });

  test('refuses other orders', () => {
    expect(errorOf(() => orderByLid(new Float64Array(1), 'given' as never)).message).toMatch(
      /lid-asc or lid-desc/,
    );
  });
});
