import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { drain } from '../../src/base/steps.js';
import type { FieldConfig } from '../../src/db/config.js';
import { readMmr, selectDiverse } from '../../src/db/mmr.js';
import { gaussians } from './support.js';

const SIZE = 6;

function config(distance: FieldConfig['distance'], isMulti = false): FieldConfig {
  const base = { name: '', size: SIZE, distance, originals: 'float32' as const };
  if (!isMulti) return { ...base, index: {} };
  return { ...base, multivector: { comparator: 'max_sim' }, index: {} };
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const unlike = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);
const cosine = (a: readonly number[], b: readonly number[]) =>
  dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

const LIKENESS = {
  Cosine: cosine,
  Dot: dot,
  Euclid: (a: readonly number[], b: readonly number[]) => -unlike(a, b),
};

/** The definition: all pairs anew in each round. */
function chosenBy(
  like: (a: number[], b: number[]) => number,
  query: number[],
  vectors: number[][],
  lambda: number,
  wanted: number,
): number[] {
  const chosen: number[] = [];
  while (chosen.length < Math.min(wanted, vectors.length)) {
    const left = [...vectors.keys()].filter((i) => !chosen.includes(i));
    const worth = (i: number) => {
      const relevance = like(query, vectors[i]!);
      if (chosen.length === 0) return relevance;
      const nearest = Math.max(...chosen.map((j) => like(vectors[j]!, vectors[i]!)));
      return lambda * relevance - (1 - lambda) * nearest;
    };
    chosen.push(left.reduce((a, b) => (worth(b) > worth(a) ? b : a)));
  }
  return chosen;
}

describe.each(['Cosine', 'Dot', 'Euclid'] as const)('by %s', (distance) => {
  test.each([0, 0.2, 0.5, 0.9, 1])('diversity %f chooses as the definition does', (diversity) => {
    const random = new Random(5);
    for (const count of [0, 1, 2, 40]) {
      const vectors = gaussians(random, count, SIZE);
      const [query] = gaussians(random, 1, SIZE) as [number[]];
      const candidates = vectors.map((vector, row) => ({
        found: { row, score: row / 7 },
        vector: Float32Array.from(vector),
      }));
      const plan = readMmr({ diversity }, 12);
      const rows = drain(
        selectDiverse(candidates, Float32Array.from(query), config(distance), plan, 12),
      );
      const expected = chosenBy(LIKENESS[distance], query, vectors, 1 - diversity, 12);
      expect(rows).toEqual(expected.map((row) => ({ row, score: row / 7 })));
    }
  });
});

test('points of several vectors are compared by MaxSim', () => {
  const random = new Random(6);
  const sets = Array.from({ length: 20 }, (_, i) => gaussians(random, 1 + (i % 3), SIZE));
  const query = gaussians(random, 2, SIZE);
  const maxSim = (a: number[][], b: number[][]) =>
    a.reduce((sum, x) => sum + Math.max(...b.map((y) => dot(x, y))), 0);
  const places = [...sets.keys()].map((i) => [i]);
  const like = ([a]: number[], [b]: number[]) => maxSim(a === -1 ? query : sets[a!]!, sets[b!]!);
  const candidates = sets.map((set, row) => ({
    found: { row, score: 0 },
    vector: Float32Array.from(set.flat()),
  }));
  const plan = readMmr({}, 8);
  const steps = selectDiverse(
    candidates,
    Float32Array.from(query.flat()),
    config('Dot', true),
    plan,
    8,
  );
  const expected = chosenBy(like, [-1], places, 0.5, 8);
  expect(drain(steps).map(({ row }) => row)).toEqual(expected);
});

test('candidates are four times what is wanted', () => {
  expect(readMmr({}, 10)).toEqual({ lambda: 0.5, candidates: 40 });
  expect(readMmr({ candidates: 7 }, 10).candidates).toBe(7);
  expect(readMmr({}, 1e6).candidates).toBe(16_384);
});

test.each([
  [7],
  [{ diversity: -0.1 }],
  [{ diversity: 1.1 }],
  [{ diversity: '1' }],
  [{ candidates: 0 }],
  [{ candidates: 20_000 }],
  [{ lambda: 1 }],
])('%j is refused', (value) => {
  expect(() => readMmr(value, 10)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});
