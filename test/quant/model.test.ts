import { describe, expect, test } from 'vitest';
import { DISTANCES } from '../../src/base/distance.js';
import { drain } from '../../src/base/steps.js';
import { dot } from '../../src/kernels/scalar/float.js';
import { primaryBytes } from '../../src/quant/layout.js';
import { type IndexModel, type ModelOptions, modelSteps } from '../../src/quant/model.js';
import { gaussianRows } from '../graph/oracle.js';

const DIMENSIONS = 60;
const ROWS = gaussianRows(800, DIMENSIONS, 5, 0.5);

function train(wish: Partial<ModelOptions> = {}): IndexModel {
  return drain(
    modelSteps(ROWS, {
      dimensions: DIMENSIONS,
      distance: 'Cosine',
      seed: 3,
      secondaryBits: 8,
      primaryBits: undefined,
      primaryDimensions: undefined,
      ...wish,
    }),
  );
}

describe('the model', () => {
  test.each(
    DISTANCES,
  )('%s: its record is as long as its distance’s constants want it', (distance) => {
    const model = train({ distance });
    const { primaryDimensions, primaryBits } = model;
    expect(model.primaryBytes).toBe(primaryBytes(primaryDimensions, primaryBits, distance));
    expect(model.projection.length).toBe(primaryDimensions * DIMENSIONS);
    expect(model.mean.length).toBe(DIMENSIONS);
    expect(model.unit).toBeGreaterThan(0);
  });

  test('60 dimensions of 7 bits fill a line beside the scale, but not beside a half norm', () => {
    const wish = { primaryBits: 7, primaryDimensions: 60 } as const;
    expect(train({ ...wish, distance: 'Dot' }).primaryBytes).toBe(64);
    expect(train({ ...wish, distance: 'Euclid' }).primaryBytes).toBe(128);
  });

  test('the rows of the projection are orthonormal', () => {
    const { projection, primaryDimensions } = train({ primaryDimensions: 40 });
    expect(primaryDimensions).toBe(40);
    const row = (i: number) => projection.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS);
    for (let i = 0; i < 40; i++) {
      for (let j = 0; j <= i; j++) {
        expect(Math.abs(dot(row(i), row(j)) - (i === j ? 1 : 0))).toBeLessThan(1e-5);
      }
    }
  });

  test('keeps the seed of the rotation; the same seed gives the same model, another another', () => {
    expect(train().seed).toBe(3);
    expect(train()).toEqual(train());
    expect(train({ seed: 4 }).seed).toBe(4);
    expect(train({ seed: 4 }).projection).not.toEqual(train().projection);
  });

  test('without queries to train for, queries take the map of the data', () => {
    expect(train().queryProjection).toBeUndefined();
  });
});
