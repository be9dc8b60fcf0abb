import { describe, expect, test } from 'vitest';
import { LeanVec } from '../../src/quant/leanvec.js';
import { choosePrimary, primaryTargets } from '../../src/quant/primary-choice.js';
import { gaussianRows } from '../graph/oracle.js';

const ROWS = 3000;
const AUTOMATIC = {
  primaryBits: undefined,
  primaryDimensions: undefined,
  distance: 'Cosine',
} as const;

/** The choice for gaussians of a spectrum j^-decay. */
function choice(dimensions: number, decay: number, wish = {}, rows = ROWS) {
  const vectors = gaussianRows(rows, dimensions, 6, decay);
  const full = { ...AUTOMATIC, ...wish };
  const target = primaryTargets(dimensions, full).at(-1)!;
  return choosePrimary(LeanVec.train(vectors, { dimensions, target }), rows, full);
}

describe('the primary code', () => {
  test('takes many dimensions of 2 bits where the spectrum falls slowly', () => {
    expect(choice(300, 0.5)).toMatchObject({ bits: 2, used: 240 });
  });

  test('takes fewer dimensions of more bits where it falls fast', () => {
    expect(choice(300, 2).bits).toBeGreaterThan(2);
  });

  test('takes all dimensions where they are few', () => {
    expect(choice(40, 0)).toMatchObject({ bits: 7, used: 40 });
    expect(choice(100, 0)).toMatchObject({ bits: 4, used: 100 });
  });

  test('takes more lines where one would lose too much', () => {
    expect(choice(300, 0)).toMatchObject({ bits: 2, used: 240 });
    expect(choice(400, 0).used).toBe(400);
  });

  test('needs the eigenvectors of one line first, of more lines only for narrower data', () => {
    expect(primaryTargets(768, AUTOMATIC)).toEqual([240, 768]);
    expect(primaryTargets(200, AUTOMATIC)).toEqual([200]);
    expect(primaryTargets(1536, { ...AUTOMATIC, primaryBits: 4 })).toEqual([120, 504]);
    expect(primaryTargets(8192, AUTOMATIC)).toEqual([240]);
    expect(primaryTargets(768, { ...AUTOMATIC, primaryDimensions: 99 })).toEqual([99]);
  });

  test('takes fewer dimensions for Euclid, whose half norm takes four bytes', () => {
    const euclid = { distance: 'Euclid' } as const;
    expect(primaryTargets(768, { ...AUTOMATIC, ...euclid })).toEqual([224, 768]);
    expect(primaryTargets(1536, { ...AUTOMATIC, ...euclid, primaryBits: 4 })).toEqual([112, 496]);
    expect(choice(300, 0.5, euclid)).toMatchObject({ bits: 2, used: 224 });
    // 58 dimensions of 7 bits fill a line beside the scale, not beside a half norm as well.
    expect(choice(58, 0)).toMatchObject({ bits: 7, used: 58 });
    expect(choice(58, 0, euclid).bits).toBe(4);
    expect(choice(58, 0, { distance: 'Dot' })).toEqual(choice(58, 0));
  });

  test('keeps to what is given', () => {
    expect(choice(300, 1, { primaryBits: 4 })).toMatchObject({ bits: 4 });
    expect(choice(300, 1, { primaryBits: 7, primaryDimensions: 160 })).toMatchObject({
      bits: 7,
      used: 160,
    });
    expect(choice(300, 1, { primaryDimensions: 100 })).toMatchObject({ bits: 4, used: 100 });
    expect(choice(300, 1, { primaryBits: 7, primaryDimensions: 290 }).used).toBe(290);
  });

  test('is not misled by a training set of a few rows, which a few dimensions explain', () => {
    // Nine dimensions explain ten rows wholly, and seven bits would code them best.
    expect(choice(200, 0, {}, 10).used).toBe(200);
  });

  test('estimates the energy of vectors it was not trained on', () => {
    const dimensions = 120;
    const train = gaussianRows(150, dimensions, 7, 0.5);
    const fresh = gaussianRows(2000, dimensions, 8, 0.5);
    const leanVec = LeanVec.train(train, { dimensions, target: 60 });
    const { energyKept } = choosePrimary(leanVec, 150, {
      ...AUTOMATIC,
      primaryBits: 7,
      primaryDimensions: 60,
    });
    const squares = (rows: Float32Array) => rows.reduce((sum, x) => sum + x * x, 0);
    const measured = squares(leanVec.project(fresh)) / squares(fresh);
    expect(Math.abs(energyKept - measured)).toBeLessThan(0.08);
    expect(leanVec.energyKept()).toBeGreaterThan(measured + 0.1);
  });
});
