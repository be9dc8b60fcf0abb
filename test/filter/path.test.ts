import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EACH, foundAt, type Path, parsePath, pathText, valuesAt } from '../../src/filter/path.js';
import { errorOf } from '../datasets/support.js';

describe('a path', () => {
  test.each<[string, Path]>([
    ['a', ['a']],
    ['a.b', ['a', 'b']],
    ['a[].b', ['a', EACH, 'b']],
    ['foo[1][50].bar-baz[]."qux[.]quux"', ['foo', 1, 50, 'bar-baz', EACH, 'qux[.]quux']],
    ['"".""', ['', '']],
    ['größe_1.日本', ['größe_1', '日本']],
    ['a."b"', ['a', 'b']],
  ])('%s is read as %j', (text, path) => {
    expect(parsePath('key', text)).toEqual(path);
  });

  test.each([
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'a b',
    'a[',
    'a]',
    'a[-1]',
    'a[b]',
    '[]',
    '"a',
    'a"b"',
    'a[1234567890]',
  ])('%j is none', (text) => {
    expect(errorOf(() => parsePath('filter.key', text))).toMatchObject({
      name: 'RangeError',
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('filter.key must be a path'),
    });
  });

  test('is a text of up to 1024 characters', () => {
    expect(parsePath('key', 'x'.repeat(1024))).toHaveLength(1);
    expect(() => parsePath('key', 'x'.repeat(1025))).toThrow(RangeError);
    expect(() => parsePath('key', 5)).toThrow(TypeError);
  });

  test('has one text for all ways of writing it', () => {
    expect(pathText(parsePath('key', '"a"."b"[0][]."c d"'))).toBe('a.b[0][]."c d"');
    const step = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'b', ' ', '.', '[', '0', 'é') }),
      fc.nat(999_999_999),
      fc.constant(EACH),
    );
    const path = fc
      .tuple(fc.string({ unit: fc.constantFrom('a', '-', ' ') }), fc.array(step, { maxLength: 5 }))
      .map(([first, rest]) => [first, ...rest]);
    fc.assert(
      fc.property(path, (steps) => {
        expect(parsePath('key', pathText(steps))).toEqual(steps);
      }),
      { seed: 3, numRuns: 1000 },
    );
  });
});

describe('values at a path', () => {
  const payload = {
    a: { b: { c: 1 }, list: [{ c: 1 }, { c: [2, 3] }, { d: 4 }, 5] },
    g: ['g0', ['g1'], null],
    empty: [],
    nothing: null,
  };

  test.each<[string, unknown[], unknown[]]>([
    ['a.b.c', [1], [1]],
    ['a.b.c.d', [], []],
    ['a.list.c', [], []],
    ['a.list[].c', [1, [2, 3]], [1, 2, 3]],
    ['a.list[].c[]', [2, 3], [2, 3]],
    ['a.list[1].c', [[2, 3]], [2, 3]],
    ['a.list[9].c', [], []],
    ['g', [['g0', ['g1'], null]], ['g0', ['g1'], null]],
    ['g[]', ['g0', ['g1'], null], ['g0', 'g1', null]],
    ['g[2]', [null], [null]],
    ['empty', [[]], []],
    ['nothing', [null], [null]],
    ['nothing.x', [], []],
    ['toString', [], []],
    ['a.constructor.name', [], []],
    ['g.length', [], []],
  ])('%s: %j as they stand, %j for conditions', (text, found, values) => {
    const path = parsePath('key', text);
    expect(foundAt(payload, path)).toEqual(found);
    expect(valuesAt(payload, path)).toEqual(values);
  });

  test('of no payload are none', () => {
    expect(valuesAt(null, ['a'])).toEqual([]);
  });

  test('may be under the key __proto__', () => {
    const odd = JSON.parse('{"__proto__": {"a": 1}}');
    expect(valuesAt(odd, parsePath('key', '__proto__.a'))).toEqual([1]);
    expect(valuesAt({}, parsePath('key', '__proto__'))).toEqual([]);
  });
});
