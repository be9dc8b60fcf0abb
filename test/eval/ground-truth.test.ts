import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { generateSpectrum } from '../../datasets/generate.js';
import { DISTANCES, type Distance } from '../../src/base/distance.js';
import { Random } from '../../src/base/random.js';
import { exactNeighbours, exactScorer } from '../../src/eval/ground-truth.js';
import { errorOf } from '../datasets/support.js';

/** One score from its definition, term by term. */
function scoreOf(a: readonly number[], b: readonly number[], distance: Distance): number {
  const dot = (p: readonly number[], q: readonly number[]) =>
    p.reduce((sum, value, i) => sum + value * q[i], 0);
  if (distance === 'Dot') return dot(a, b);
  if (distance === 'Euclid') return Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0));
  const lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}

/** All rows sorted by score and id. */
function oracle(corpus: number[][], query: number[], distance: Distance) {
  const sign = distance === 'Euclid' ? 1 : -1;
  return corpus
    .map((row, id) => ({ id, score: scoreOf(row, query, distance) }))
    .sort((a, b) => sign * (a.score - b.score) || a.id - b.id);
}

function flat(rows: number[][]): Float32Array {
  return Float32Array.from(rows.flat());
}

/** Small whole numbers: all sums are exact and ties are common. */
const problems = fc.integer({ min: 1, max: 5 }).chain((dimensions) => {
  const row = fc.array(fc.integer({ min: -3, max: 3 }), {
    minLength: dimensions,
    maxLength: dimensions,
  });
  return fc.record({
    dimensions: fc.constant(dimensions),
    corpus: fc.array(row, { minLength: 1, maxLength: 30 }),
    queries: fc.array(row, { maxLength: 9 }),
    k: fc.nat(),
  });
});

describe('exactNeighbours', () => {
  test('golden neighbours of each distance', () => {
    const corpus = Float32Array.of(1, 0, 0, 2, 3, 4, 0, 0);
    const query = Float32Array.of(2, 0);
    expect(exactNeighbours(corpus, query, 2, 4, 'Dot')).toEqual({
      distance: 'Dot',
      k: 4,
      ids: Uint32Array.of(2, 0, 1, 3),
      scores: Float64Array.of(6, 2, 0, 0),
    });
    expect(exactNeighbours(corpus, query, 2, 4, 'Euclid')).toEqual({
      distance: 'Euclid',
      k: 4,
      ids: Uint32Array.of(0, 3, 1, 2),
      scores: Float64Array.of(1, 2, Math.sqrt(8), Math.sqrt(17)),
    });
    const cosine = exactNeighbours(corpus, query, 2, 4, 'Cosine');
    expect(cosine.ids).toEqual(Uint32Array.of(0, 2, 1, 3));
    expect([...cosine.scores].map((score) => score.toFixed(12))).toEqual(
      [1, 0.6, 0, 0].map((score) => score.toFixed(12)),
    );
  });

  test.each(['Dot', 'Euclid'] as const)('%s equals the oracle exactly, ties by id', (distance) => {
    fc.assert(
      fc.property(problems, ({ dimensions, corpus, queries, k: pick }) => {
        const k = 1 + (pick % corpus.length);
        const truth = exactNeighbours(flat(corpus), flat(queries), dimensions, k, distance);
        expect(truth.ids.length).toBe(queries.length * k);
        for (const [i, query] of queries.entries()) {
          const expected = oracle(corpus, query, distance).slice(0, k);
          const ids = truth.ids.subarray(i * k, (i + 1) * k);
          expect([...ids]).toEqual(expected.map(({ id }) => id));
          for (const [j, { score }] of expected.entries()) {
            expect(truth.scores[i * k + j]).toBeCloseTo(score, 12);
          }
        }
      }),
    );
  });

  test('Cosine equals the oracle up to rounding', () => {
    fc.assert(
      fc.property(problems, ({ dimensions, corpus, queries, k: pick }) => {
        const k = 1 + (pick % corpus.length);
        const truth = exactNeighbours(flat(corpus), flat(queries), dimensions, k, 'Cosine');
        for (const [i, query] of queries.entries()) {
          const expected = oracle(corpus, query, 'Cosine').slice(0, k);
          for (let j = 0; j < k; j++) {
            const score = truth.scores[i * k + j];
            expect(score).toBeCloseTo(expected[j].score, 12);
            expect(score).toBeCloseTo(scoreOf(corpus[truth.ids[i * k + j]], query, 'Cosine'), 12);
          }
          expect(new Set(truth.ids.subarray(i * k, (i + 1) * k)).size).toBe(k);
        }
      }),
    );
  });

  test('equal rows are at distance 0 and tie by id', () => {
    const row = [0.1, -0.7, 1e-3];
    const { ids, scores } = exactNeighbours(flat([row, row, row]), flat([row]), 3, 3, 'Euclid');
    expect([...ids]).toEqual([0, 1, 2]);
    expect([...scores]).toEqual([0, 0, 0]);
  });

  test('many blocks give what one gives, and progress ends at all rows', () => {
    // A block holds 16 rows of 4,096 dimensions.
    const { corpus, queries } = generateSpectrum({
      count: 50,
      queries: 5,
      dimensions: 4096,
      decay: 1,
      seed: 1,
    });
    const rows = Array.from({ length: 50 }, (_, i) => [
      ...corpus.subarray(i * 4096, (i + 1) * 4096),
    ]);
    for (const distance of DISTANCES) {
      const steps: [number, number][] = [];
      const truth = exactNeighbours(corpus, queries, 4096, 50, distance, (done, total) => {
        steps.push([done, total]);
      });
      const last = [...queries.subarray(4 * 4096)];
      expect([...truth.ids.subarray(4 * 50)]).toEqual(
        oracle(rows, last, distance).map(({ id }) => id),
      );
      expect(steps).toEqual([
        [16, 50],
        [32, 50],
        [48, 50],
        [50, 50],
      ]);
    }
  });

  test('no queries have no neighbours', () => {
    const truth = exactNeighbours(Float32Array.of(1), new Float32Array(0), 1, 1, 'Dot');
    expect([truth.ids.length, truth.scores.length]).toEqual([0, 0]);
  });

  test('refuses rows that do not fit, k out of range and numbers that are not finite', () => {
    const corpus = Float32Array.of(1, 2, 3, 4);
    const query = Float32Array.of(1, 2);
    for (const k of [0, 3, 1.5]) {
      const error = errorOf(() => exactNeighbours(corpus, query, 2, k, 'Dot'));
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain('from 1 to 2');
    }
    expect(errorOf(() => exactNeighbours(corpus, query, 0, 1, 'Dot')).code).toBe(
      'INVALID_ARGUMENT',
    );
    const wrong = 'cosine' as Distance;
    expect(errorOf(() => exactNeighbours(corpus, query, 2, 1, wrong)).message).toContain(
      'Cosine or',
    );
    const three = Float32Array.of(1, 2, 3);
    expect(errorOf(() => exactNeighbours(corpus, three, 2, 1, 'Dot')).message).toContain('queries');
    expect(errorOf(() => exactNeighbours(three, query, 2, 1, 'Dot')).code).toBe(
      'DIMENSION_MISMATCH',
    );
    for (const value of [Number.NaN, Infinity]) {
      const bad = Float32Array.of(1, 2, 3, value);
      for (const distance of DISTANCES) {
        const error = errorOf(() => exactNeighbours(bad, query, 2, 1, distance));
        expect(error.message).toContain('corpus at row 1, column 1 must be a finite number');
      }
      const badQuery = Float32Array.of(value, 2);
      expect(errorOf(() => exactNeighbours(corpus, badQuery, 2, 1, 'Dot')).message).toContain(
        'queries at row 0, column 0',
      );
    }
  });
});

describe('exactScorer', () => {
  test.each(DISTANCES)('%s: the very scores of the ground truth', (distance) => {
    const { corpus, queries, dimensions } = generateSpectrum({
      count: 40,
      queries: 6,
      dimensions: 19,
      decay: 0.5,
      seed: 4,
    });
    const truth = exactNeighbours(corpus, queries, dimensions, 40, distance);
    const score = exactScorer(corpus, queries, dimensions, distance);
    for (let query = 0; query < 6; query++) {
      for (let i = query * 40; i < (query + 1) * 40; i++) {
        expect(score(query, truth.ids[i])).toBe(truth.scores[i]);
      }
    }
  });

  test.each(DISTANCES)('%s: what exactNeighbours gives, whatever the order', (distance) => {
    const random = new Random(3);
    for (const dimensions of [1, 3, 17]) {
      const rows = new Float32Array(40 * dimensions).map(() => random.gaussian());
      const queries = new Float32Array(5 * dimensions).map(() => random.gaussian());
      rows.fill(0, 0, dimensions);
      const { ids, scores } = exactNeighbours(rows, queries, dimensions, 40, distance);
      const score = exactScorer(rows, queries, dimensions, distance);
      for (const at of random.permutation(ids.length)) {
        expect(score(Math.floor(at / 40), ids[at]!)).toBe(scores[at]);
      }
    }
  });

  test('golden: a 3-4-5 triangle', () => {
    const rows = Float32Array.of(0, 0, 3, 4);
    const queries = Float32Array.of(3, 0);
    const score = (row: number, distance: (typeof DISTANCES)[number]) =>
      exactScorer(rows, queries, 2, distance)(0, row);
    expect(score(1, 'Euclid')).toBe(4);
    expect(score(1, 'Dot')).toBe(9);
    expect(score(1, 'Cosine')).toBeCloseTo(0.6, 15);
    expect(score(0, 'Cosine')).toBe(0);
  });

  test('refuses a number that is not finite, in the row or the query that it is asked of', () => {
    const rows = Float32Array.of(1, 2, Number.NaN, 4);
    const score = exactScorer(rows, Float32Array.of(3, Number.POSITIVE_INFINITY, 1, 1), 2, 'Dot');
    expect(score(1, 0)).toBe(3);
    expect(() => score(1, 1)).toThrow(/corpus at row 1, column 0/);
    expect(() => score(0, 0)).toThrow(/queries at row 0, column 1/);
  });
});
