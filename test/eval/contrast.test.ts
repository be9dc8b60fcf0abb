import { describe, expect, test } from 'vitest';
import { drain } from '../../src/base/steps.js';
import { distanceProfile, relativeAngle } from '../../src/eval/contrast.js';
import { queryShift } from '../../src/eval/query-shift.js';
import { errorOf } from '../datasets/support.js';
import { gaussianRows } from '../graph/oracle.js';

describe('relativeAngle', () => {
  test('golden: two at right angles lie 45 degrees off their mean', () => {
    expect(relativeAngle(Float32Array.of(1, 0, 0, 1), 2)).toBeCloseTo(45, 6);
    expect(relativeAngle(Float32Array.of(2, 2, 5, 5), 2)).toBeCloseTo(0, 2);
    expect(relativeAngle(Float32Array.of(1, 0, -1, 0), 2)).toBe(90);
    // The row of length 0 has no direction.
    expect(relativeAngle(Float32Array.of(1, 0, 0, 1, 0, 0), 2)).toBeCloseTo(45, 6);
    expect(relativeAngle(new Float32Array(4), 2)).toBeNaN();
  });

  test('is near 90 around the origin, and small in a narrow cone', () => {
    const around = gaussianRows(2000, 64, 1, 0);
    expect(relativeAngle(around, 64)).toBeGreaterThan(85);
    const cone = around.map((x) => 10 + x);
    expect(relativeAngle(cone, 64)).toBeLessThan(10);
  });
});

describe('distanceProfile', () => {
  test('golden: means over the queries', () => {
    const rows = Float32Array.of(0, 4, 10);
    // From 1: 1, 3, 9; from 12: 12, 8, 2.
    const { nearest, all, contrast } = drain(distanceProfile(rows, Float32Array.of(1, 12), 1));
    expect(nearest).toBe(1.5);
    expect(all).toBeCloseTo((13 / 3 + 22 / 3) / 2, 10);
    expect(contrast).toBeCloseTo(all / 1.5, 10);
    const among = drain(distanceProfile(rows, Float32Array.of(4), 1));
    expect(among.contrast).toBe(Infinity);
  });

  test('falls towards 1 as the dimensions of noise grow', () => {
    const of = (d: number) =>
      drain(distanceProfile(gaussianRows(1000, d, 1, 0), gaussianRows(20, d, 2, 0), d)).contrast;
    const [low, middle, high] = [of(2), of(16), of(512)];
    expect(low).toBeGreaterThan(middle);
    expect(middle).toBeGreaterThan(high);
    expect(high).toBeLessThan(1.2);
    expect(high).toBeGreaterThan(1);
  });

  test('refuses nothing to compare', () => {
    const none = new Float32Array();
    const one = Float32Array.of(1);
    expect(errorOf(() => drain(distanceProfile(none, one, 1))).code).toBe('INVALID_ARGUMENT');
    expect(errorOf(() => drain(distanceProfile(one, none, 1))).code).toBe('INVALID_ARGUMENT');
  });
});

describe('queryShift', () => {
  const D = 16;
  const rows = gaussianRows(1500, D, 1, 0);
  const heldOut = gaussianRows(100, D, 2, 0);

  test('is none for queries of the same kind', () => {
    const { mean, nearest } = drain(queryShift(rows, heldOut, gaussianRows(1500, D, 3, 0), D));
    expect(mean).toBeLessThan(0.1);
    expect(Math.abs(nearest - 1)).toBeLessThan(0.1);
  });

  test('golden: a moved mean, in units of the spread', () => {
    const moved = heldOut.map((x, i) => x + (i % D === 0 ? 8 : 0));
    const { mean, nearest } = drain(queryShift(rows, heldOut, moved, D));
    // The spread of 16 standard normal numbers is 4.
    expect(mean).toBeGreaterThan(1.8);
    expect(mean).toBeLessThan(2.2);
    expect(nearest).toBeGreaterThan(1.5);
  });
});
