import { describe, expect, test } from 'vitest';
import { randomRotation } from '../../../datasets/generate/rotation.js';
import { Random } from '../../../src/base/random.js';

/** The images of the coordinate axes. */
function imagesOf(dimensions: number, seed: number): Float64Array[] {
  const rotate = randomRotation(dimensions, new Random(seed));
  return Array.from({ length: dimensions }, (_, axis) => {
    const row = new Float64Array(dimensions);
    row[axis] = 1;
    rotate(row);
    return row;
  });
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

describe('randomRotation', () => {
  test('is orthonormal for every number of dimensions', () => {
    for (const dimensions of [...Array.from({ length: 40 }, (_, i) => i + 1), 96, 100, 128]) {
      const images = imagesOf(dimensions, dimensions);
      let worst = 0;
      for (let i = 0; i < dimensions; i++) {
        for (let j = 0; j <= i; j++) {
          const wanted = i === j ? 1 : 0;
          worst = Math.max(worst, Math.abs(dot(images[i], images[j]) - wanted));
        }
      }
      expect([dimensions, worst < 1e-12]).toEqual([dimensions, true]);
    }
  });

  test('spreads every axis over all dimensions', () => {
    for (const dimensions of [96, 128, 384, 768]) {
      const largest = imagesOf(dimensions, 7).map((row) =>
        row.reduce((max, value) => Math.max(max, value * value), 0),
      );
      // The largest of d squared gaussian entries of variance 1/d is near 2 ln(d) / d; over d axes
      // it stays below three times that.
      const limit = (6 * Math.log(dimensions)) / dimensions;
      expect(Math.max(...largest)).toBeLessThan(limit);
      // Squares of gaussian entries have a mean fourth power of 3 / d^2.
      const fourth = imagesOf(dimensions, 7).flatMap((row) => [...row.map((value) => value ** 4)]);
      const mean = fourth.reduce((sum, value) => sum + value, 0) / fourth.length;
      expect(mean * dimensions ** 2).toBeGreaterThan(2.5);
      expect(mean * dimensions ** 2).toBeLessThan(3.5);
    }
  });

  test('the seed decides', () => {
    expect(imagesOf(50, 1)).toEqual(imagesOf(50, 1));
    expect(imagesOf(50, 1)).not.toEqual(imagesOf(50, 2));
  });
});
