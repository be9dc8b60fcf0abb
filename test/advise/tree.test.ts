import { describe, expect, test } from 'vitest';
import {
  challengesOf,
  chooseDistance,
  compressionWarnings,
  distanceWarnings,
  shapeWarnings,
} from '../../src/advise/tree.js';
import { metricOf, shapeOf } from './support.js';

describe('the distance, after the tree of Iceberg', () => {
  test.each([
    ['one length', { variation: 0.001, euclid: 1, cosine: 3 }, 'Cosine'],
    [
      'similar lengths, directions separate better',
      { variation: 0.08, euclid: 3, cosine: 2 },
      'Cosine',
    ],
    [
      'similar lengths, distances separate better',
      { variation: 0.08, euclid: 2, cosine: 3 },
      'Euclid',
    ],
    [
      'uneven lengths, directions separate better',
      { variation: 0.3, euclid: 3, cosine: 2 },
      'Euclid',
    ],
    [
      'uneven lengths, distances separate better',
      { variation: 0.3, euclid: 2, cosine: 3 },
      'Euclid',
    ],
    ['at the limit', { variation: 0.1, euclid: 2, cosine: 2 }, 'Cosine'],
  ])('%s', (_, features, expected) => {
    const { distance, text } = chooseDistance(metricOf(features));
    expect(distance).toBe(expected);
    expect(text).toMatch(/Euclid [\d.]+, Cosine [\d.]+/);
  });

  test.each([
    ['clearly better by the other distance', { cosine: 0.92, euclid: 0.9, error: 0.009 }, 'Cosine'],
    ['not clearly better', { cosine: 0.92, euclid: 0.9, error: 0.011 }, 'Euclid'],
    ['better by the same', { cosine: 0.9, euclid: 0.92, error: 0.001 }, 'Euclid'],
  ])('classes told %s', (_, recalls, expected) => {
    const labelRecall = { asked: 512, dot: 0.1, ...recalls };
    const features = { ...metricOf({ variation: 0.3, euclid: 2, cosine: 3 }), labelRecall };
    const { distance, text } = chooseDistance(features);
    expect(distance).toBe(expected);
    expect(text).toMatch(/by Cosine 9\d% have the class .* by Euclid 9\d%/);
  });

  test.each([
    ['Dot', 0.3, ['LENGTHS_DECIDE']],
    ['Cosine', 0.3, ['LENGTHS_IGNORED']],
    ['Euclid', 0.3, []],
    ['Dot', 0.05, []],
    ['Cosine', 0.05, []],
  ] as const)('%s with lengths that vary by %f: %j', (distance, variation, codes) => {
    const warnings = distanceWarnings(metricOf({ variation }), distance);
    expect(warnings.map(({ code }) => code)).toEqual(codes);
    for (const { text } of warnings) expect(text).toContain('40%');
  });

  test('vectors without a direction', () => {
    const codes = (distance: 'Cosine' | 'Dot') =>
      distanceWarnings(metricOf({ zeros: 3 }), distance).map(({ code }) => code);
    expect(codes('Cosine')).toEqual(['ZERO_VECTORS']);
    expect(codes('Dot')).toEqual([]);
  });
});

describe('the shape of the data', () => {
  const codes = (changes: Parameters<typeof shapeOf>[0]) =>
    shapeWarnings(shapeOf(changes)).map(({ code }) => code);

  test('warns of what is hard', () => {
    expect(codes({})).toEqual([]);
    expect(codes({ relativeContrast: 1.05 })).toEqual(['LOW_CONTRAST']);
    const outlier = { dimension: 7, times: 20, share: 0.7 };
    expect(codes({ outlierDimensions: [outlier] })).toEqual(['OUTLIER_DIMENSIONS']);
    expect(codes({ outlierDimensions: [{ ...outlier, share: 0.1 }] })).toEqual([]);
    expect(codes({ queryShift: { mean: 1, nearest: 1.5 } })).toEqual(['QUERIES_DIFFER']);
    expect(codes({ queryShift: { mean: 0.1, nearest: 1.02 } })).toEqual([]);
  });

  test('warns of primary codes that miss most', () => {
    expect(compressionWarnings(0.9, 240, shapeOf({}), 768)).toEqual([]);
    expect(compressionWarnings(0.4, 240, shapeOf({}), 768)).toMatchObject([
      { code: 'POORLY_COMPRESSIBLE', text: expect.stringContaining('40%') },
    ]);
    const spread = shapeOf({ effectiveDimensions: 400 });
    expect(compressionWarnings(1, 768, spread, 768)).toHaveLength(1);
    expect(compressionWarnings(1, 24, shapeOf({ effectiveDimensions: 20 }), 24)).toEqual([]);
  });

  test('says what is worth a trial', () => {
    const names = (changes: Parameters<typeof shapeOf>[0], canTrain = true) =>
      challengesOf(shapeOf(changes), canTrain).map(({ name }) => name);
    expect(names({})).toEqual([]);
    const queryShift = { mean: 0, nearest: 1.4 };
    expect(names({ queryShift })).toEqual(['training for the queries']);
    expect(names({ queryShift }, false)).toEqual([]);
    const intrinsicDimensionality = { mean: 10, p5: 2, p95: 20 };
    expect(names({ intrinsicDimensionality })).toEqual([
      ...['the order lid-asc', 'the order lid-desc'],
    ]);
  });
});
