import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { generateSpectrum } from '../../datasets/generate.js';
import { drain } from '../../src/base/steps.js';
import { outlierDimensions } from '../../src/eval/outlier-dimensions.js';
import { componentsFor, spectrumSteps } from '../../src/eval/spectrum.js';
import { Kernels } from '../../src/kernels/index.js';
import { gaussianRows } from '../graph/oracle.js';

const spectrumOf = (rows: Float32Array, d: number) => drain(spectrumSteps(new Kernels(), rows, d));

describe('spectrumSteps', () => {
  test('golden: variances 9 and 1', () => {
    const rows = Float32Array.of(3, 1, -3, 1, 3, -1, -3, -1);
    const { energy, effectiveDimensions } = spectrumOf(rows, 2);
    expect(energy[0]).toBeCloseTo(0.9, 6);
    expect(energy[1]).toBeCloseTo(1, 6);
    expect(effectiveDimensions).toBeCloseTo(100 / 82, 6);
  });

  test('is that of the covariance by another library', () => {
    const D = 24;
    const { corpus } = generateSpectrum({
      ...{ count: 300, queries: 0, dimensions: D, seed: 4, decay: 1, meanNorm: 0.5 },
    });
    const matrix = Matrix.from1DArray(300, D, [...corpus]);
    const centred = matrix.center('column');
    const values = new EigenvalueDecomposition(centred.transpose().mmul(centred), {
      assumeSymmetric: true,
    }).realEigenvalues.sort((a, b) => b - a);
    const total = values.reduce((a, b) => a + b);
    const { energy, effectiveDimensions } = spectrumOf(corpus, D);
    let sum = 0;
    values.forEach((value, i) => {
      sum += value;
      expect(energy[i]).toBeCloseTo(sum / total, 5);
    });
    const squares = values.reduce((a, b) => a + b * b, 0);
    expect(effectiveDimensions).toBeCloseTo(total ** 2 / squares, 3);
  });

  test('of many dimensions knows the first 512', () => {
    const { energy, effectiveDimensions } = spectrumOf(gaussianRows(2000, 600, 1, 0), 600);
    expect(energy).toHaveLength(512);
    expect(energy[511]).toBeLessThan(1);
    // White noise, less what 2,000 rows of 600 dimensions make of it: 600 / (1 + 600 / 2000).
    expect(effectiveDimensions).toBeGreaterThan(430);
    expect(effectiveDimensions).toBeLessThan(500);
  });

  test('finds how many components hold a share', () => {
    expect(componentsFor(Float64Array.of(0.5, 0.8, 1), 0.8)).toBe(2);
    expect(componentsFor(Float64Array.of(0.5, 0.8), 0.9)).toBeUndefined();
  });
});

describe('outlierDimensions', () => {
  test('finds planted ones, the largest first, with their share', () => {
    const rows = gaussianRows(500, 32, 1, 0);
    for (let i = 0; i < rows.length; i += 32) {
      rows[i + 5] *= 10;
      rows[i + 9] *= 20;
    }
    const found = outlierDimensions(rows, 32);
    expect(found.map(({ dimension }) => dimension)).toEqual([9, 5]);
    expect(found[0].times).toBeGreaterThan(17);
    expect(found[0].times).toBeLessThan(23);
    expect(found[0].share).toBeCloseTo(400 / 530, 1);
  });

  test('finds none in noise, nor where there is nothing', () => {
    expect(outlierDimensions(gaussianRows(500, 32, 1, 0), 32)).toEqual([]);
    expect(outlierDimensions(new Float32Array(64), 32)).toEqual([]);
    // Vectors that were filled up with zeros.
    const filled = new Float32Array(500 * 32);
    const short = gaussianRows(500, 8, 1, 0);
    for (let row = 0; row < 500; row++) filled.set(short.subarray(8 * row, 8 * row + 8), 32 * row);
    expect(outlierDimensions(filled, 32)).toEqual([]);
  });
});
