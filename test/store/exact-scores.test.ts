import { describe, expect, test } from 'vitest';
import type { Distance } from '../../src/base/distance.js';
import { Random } from '../../src/base/random.js';
import { drain } from '../../src/base/steps.js';
import { scan, scores } from '../../src/store/exact-scores.js';
import { remove, upsert } from '../../src/store/point-writes.js';
import { batchOf, float32Field, memoryCollection, write } from './support.js';

const D = 12;
const N = 900;

/** Rows of small numbers, of which many are equal: ties abound. */
function roughVectors(): Float32Array {
  const random = new Random(1);
  return Float32Array.from({ length: N * D }, () => random.below(3) - 1);
}

/** By the definitions, each on its own. */
function scoreOf(distance: Distance, a: number[], b: number[]): number {
  const dot = a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  if (distance === 'Dot') return dot;
  if (distance === 'Euclid') return Math.hypot(...a.map((x, i) => x - b[i]!));
  const lengths = Math.hypot(...a) * Math.hypot(...b);
  return lengths === 0 ? 0 : dot / lengths;
}

function collection() {
  const vectors = roughVectors();
  vectors.fill(0, 5 * D, 6 * D);
  const file = memoryCollection([float32Field(D)]);
  const ids = Array.from({ length: N }, (_, i) => i);
  write(file, () => upsert(file, batchOf(ids, vectors)));
  write(file, () => remove(file, { ids: [3, 500] }));
  write(file, () => upsert(file, { ids: ['without'], payloads: [null], columns: [] }));
  const live = ids.filter((id) => id !== 3 && id !== 500);
  return { file, live, vectorOf: (row: number) => [...vectors.subarray(row * D, (row + 1) * D)] };
}

const query = Float32Array.from({ length: D }, (_, i) => (i % 4) - 1.5);

describe.each(['Cosine', 'Dot', 'Euclid'] as const)('%s', (distance) => {
  const { file, live, vectorOf } = collection();
  const expected = (rows: number[]) => {
    const scored = rows.map((row) => ({
      row,
      score: scoreOf(distance, [...query], vectorOf(row)),
    }));
    const sign = distance === 'Euclid' ? 1 : -1;
    // Sums in another order differ in their last bits: what is that close counts as equal.
    return scored.sort((a, b) =>
      Math.abs(a.score - b.score) < 1e-9 ? a.row - b.row : sign * (a.score - b.score),
    );
  };

  test.each([1, 10, 897, 5000])('the best %i of all', (k) => {
    const { rows, scores: found } = drain(scan(file, 0, query, distance, k));
    const best = expected(live).slice(0, k);
    expect([...found]).toHaveLength(best.length);
    best.forEach(({ score }, i) => {
      expect(found[i]).toBeCloseTo(score, 10);
    });
    expect(new Set(rows).size).toBe(rows.length);
    if (distance === 'Dot') expect([...rows]).toEqual(best.map(({ row }) => row));
  });

  test('equal scores come by row', () => {
    const { rows, scores: found } = drain(scan(file, 0, query, distance, N));
    rows.forEach((row, i) => {
      if (i > 0 && found[i] === found[i - 1]) expect(row).toBeGreaterThan(rows[i - 1]!);
    });
  });

  test('equal scores come by row among some rows too, whatever their order', () => {
    const same = memoryCollection([float32Field(D)]);
    write(same, () => upsert(same, batchOf([0, 1, 2, 3], new Float32Array(4 * D))));
    const { rows } = drain(scan(same, 0, query, distance, 3, Uint32Array.of(2, 3, 0, 1)));
    expect([...rows]).toEqual([0, 1, 2]);
  });

  test('the best among some rows, whatever their order', () => {
    const some = Uint32Array.of(700, 3, 898, 5, 12, 900, 4_000_000_000, 44);
    const { rows, scores: found } = drain(scan(file, 0, query, distance, 4, some));
    const best = expected([700, 898, 5, 12, 44]).slice(0, 4);
    expect([...rows]).toEqual(best.map(({ row }) => row));
    best.forEach(({ score }, i) => {
      expect(found[i]).toBeCloseTo(score, 10);
    });
  });

  test('scores of rows, NaN where there is no vector', () => {
    const some = Array.from({ length: 600 }, (_, i) => (i * 7) % 910);
    const found = drain(scores(file, 0, query, distance, Uint32Array.from(some)));
    some.forEach((row, i) => {
      if (live.includes(row)) {
        expect(found[i]).toBeCloseTo(scoreOf(distance, [...query], vectorOf(row)), 10);
      } else {
        expect(found[i]).toBeNaN();
      }
    });
  });
});
