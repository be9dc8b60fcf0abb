import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coefficientOfVariation, normsOf, unitRows } from '../../src/eval/norms.js';
import { gaussianRows } from '../graph/oracle.js';

describe('coefficientOfVariation', () => {
  test('golden: equal norms 0; 1, 1, 1, 3 have mean 1.5 and deviation .8660', () => {
    expect(coefficientOfVariation([1, 1, 1, 1])).toBe(0);
    expect(coefficientOfVariation([1, 1, 1, 3])).toBeCloseTo(Math.sqrt(0.75) / 1.5, 12);
    expect(coefficientOfVariation([1, 1, 1, 3])).toBeCloseTo(0.577, 3);
    expect(coefficientOfVariation([0, 0])).toBe(0);
    expect(coefficientOfVariation([])).toBeNaN();
  });

  test('does not depend on the unit', () => {
    const value = fc.double({ min: 0.1, max: 10, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 2 }), value, (values, factor) => {
        const scaled = values.map((x) => x * factor);
        expect(coefficientOfVariation(scaled)).toBeCloseTo(coefficientOfVariation(values), 9);
      }),
      { seed: 1 },
    );
  });
});

test('norms are those of the rows, and unit rows have norm 1 or 0', () => {
  expect([...normsOf(Float32Array.of(3, 4, 0, 0, 1e30, 0), 2)]).toEqual([5, 0, Math.fround(1e30)]);
  const rows = gaussianRows(20, 7, 1);
  rows.fill(0, 14, 21);
  const norms = normsOf(unitRows(rows, 7), 7);
  norms.forEach((norm, row) => {
    expect(norm).toBeCloseTo(row === 2 ? 0 : 1, 6);
  });
  const cosine = (of: Float32Array) => of[0] / of[1];
  expect(cosine(unitRows(rows, 7))).toBeCloseTo(cosine(rows), 5);
});
