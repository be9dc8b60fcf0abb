import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drain } from '../../src/base/steps.js';
import { type PoolingOptions, poolSteps } from '../../src/fde/pooling.js';
import { dot, norm, squaredL2 } from '../../src/kernels/scalar/float.js';
import { maxSim, rowsOf } from '../../src/kernels/scalar/maxsim.js';
import { errorOf } from '../datasets/support.js';
import { offsetsOf, Random, tokenRows } from './support.js';

const METHODS = ['hierarchical', 'k-means'] as const;

function pool(tokens: Float32Array, sizes: number[], options: PoolingOptions) {
  const { tokens: rows, offsets } = drain(poolSteps(tokens, offsetsOf(sizes), options));
  const { dimensions: d } = options;
  return sizes.map((_, i) => rows.slice(offsets[i]! * d, offsets[i + 1]! * d));
}

/** Rows close to one of a few directions, in turn. */
function clustered(random: Random, n: number, d: number, topics: number, spread: number) {
  const centres = tokenRows(random, topics, d, true);
  const rows = tokenRows(random, n, d, true);
  return rows.map((x, i) => {
    const [r, j] = [Math.floor(i / d), i % d];
    return centres[(r % topics) * d + j]! + spread * x;
  });
}

describe.each(METHODS)('pooling, %s', (method) => {
  test('keeps a share or a number of each document, and the order of documents', () => {
    const random = new Random(1);
    const [d, sizes] = [12, [10, 0, 1, 7, 33]];
    const tokens = tokenRows(random, 51, d);
    for (const ratio of [1, 1.5, 2, 3, 100]) {
      const pooled = pool(tokens, sizes, { dimensions: d, ratio, method });
      expect(pooled.map((rows) => rows.length / d)).toEqual(sizes.map((n) => Math.ceil(n / ratio)));
    }
    const fixed = pool(tokens, sizes, { dimensions: d, count: 8, method });
    expect(fixed.map((rows) => rows.length / d)).toEqual([8, 0, 1, 7, 8]);
    // What is not pooled stays as it is.
    expect(fixed[3]).toEqual(tokens.slice(11 * d, 18 * d));
  });

  test('finds the groups that are there, in the order of their first tokens', () => {
    for (const topics of [1, 2, 5]) {
      const random = new Random(topics);
      const [n, d] = [30, 16];
      const tokens = clustered(random, n, d, topics, 0.05);
      const [pooled] = pool(tokens, [n], { dimensions: d, count: topics, method });
      for (const [topic, row] of rowsOf(pooled!, d).entries()) {
        const members = rowsOf(tokens, d).filter((_, r) => r % topics === topic);
        const mean = members[0]!.map(
          (_, j) => members.reduce((sum, x) => sum + x[j]!, 0) / members.length,
        );
        expect(squaredL2(row, mean)).toBeLessThan(1e-6);
      }
    }
  });

  test('a document does not depend on the others, nor a seed on the run', () => {
    const random = new Random(3);
    const [d, sizes] = [8, [20, 31, 9]];
    const tokens = tokenRows(random, 60, d, true);
    const together = pool(tokens, sizes, { dimensions: d, ratio: 3, method, seed: 5 });
    const [alone] = pool(tokens.slice(20 * d, 51 * d), [31], {
      dimensions: d,
      ratio: 3,
      method,
      seed: 5,
    });
    expect(alone).toEqual(together[1]);
  });

  test('means have unit length if the tokens have, and only then', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 2, max: 40 }), (seed, n) => {
        const d = 6;
        const unit = tokenRows(new Random(seed), n, d, true);
        const [pooled] = pool(unit, [n], { dimensions: d, ratio: 2, method });
        for (const row of rowsOf(pooled!, d)) expect(Math.abs(norm(row) - 1)).toBeLessThan(1e-6);
        const doubled = pool(
          unit.map((x) => 2 * x),
          [n],
          { dimensions: d, ratio: 2, method },
        );
        for (const row of rowsOf(doubled[0]!, d)) expect(norm(row)).toBeLessThan(2.000001);
      }),
      { seed: 1, numRuns: 40 },
    );
  });

  test('plain means never score above the tokens (a mean is at most the maximum)', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 30 }), (seed, n) => {
        const [random, d] = [new Random(seed), 6];
        const tokens = tokenRows(random, n, d).map((x) => 3 * x);
        const [pooled] = pool(tokens, [n], { dimensions: d, ratio: 3, method });
        const query = tokenRows(random, 5, d);
        expect(maxSim(query, pooled!, d)).toBeLessThan(maxSim(query, tokens, d) + 1e-4);
      }),
      { seed: 2, numRuns: 40 },
    );
  });

  test('a mean without direction stays the zero vector', () => {
    const tokens = Float32Array.of(1, 0, -1, 0);
    expect([...pool(tokens, [2], { dimensions: 2, count: 1, method })[0]!]).toEqual([0, 0]);
  });
});

describe('duplicates', () => {
  test('and near-duplicates are left out, the first stays', () => {
    const random = new Random(7);
    const [d, n] = [24, 10];
    const tokens = tokenRows(random, n, d, true);
    const near = tokens.map((x) => x + 1e-3 * (random.uniform() - 0.5));
    const all = Float32Array.of(...tokens, ...near, ...tokens);
    expect(pool(all, [3 * n], { dimensions: d })[0]).toEqual(tokens);
    const query = tokenRows(random, 4, d);
    expect(Math.abs(maxSim(query, tokens, d) - maxSim(query, all, d))).toBeLessThan(
      0.01 * 4 * Math.max(...rowsOf(query, d).map(norm)),
    );
  });

  test('zeros are duplicates of one another; others are kept apart', () => {
    const tokens = Float32Array.of(0, 0, 1, 0, 0, 0, 0, 1);
    expect([...pool(tokens, [4], { dimensions: 2 })[0]!]).toEqual([0, 0, 1, 0, 0, 1]);
  });

  test('count for the ratio: a share of the tokens given, of those that differ', () => {
    const random = new Random(8);
    const tokens = tokenRows(random, 4, 8, true);
    const all = Float32Array.of(...tokens, ...tokens);
    expect(pool(all, [8], { dimensions: 8, ratio: 2 })[0]).toEqual(tokens);
  });
});

test('documents beyond what a matrix of distances is kept for are pooled too', () => {
  const random = new Random(2);
  const tokens = tokenRows(random, 2100, 2, false).map((x) => 100 * x);
  const [pooled] = pool(tokens, [2100], { dimensions: 2, count: 3 });
  expect(pooled!.length / 2).toBe(3);
  expect(dot(pooled!, pooled!)).toBeGreaterThan(0);
});

test.each<[string, unknown, string]>([
  ['a ratio below 1', { ratio: 0.5 }, 'INVALID_ARGUMENT'],
  ['a ratio of text', { ratio: '2' }, 'INVALID_ARGUMENT'],
  ['no tokens', { count: 0 }, 'INVALID_ARGUMENT'],
  ['both', { ratio: 2, count: 3 }, 'INVALID_ARGUMENT'],
  ['an unknown method', { method: 'median' }, 'INVALID_ARGUMENT'],
  ['an unknown option', { size: 3 }, 'INVALID_ARGUMENT'],
  ['other dimensions', { dimensions: 3 }, 'DIMENSION_MISMATCH'],
])('%s is refused', (_, options, code) => {
  const steps = () =>
    poolSteps(new Float32Array(8), offsetsOf([2]), { dimensions: 4, ...(options as object) });
  expect(errorOf(() => drain(steps())).code).toBe(code);
});

test('NaN is refused', () => {
  const steps = () => poolSteps(new Float32Array(8).fill(NaN), offsetsOf([2]), { dimensions: 4 });
  expect(errorOf(() => drain(steps())).code).toBe('INVALID_ARGUMENT');
});
