import { describe, expect, test } from 'vitest';
import { checkInteger, checkOptions, checkRows, checkVector } from '../../src/base/check.js';
import { DISTANCES, parseDistance } from '../../src/base/distance.js';
import { describe as describeValue, LeandexError } from '../../src/base/errors.js';

describe('errors', () => {
  test('carry code, details and cause', () => {
    const cause = new Error('inner');
    const error = new LeandexError('CORRUPT', 'outer', { details: { offset: 3 }, cause });
    expect(error).toMatchObject({ name: 'LeandexError', code: 'CORRUPT', details: { offset: 3 } });
    expect(error.cause).toBe(cause);
    expect(error).toBeInstanceOf(Error);
  });

  test.each([
    [null, 'null'],
    [undefined, 'undefined'],
    ['a', '"a"'],
    [3, '3'],
    [10n, '10'],
    [Number.NaN, 'NaN'],
    [[1, 2], 'Array(2)'],
    [new Float64Array(4), 'Float64Array(4)'],
    [{}, 'Object'],
    [() => 1, 'a function'],
    [Object.create(null), 'object'],
  ])('describe %s briefly', (value, text) => {
    expect(describeValue(value)).toBe(text);
  });
});

describe('checks', () => {
  test('integers keep to their range', () => {
    expect(checkInteger('n', 3, 1, 5)).toBe(3);
    expect(() => checkInteger('n', 6, 1, 5)).toThrow(
      'n must be an integer from 1 to 5, received 6',
    );
    expect(() => checkInteger('n', 2.5, 1, 5)).toThrow(RangeError);
    expect(() => checkInteger('n', '3', 1, 5)).toThrow(TypeError);
    expect(() => checkInteger('n', 3n, 1, 5)).toThrow(TypeError);
  });

  test('options are objects of known names', () => {
    expect(() => checkOptions('it', { a: 1 }, ['a', 'b'])).not.toThrow();
    expect(() => checkOptions('it', { c: 1 }, ['a', 'b'])).toThrow(/one of a, b, received "c"/);
    for (const value of [null, undefined, 3, [], 'a']) {
      expect(() => checkOptions('it', value, ['a'])).toThrow(TypeError);
    }
  });

  test('rows and vectors have their length and type', () => {
    expect(checkRows('rows', new Float32Array(12), 4)).toBe(3);
    expect(() => checkRows('rows', new Float32Array(13), 4)).toThrow(/13 numbers/);
    expect(() => checkVector('v', new Float32Array(13), 4)).toThrow(/13 numbers, expected 4/);
    expect(() => checkVector('v', [1, 2, 3, 4], 4)).toThrow(/received Array\(4\)/);
  });

  test('distances are read in any letter case', () => {
    for (const name of DISTANCES) {
      expect(parseDistance(name.toLowerCase())).toBe(name);
      expect(parseDistance(name.toUpperCase())).toBe(name);
    }
    expect(() => parseDistance('l2')).toThrow(/Cosine, Dot, Euclid, received "l2"/);
    expect(() => parseDistance(undefined)).toThrow(TypeError);
  });
});
