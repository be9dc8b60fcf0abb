import { describe, expect, test } from 'vitest';
import type { FieldSchema } from '../../src/filter/field-schema.js';
import { matches } from '../../src/filter/match.js';
import { parseFilter } from '../../src/filter/parse.js';
import type { Condition, Filter, Match, Payload, Range } from '../../src/filter/types.js';

const point = (payload: Payload | null) => ({
  id: 7,
  payload,
  hasVector: (name: string) => name === 'image',
});

/** Whether a filter matches a payload; `texts` are the fields with a text index. */
function isMatch(
  filter: Filter,
  payload: Payload | null,
  texts: Record<string, FieldSchema> = {},
): boolean {
  return matches(parseFilter('filter', filter, new Map(Object.entries(texts))), point(payload));
}

/** Whether a condition on the key `v` holds for a value there. */
const holds = (test: object, value: unknown) =>
  isMatch({ must: { key: 'v', ...test } as Condition }, { v: value });

const match = (asked: Match, value: unknown) => holds({ match: asked }, value);

describe('match', () => {
  test.each<[Match, unknown, boolean]>([
    [{ value: 'a' }, 'a', true],
    [{ value: 'a' }, 'A', false],
    [{ value: 'a' }, ['b', 'a'], true],
    [{ value: 'a' }, [['a']], false],
    [{ value: '1' }, 1, false],
    [{ value: 1 }, '1', false],
    [{ value: 1 }, 1.0, true],
    [{ value: 1 }, 1.5, false],
    [{ value: 0 }, -0, true],
    [{ value: 1 }, true, false],
    [{ value: true }, true, true],
    [{ value: true }, 1, false],
    [{ value: false }, null, false],
    [{ value: 1n }, 1, true],
    // 2^53 + 1 is no number of JavaScript: rounding it would find 2^53.
    [{ value: 9007199254740993n }, 2 ** 53, false],
    [{ value: 9007199254740992n }, 2 ** 53, true],
    [{ value: -(2n ** 63n) }, -(2 ** 63), true],
    [{ any: [] }, 'a', false],
    [{ any: ['b', 'a'] }, 'a', true],
    [{ any: [1, 2] }, [5, 2], true],
    [{ any: ['b'] }, 'a', false],
    [{ except: [] }, 'a', true],
    [{ except: [] }, null, false],
    [{ except: [] }, [], false],
    [{ except: ['a'] }, 'a', false],
    [{ except: ['a'] }, 'b', true],
    [{ except: ['a'] }, ['a', 'b'], true],
    [{ except: ['a'] }, ['a', null], false],
    [{ except: ['a'] }, 5, true],
    [{ except: ['a'] }, { x: 1 }, true],
    [{ except: [1] }, 1, false],
    [{ prefix: 're' }, 'red', true],
    [{ prefix: 're' }, 'Red', false],
    [{ prefix: '' }, 'x', true],
    [{ prefix: '1' }, 1, false],
    // Without a text index: as the text stands.
    [{ text: 'ed ca' }, 'red car', true],
    [{ text: 'RED' }, 'red car', false],
    [{ text: 'car red' }, 'red car', false],
    [{ text: '' }, 'x', true],
    [{ text: '5' }, 5, false],
    [{ text_any: 'bus ed' }, 'red car', true],
    [{ text_any: 'bus van' }, 'red car', false],
    [{ text_any: ' ' }, 'red car', false],
    [{ phrase: 'ed ca' }, 'red car', true],
    [{ phrase: 'car red' }, 'red car', false],
  ])('%o of %o: %s', (asked, value, expected) => {
    expect(match(asked, value)).toBe(expected);
  });

  test('of a field that is not there is false, also for except', () => {
    expect(isMatch({ must: { key: 'v', match: { except: ['a'] } } }, { w: 1 })).toBe(false);
    expect(isMatch({ must: { key: 'v', match: { except: [] } } }, null)).toBe(false);
  });

  test.each<[Match, unknown, boolean, FieldSchema?]>([
    [{ text: 'CAR red' }, 'Red, car!', true],
    [{ text: 'ca' }, 'red car', false],
    [{ text: 'red bus' }, 'red car', false],
    [{ text: 'red car' }, ['red', 'car'], false],
    [{ text: '...' }, 'red car', false],
    [{ text_any: 'bus RED' }, 'red car', true],
    [{ text_any: '' }, 'red car', false],
    [{ phrase: 'red car' }, 'a red-car', true],
    [{ phrase: 'car red' }, 'red car', false],
    [{ phrase: 'a c' }, 'a b c', false],
    [{ text: 'red' }, 'Red', false, { type: 'text', lowercase: false }],
    [{ text: 'red,' }, 'a red, car', true, { type: 'text', tokenizer: 'whitespace' }],
    [{ text: 'red' }, 'a red, car', false, { type: 'text', tokenizer: 'whitespace' }],
    [{ text: 'ca' }, 'red car', true, { type: 'text', tokenizer: 'prefix' }],
    [{ text: 'ar' }, 'red car', false, { type: 'text', tokenizer: 'prefix' }],
    [{ phrase: 're ca' }, 'red car', true, { type: 'text', tokenizer: 'prefix' }],
    [{ text: 'carpet' }, 'cart', true, { type: 'text', tokenizer: 'prefix', max_token_len: 3 }],
    [{ text: 'c' }, 'cart', false, { type: 'text', tokenizer: 'prefix', min_token_len: 2 }],
    [{ text: 'a red' }, 'red', true, { type: 'text', min_token_len: 2 }],
    [{ text: '世界' }, '你好世界', true, { type: 'text', tokenizer: 'multilingual' }],
    [{ text: '世界' }, '你好世界', false],
  ])('with a text index: %j of %j: %s %j', (asked, value, expected, schema = 'text') => {
    const filter = { must: { key: 'v', match: asked } };
    expect(isMatch(filter, { v: value }, { v: schema })).toBe(expected);
  });
});

describe('range', () => {
  test.each<[Range, unknown, boolean]>([
    [{ gt: 1 }, 1, false],
    [{ gte: 1 }, 1, true],
    [{ lt: 1 }, 1, false],
    [{ lte: 1 }, 1, true],
    [{ gt: 1, lte: 2 }, 1.5, true],
    [{ gt: 1, gte: 1 }, 1, false],
    [{ gt: 0, gte: 1 }, 1, true],
    [{ lt: 2, lte: 1 }, 1, true],
    [{ lt: 1, lte: 1 }, 1, false],
    [{ gt: 1, lt: null }, 5, true],
    // Both bounds hold for the same element.
    [{ gt: 1, lt: 3 }, [0, 5], false],
    [{ gt: 1, lt: 3 }, [0, 2], true],
    [{ gt: 0 }, '5', false],
    [{ gt: -1 }, true, false],
    [{ lt: 5 }, null, false],
    [{ gte: 2, lte: 1 }, 1.5, false],
  ])('%j of %j: %s', (range, value, expected) => {
    expect(holds({ range }, value)).toBe(expected);
  });

  test.each<[object, unknown, boolean]>([
    [{ gte: '2020-02-01', lt: '2020-03-01' }, '2020-02-15T00:00:00Z', true],
    [{ gte: '2020-02-01', lt: '2020-03-01' }, '2020-03-01T00:30:00+01:00', true],
    [{ gte: '2020-02-01', lt: '2020-03-01' }, '2020-03-01', false],
    [{ gt: '2020-01-01T00:00:00.000001Z' }, '2020-01-01 00:00:00.000002', true],
    [{ gt: '2020-01-01T00:00:00.000001Z' }, '2020-01-01 00:00:00.000001', false],
    [{ gt: '2020-01-01' }, 'soon', false],
    [{ gt: '1970-01-01' }, 1e300, false],
  ])('of times, %j of %j: %s', (range, value, expected) => {
    expect(holds({ range }, value)).toBe(expected);
  });
});

describe('what is there', () => {
  const cases: [string, Payload | null, { is_empty: boolean; is_null: boolean; none: boolean }][] =
    [
      ['v', null, { is_empty: true, is_null: false, none: true }],
      ['v', {}, { is_empty: true, is_null: false, none: true }],
      ['v', { v: null }, { is_empty: true, is_null: true, none: true }],
      ['v', { v: [] }, { is_empty: true, is_null: false, none: true }],
      ['v', { v: [null] }, { is_empty: false, is_null: true, none: false }],
      ['v', { v: [1, null] }, { is_empty: false, is_null: true, none: false }],
      ['v', { v: 0 }, { is_empty: false, is_null: false, none: false }],
      ['v', { v: '' }, { is_empty: false, is_null: false, none: false }],
      ['v', { v: {} }, { is_empty: false, is_null: false, none: false }],
      ['v[].x', { v: [{ x: 1 }, { x: null }] }, { is_empty: false, is_null: true, none: true }],
      ['v[].x', { v: [{ x: [] }, { y: 1 }] }, { is_empty: true, is_null: false, none: true }],
    ];
  test.each(cases)('at %s of %j: %j', (key, payload, expected) => {
    const is = (condition: Condition) => isMatch({ must: condition }, payload);
    expect({
      is_empty: is({ is_empty: { key } }),
      is_null: is({ is_null: { key } }),
      none: is({ key, values_count: { lt: 1 } }),
    }).toEqual(expected);
    for (const name of ['is_empty', 'is_null'] as const) {
      expect(is({ key, [name]: true })).toBe(expected[name]);
      expect(is({ key, [name]: false })).toBe(!expected[name]);
    }
  });

  test.each<[object, unknown, boolean]>([
    [{ gt: 2 }, ['a', 'b', 'c'], true],
    [{ gt: 3 }, ['a', null, 'c'], false],
    [{ gte: 1, lte: 1 }, 'abc', true],
    [{ gte: 1, lte: 1 }, { x: 1, y: 2 }, true],
    [{ lte: 0 }, null, true],
    [{ gte: 0 }, undefined, true],
  ])('values_count %j of %j: %s', (values_count, value, expected) => {
    expect(
      isMatch({ must: { key: 'v', values_count } }, value === undefined ? {} : { v: value }),
    ).toBe(expected);
  });

  test('has_id and has_vector are about the point', () => {
    expect(isMatch({ must: { has_id: [3, 7n] } }, null)).toBe(true);
    expect(isMatch({ must: { has_id: ['7'] } }, null)).toBe(false);
    expect(isMatch({ must: { has_id: [] } }, null)).toBe(false);
    expect(isMatch({ must: { has_vector: 'image' } }, null)).toBe(true);
    expect(isMatch({ must: { has_vector: 'text' } }, null)).toBe(false);
  });
});

describe('clauses', () => {
  const yes: Condition = { key: 'v', match: { value: 1 } };
  const no: Condition = { key: 'v', match: { value: 2 } };

  test.each<[Filter, boolean]>([
    [{}, true],
    [{ must: [], should: [], must_not: [] }, true],
    [{ must: null, should: null, must_not: null, min_should: null }, true],
    [{ must: yes }, true],
    [{ must: [yes, no] }, false],
    [{ should: no }, false],
    [{ should: [no, yes] }, true],
    [{ must: yes, should: no }, false],
    [{ must_not: no }, true],
    [{ must_not: [no, yes] }, false],
    [{ min_should: { conditions: [yes, no, yes], min_count: 2 } }, true],
    [{ min_should: { conditions: [yes, no, yes], min_count: 3 } }, false],
    [{ min_should: { conditions: [no], min_count: 0 } }, true],
    [{ min_should: { conditions: [], min_count: 1 } }, false],
    [{ must: { must_not: no } }, true],
    [{ should: [{ must: [yes, no] }, { must_not: yes }] }, false],
    [{ must: {} }, true],
    [{ must_not: {} }, false],
  ])('%j: %s', (filter, expected) => {
    expect(isMatch(filter, { v: 1 })).toBe(expected);
  });
});

describe('nested', () => {
  const payload = {
    cities: [
      { name: 'Paris', population: 2.1, sights: ['a', 'b', 'c'] },
      { name: null, population: 9.3, sights: ['d'] },
      'no object',
    ],
    one: { name: 'x' },
  };
  const nested = (filter: Filter, key = 'cities') =>
    isMatch({ must: { nested: { key, filter } } }, payload);
  const many: Condition = { key: 'sights', values_count: { gt: 2 } };
  const large: Condition = { key: 'population', range: { gt: 9 } };

  test('asks all conditions of the same element', () => {
    expect(nested({ must: [large, many] })).toBe(false);
    expect(nested({ must: large, must_not: many })).toBe(true);
    expect(nested({ must: many, must_not: large })).toBe(true);
    expect(nested({ must_not: [large, many] })).toBe(false);
    expect(nested({ must: [large, { is_null: { key: 'name' } }] })).toBe(true);
    expect(nested({ must: [many, { is_null: { key: 'name' } }] })).toBe(false);
    expect(nested({ min_should: { conditions: [large, many], min_count: 2 } })).toBe(false);
  });

  test('is about the elements that are objects, with [] in the key or without', () => {
    expect(nested({}, 'cities[]')).toBe(true);
    expect(nested({ must: large }, 'cities[0]')).toBe(false);
    expect(nested({}, 'one')).toBe(false);
    expect(nested({}, 'absent')).toBe(false);
    expect(nested({ must: { is_empty: { key: 'absent' } } })).toBe(true);
  });

  test('goes into elements of elements', () => {
    const deep = {
      a: [
        { b: [{ x: 1, y: 1 }] },
        {
          b: [
            { x: 2, y: 1 },
            { x: 1, y: 2 },
          ],
        },
      ],
    };
    const of = (x: number, y: number): Filter => ({
      must: {
        nested: {
          key: 'a',
          filter: {
            must: {
              nested: {
                key: 'b',
                filter: {
                  must: [
                    { key: 'x', match: { value: x } },
                    { key: 'y', match: { value: y } },
                  ],
                },
              },
            },
          },
        },
      },
    });
    expect(isMatch(of(1, 2), deep)).toBe(true);
    expect(isMatch(of(2, 2), deep)).toBe(false);
  });

  test('has text indexes by the whole path', () => {
    const filter: Filter = {
      must: { nested: { key: 'p', filter: { must: { key: 't', match: { text: 'B a' } } } } },
    };
    expect(isMatch(filter, { p: [{ t: 'a b' }] }, { 'p[].t': 'text' })).toBe(true);
    expect(isMatch(filter, { p: [{ t: 'a b' }] }, { t: 'text' })).toBe(false);
  });
});
