import fc from 'fast-check';
import { expect, test } from 'vitest';
import { carveQuery } from '../../src/fde/ball-carving.js';
import { maxSim } from '../../src/kernels/scalar/maxsim.js';
import { errorOf } from '../datasets/support.js';
import { Random, tokenRows } from './support.js';

test('golden: two near tokens become their sum (checks 4.9)', () => {
  const carved = carveQuery(Float32Array.of(1, 0, 0.8, 0.6, 0, 1), 2, 0.7);
  expect([...carved]).toEqual([Math.fround(1.8), Math.fround(0.6), 0, 1]);
  expect(maxSim(carved, Float32Array.of(0.6, 0.8), 2)).toBeCloseTo(2.36, 6);
});

test('a token joins the first centre that is near enough, not the nearest', () => {
  const query = Float32Array.of(1, 0, 0, 1, 0.6, 0.8);
  expect([...carveQuery(query, 2, 0.5)]).toEqual([Math.fround(1.6), Math.fround(0.8), 0, 1]);
});

test('sums keep the sum of all tokens, and score at most what the tokens do', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.double({ min: -1.1, max: 1.1, noNaN: true }),
      (seed, threshold) => {
        const [random, d] = [new Random(seed), 5];
        const query = tokenRows(random, 9, d, true);
        const carved = carveQuery(query, d, threshold);
        const total = (rows: Float32Array, j: number) =>
          rows.reduce((sum, x, i) => (i % d === j ? sum + x : sum), 0);
        for (let j = 0; j < d; j++) expect(total(carved, j)).toBeCloseTo(total(query, j), 5);
        const document = tokenRows(random, 7, d, true);
        expect(maxSim(carved, document, d)).toBeLessThan(maxSim(query, document, d) + 1e-5);
        const single = document.subarray(0, d);
        expect(maxSim(carved, single, d)).toBeCloseTo(maxSim(query, single, d), 5);
      },
    ),
    { seed: 1, numRuns: 100 },
  );
});

test('a threshold of −1 unites all, one above 1 nothing', () => {
  const query = tokenRows(new Random(1), 6, 3, true);
  expect(carveQuery(query, 3, -1.01).length).toBe(3);
  expect(carveQuery(query, 3, 1.01)).toEqual(query);
  expect(carveQuery(new Float32Array(0), 3, 0.7).length).toBe(0);
});

test.each<[string, () => unknown, string]>([
  ['half a row', () => carveQuery(new Float32Array(3), 2, 0.7), 'DIMENSION_MISMATCH'],
  ['NaN', () => carveQuery(Float32Array.of(NaN, 0), 2, 0.7), 'INVALID_ARGUMENT'],
  [
    'a threshold of text',
    () => carveQuery(new Float32Array(2), 2, '0.7' as never),
    'INVALID_ARGUMENT',
  ],
])('%s is refused', (_, run, code) => {
  expect(errorOf(run).code).toBe(code);
});
