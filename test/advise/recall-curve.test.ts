import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beamFor, beamWidths, ceilingOf, growthPower } from '../../src/advise/recall-curve.js';

describe('beamFor', () => {
  const curve = [
    { ef: 10, recall: 0.8 },
    { ef: 20, recall: 0.9 },
    { ef: 40, recall: 0.95 },
  ];

  test('golden: the miss halves with each doubling of the beam', () => {
    expect(beamFor(curve, 0.9)).toBeCloseTo(20, 10);
    expect(beamFor(curve, 0.92)).toBeCloseTo(25, 10);
    expect(beamFor(curve, 0.95)).toBeCloseTo(40, 10);
    expect(beamFor(curve, 0.5)).toBe(10);
    expect(beamFor(curve, 0.951)).toBeUndefined();
    expect(beamFor([], 0.5)).toBeUndefined();
    expect(ceilingOf(curve)).toBe(0.95);
  });

  test('lies between the points around it, and grows with the recall', () => {
    const points = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
      minLength: 1,
      maxLength: 13,
    });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(points, share, share, (recalls, a, b) => {
        const widths = beamWidths(10);
        const rising = recalls
          .sort((x, y) => x - y)
          .map((recall, i) => ({ ef: widths[i], recall }));
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const wide = beamFor(rising, high);
        const narrow = beamFor(rising, low);
        if (wide === undefined) {
          expect(ceilingOf(rising)).toBeLessThan(high);
          return;
        }
        expect(narrow).toBeLessThanOrEqual(wide + 1e-9);
        const at = rising.findIndex(({ recall }) => recall >= high);
        expect(wide).toBeLessThanOrEqual(rising[at].ef + 1e-9);
        expect(wide).toBeGreaterThanOrEqual(rising[Math.max(0, at - 1)].ef - 1e-9);
      }),
      { seed: 4 },
    );
  });
});

test('the beam grows by a power of the number of vectors, 1.2 times the slope, within limits', () => {
  const power = (small: number, large: number) =>
    growthPower({ count: 1000, ef: small }, { count: 4000, ef: large });
  expect(power(20, 40)).toBeCloseTo(0.6, 10);
  expect(power(20, 19)).toBe(0.1);
  expect(power(20, 80)).toBe(1);
});

test('beams are in units of k', () => {
  expect(beamWidths(10)[0]).toBe(10);
  expect(beamWidths(100)).toEqual(beamWidths(10).map((ef) => 10 * ef));
});
