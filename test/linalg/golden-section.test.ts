import { describe, expect, test } from 'vitest';
import { drain, type Steps } from '../../src/base/steps.js';
import { minimiseOnUnitSteps } from '../../src/linalg/golden-section.js';

/** The minimum found, and how often the function was evaluated. */
function minimise(f: (x: number) => number, tolerance = 1e-4) {
  let evaluations = 0;
  // biome-ignore lint/correctness/useYield: the interface is a generator's.
  const evaluate = function* (x: number): Steps<number> {
    evaluations++;
    return f(x);
  };
  return { ...drain(minimiseOnUnitSteps(evaluate, tolerance)), evaluations };
}

describe('minimiseOnUnitSteps', () => {
  test.each([0.001, 0.2, 0.5, 0.77, 0.999])('finds the minimum at %f', (centre) => {
    const { at, value, evaluations } = minimise((x) => (x - centre) ** 2);
    expect(Math.abs(at - centre)).toBeLessThan(1e-4);
    expect(value).toBe((at - centre) ** 2);
    expect(evaluations).toBeLessThan(26);
  });

  test('an end of the interval counts, even where the function is not unimodal', () => {
    expect(minimise((x) => x).at).toBe(0);
    expect(minimise((x) => -x).at).toBe(1);
    expect(minimise((x) => (x === 1 ? -1 : (x - 0.5) ** 2)).at).toBe(1);
    expect(minimise(() => 3)).toMatchObject({ at: 0, value: 3 });
  });
});
