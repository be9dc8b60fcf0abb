import { describe, expect, test } from 'vitest';
import { drain } from '../../src/base/steps.js';
import { exactNeighbours } from '../../src/eval/ground-truth.js';
import { metricAgreement } from '../../src/eval/metric-agreement.js';
import { unitRows } from '../../src/eval/norms.js';
import { gaussianRows } from '../graph/oracle.js';

const D = 12;

describe('metricAgreement', () => {
  test('cosine, dot and euclid rank vectors of unit length alike', () => {
    const rows = unitRows(gaussianRows(500, D, 1), D);
    const queries = unitRows(gaussianRows(20, D, 2), D);
    const agreement = drain(metricAgreement(rows, queries, D, 10));
    expect(agreement).toEqual({ cosineDot: 1, cosineEuclid: 1, dotEuclid: 1 });
    const ids = (['Cosine', 'Dot', 'Euclid'] as const).map(
      (distance) => exactNeighbours(rows, queries, D, 100, distance).ids,
    );
    expect(ids[1]).toEqual(ids[0]);
    expect(ids[2]).toEqual(ids[0]);
  });

  test('golden: a long vector off the query wins by dot alone', () => {
    const rows = Float32Array.of(1, 0, /**/ 10, 10, /**/ 0, 1);
    const agreement = drain(metricAgreement(rows, Float32Array.of(1, 0.1), 2, 1));
    expect(agreement).toEqual({ cosineDot: 0, cosineEuclid: 1, dotEuclid: 0 });
  });

  test('is the share of all queries, however many there are', () => {
    const rows = gaussianRows(200, D, 1);
    const queries = gaussianRows(7, D, 2);
    const one = Array.from({ length: 7 }, (_, q) =>
      drain(metricAgreement(rows, queries.subarray(q * D, (q + 1) * D), D, 10)),
    );
    const all = drain(metricAgreement(rows, queries, D, 10));
    const mean = one.reduce((sum, { cosineDot }) => sum + cosineDot / 7, 0);
    expect(all.cosineDot).toBeCloseTo(mean, 10);
    expect(all.cosineDot).toBeLessThan(1);
  });
});

// Steck, Ekanadham and Kallus, arXiv 2403.05440.
test('factors can be scaled so that products stay and cosines change at will', () => {
  const users = Float64Array.from(gaussianRows(30, 3, 3, 0));
  const items = Float64Array.from(gaussianRows(30, 3, 4, 0));
  const scale = [1, 10, 0.1];
  const scaledUsers = users.map((x, i) => x * scale[i % 3]);
  const scaledItems = items.map((x, i) => x / scale[i % 3]);
  const dot = (a: Float64Array, i: number, b: Float64Array, j: number) =>
    a[3 * i] * b[3 * j] + a[3 * i + 1] * b[3 * j + 1] + a[3 * i + 2] * b[3 * j + 2];
  const cosine = (a: Float64Array, i: number, j: number) =>
    dot(a, i, a, j) / Math.sqrt(dot(a, i, a, i) * dot(a, j, a, j));
  let product = 0;
  let change = 0;
  for (let i = 0; i < 30; i++) {
    for (let j = 0; j < 30; j++) {
      const moved = dot(scaledUsers, i, scaledItems, j) - dot(users, i, items, j);
      product = Math.max(product, Math.abs(moved));
      change = Math.max(change, Math.abs(cosine(scaledItems, i, j) - cosine(items, i, j)));
    }
  }
  expect(product).toBeLessThan(1e-14);
  expect(change).toBeGreaterThan(1);
});
