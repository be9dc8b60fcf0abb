import { describe, expect, test } from 'vitest';
import {
  type Generated,
  type GeneratorOptions,
  generateClusters,
  generateManifold,
  generateOutOfDistribution,
  generateSpectrum,
} from '../../../datasets/generate.js';
import { errorOf } from '../support.js';

const GENERATORS: Record<string, (options: GeneratorOptions) => Generated> = {
  spectrum: (options) => generateSpectrum({ ...options, decay: 1, meanNorm: 0.5 }),
  clusters: (options) => generateClusters({ ...options, clusters: 5, spread: 0.3 }),
  manifold: (options) => generateManifold({ ...options, intrinsic: 4 }),
  outOfDistribution: (options) => generateOutOfDistribution({ ...options, decay: 1 }),
};

const OPTIONS = { count: 50, queries: 20, dimensions: 24, seed: 3 };

describe.each(Object.entries(GENERATORS))('%s', (_name, generate) => {
  test('gives the rows asked for, all finite', () => {
    const { corpus, queries, dimensions } = generate(OPTIONS);
    expect([corpus.length, queries.length, dimensions]).toEqual([50 * 24, 20 * 24, 24]);
    expect([...corpus, ...queries].every(Number.isFinite)).toBe(true);
  });

  test('the same seed gives the same bytes, another seed other ones', () => {
    expect(generate(OPTIONS)).toEqual(generate(OPTIONS));
    const other = generate({ ...OPTIONS, seed: 4 });
    expect(other.corpus).not.toEqual(generate(OPTIONS).corpus);
    expect(other.queries).not.toEqual(generate(OPTIONS).queries);
  });

  test('more rows change no other rows', () => {
    const small = generate(OPTIONS);
    const large = generate({ ...OPTIONS, count: 70 });
    expect(large.corpus.subarray(0, small.corpus.length)).toEqual(small.corpus);
    expect(large.queries).toEqual(small.queries);
    expect(generate({ ...OPTIONS, queries: 0 }).corpus).toEqual(small.corpus);
  });

  test('normalise gives unit length and keeps directions', () => {
    const plain = generate(OPTIONS).corpus;
    const unit = generate({ ...OPTIONS, normalise: true }).corpus;
    for (let start = 0; start < unit.length; start += 24) {
      const length = Math.hypot(...plain.subarray(start, start + 24));
      expect(Math.hypot(...unit.subarray(start, start + 24))).toBeCloseTo(1, 6);
      expect(unit[start] * length).toBeCloseTo(plain[start], 5);
    }
  });

  test.each([1, 2, 3, 5])('works in %i dimensions', (dimensions) => {
    if (dimensions < 4 && generate === GENERATORS.manifold) {
      expect(errorOf(() => generate({ ...OPTIONS, dimensions })).message).toContain('intrinsic');
      return;
    }
    const { corpus } = generate({ ...OPTIONS, dimensions });
    expect(corpus.length).toBe(50 * dimensions);
    expect([...corpus].every(Number.isFinite)).toBe(true);
  });

  test.each([
    ['count', -1],
    ['count', 1.5],
    ['queries', Number.NaN],
    ['dimensions', 0],
    ['seed', 2 ** 32],
    ['seed', undefined],
  ])('refuses %s = %s', (name, value) => {
    const error = errorOf(() => generate({ ...OPTIONS, [name]: value } as GeneratorOptions));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain(name);
    expect(error instanceof TypeError).toBe(value === undefined);
  });
});

describe('options of their own are checked', () => {
  test.each([
    ['decay', () => generateSpectrum({ ...OPTIONS, decay: -1 })],
    ['meanNorm', () => generateSpectrum({ ...OPTIONS, decay: 1, meanNorm: 1 })],
    ['clusters', () => generateClusters({ ...OPTIONS, clusters: 0, spread: 1 })],
    ['spread', () => generateClusters({ ...OPTIONS, clusters: 1, spread: Number.NaN })],
    ['intrinsic', () => generateManifold({ ...OPTIONS, intrinsic: 25 })],
    ['noise', () => generateManifold({ ...OPTIONS, intrinsic: 2, noise: Infinity })],
    ['shift', () => generateOutOfDistribution({ ...OPTIONS, decay: 1, shift: -0.1 })],
    ['queryDecay', () => generateOutOfDistribution({ ...OPTIONS, decay: 1, queryDecay: -2 })],
  ])('%s', (name, call) => {
    const error = errorOf(call);
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain(name);
  });
});
