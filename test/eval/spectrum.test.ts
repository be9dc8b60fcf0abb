import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { describe, expect, test } from 'vitest';
import { generateSpectrum } from '../../datasets/generate.js';
import { drain } from '../../src/base/steps.js';
import { outlierDimensions } from '../../src/eval/outlier-dimensions.js';
import { spectrumSteps } from '../../src/eval/spectrum.js';
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

  test('of fewer rows than dimensions is the same as of their covariance', () => {
    const [N, D] = [20, 50];
    const rows = gaussianRows(N, D, 3, 0);
    const centred = Matrix.from1DArray(N, D, [...rows]).center('column');
    const values = new EigenvalueDecomposition(centred.transpose().mmul(centred), {
      assumeSymmetric: true,
    }).realEigenvalues.sort((a, b) => b - a);
    const total = values.reduce((a, b) => a + b);
    const { energy, effectiveDimensions } = spectrumOf(rows, D);
    expect(energy).toHaveLength(N);
    let sum = 0;
    energy.forEach((kept, i) => {
      sum += values[i]!;
      expect(kept).toBeCloseTo(sum / total, 5);
    });
    const squares = values.reduce((a, b) => a + b * b, 0);
    expect(effectiveDimensions).toBeCloseTo(total ** 2 / squares, 3);
  });

  test('of what does not vary keeps everything', () => {
    for (const count of [1, 5]) {
      const { energy } = spectrumOf(new Float32Array(count * 3).fill(2), 3);
      expect(Array.from(energy)).toEqual(new Array(Math.min(count, 3)).fill(1));
    }
  });

  test('tells so many components as are wanted', () => {
    const rows = gaussianRows(100, 40, 1, 0);
    const steps = spectrumSteps(new Kernels(), rows, 40, { components: 7 });
    expect(drain(steps).energy).toEqual(spectrumOf(rows, 40).energy.slice(0, 7));
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
