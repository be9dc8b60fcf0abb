import { describe, expect, test } from 'vitest';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { gaussianRows, rowOf } from './oracle.js';

const D = 16;
const rows = gaussianRows(3000, D, 1);
const query = rowOf(rows, D, 0);
const small = rows.subarray(0, 100 * D);

describe('an empty index', () => {
  test('is built from no vectors and finds nothing', async () => {
    const index = await LeanIndex.build(new Float32Array(0), { dimensions: D });
    expect(index.count).toBe(0);
    expect(index.search(query, 5).ids).toHaveLength(0);
    expect(await index.searchBatch(rows.subarray(0, 3 * D), 5)).toMatchObject({ k: 0 });
    await index.add(small);
    expect(index.search(query, 1).ids[0]).toBe(0);
  });
});

describe('odd data', () => {
  test.each(['Cosine', 'Dot', 'Euclid'] as const)('all vectors alike, %s', async (distance) => {
    const alike = new Float32Array(2500 * D);
    for (let i = 0; i < alike.length; i++) alike[i] = 0.1 * ((i % D) + 1);
    const index = await LeanIndex.build(alike, { dimensions: D, distance });
    const { ids, scores } = index.search(alike.subarray(0, D), 20);
    expect(new Set(ids).size).toBe(20);
    expect(scores.every(Number.isFinite)).toBe(true);
    if (distance === 'Cosine') expect(scores[0]).toBeCloseTo(1, 3);
  });

  test('a thousand copies of one vector do not hide the others', async () => {
    const crowd = rows.slice();
    for (let r = 1000; r < 2000; r++) crowd.set(rowOf(rows, D, 7), r * D);
    const index = await LeanIndex.build(crowd, { dimensions: D, distance: 'Euclid' });
    let found = 0;
    for (let r = 2000; r < 3000; r++) {
      if (index.search(rowOf(rows, D, r), 1).ids[0] === r) found++;
    }
    expect(found).toBeGreaterThan(980);
  });

  test.each([1e-12, 1e12])('coordinates of size %f', async (size) => {
    for (const distance of ['Dot', 'Euclid'] as const) {
      const scaled = rows.map((x) => x * size);
      const index = await LeanIndex.build(scaled, { dimensions: D, distance });
      const { ids, scores } = index.search(scaled.subarray(0, D), 10);
      const same = await LeanIndex.build(rows, { dimensions: D, distance });
      const expected = same.search(query, 10);
      expect(scores.every(Number.isFinite)).toBe(true);
      const shared = Array.from(ids).filter((id) => expected.ids.includes(id));
      expect(shared.length).toBeGreaterThanOrEqual(9);
    }
  });

  test.each([1, 2, 3, 5, 63, 64, 65])('%i dimensions', async (dimensions) => {
    const vectors = gaussianRows(2500, dimensions, 5, 0);
    const index = await LeanIndex.build(vectors, { dimensions, distance: 'Euclid' });
    let found = 0;
    for (let r = 0; r < 200; r++) {
      const { ids, scores } = index.search(rowOf(vectors, dimensions, r), 3);
      if (ids.includes(r)) {
        found++;
        expect(scores[ids.indexOf(r)]).toBeLessThan(0.13);
      }
    }
    // On a line the nearest of 2,500 points lie closer than the codes tell apart.
    expect(found).toBeGreaterThan(dimensions === 1 ? 100 : 195);
  });
});

describe('a vector that may be stored may be looked for', () => {
  const vector = (x: number) => new Float32Array(D).fill(x);

  test.each([
    ['Cosine', 1e17],
    ['Dot', 9e14],
    ['Euclid', 9e14],
  ] as const)('%s: numbers of %f', async (distance, x) => {
    const index = await LeanIndex.build(vector(x), { dimensions: D, distance });
    expect([...index.search(vector(x), 1).ids]).toEqual([0]);
  });
});
