import { describe, expect, test } from 'vitest';
import { idsIn, parseFilter } from '../../src/filter/parse.js';
import type { Filter } from '../../src/filter/types.js';
import { errorOf } from '../datasets/support.js';

/** A condition with this beside its key, and what the error is about. */
const field = (test: object) => ({ must: [{ key: 'a', ...test }] });
const at = 'filter.must[0]';
const corner = { lon: 0, lat: 0 };
const ring = { points: [corner, { lon: 1, lat: 0 }, { lon: 1, lat: 1 }, corner] };

describe('a filter that is refused', () => {
  test.each<[unknown, string]>([
    [undefined, 'filter must be an object, received undefined'],
    [null, 'filter must be an object'],
    [[], 'filter must be an object'],
    ['a', 'filter must be an object'],
    [{ musst: [] }, 'a member of filter must be must, should, must_not, min_should'],
    [{ must: 5 }, 'filter.must must be a condition, received 5'],
    [{ must: [null] }, 'filter.must[0] must be a condition, received null'],
    [{ must: [{ foo: 1 }] }, 'a member of filter.must[0] must be'],
    [{ should: { must_not: [{ x: 1 }] } }, 'a member of filter.should.must_not[0]'],
    [{ must: [{ match: { value: 1 } }] }, 'filter.must[0].key must be a path'],
    [{ must: [{ key: 'a..b', is_null: true }] }, 'filter.must[0].key must be a path'],
    [{ must: [{ key: 5, is_null: true }] }, 'filter.must[0].key must be a path, as a string'],
    [{ must: [{ key: 'a' }] }, 'filter.must[0] must be a key with exactly one condition'],
    [field({ match: { value: 1 }, range: { gt: 1 } }), 'received "match and range"'],
    [field({ matsch: { value: 1 } }), 'a member of filter.must[0] must be a condition on a key'],
    [{ must: [{ is_empty: { key: 'a' }, has_id: [1] }] }, 'a member of filter.must[0]'],
    [{ must: [{ is_empty: { key: 'a', x: 1 } }] }, 'a member of filter.must[0].is_empty'],
    [{ must: [{ is_null: {} }] }, 'filter.must[0].is_null.key must be a path'],
    [{ must: [{ is_null: true }] }, 'filter.must[0].is_null must be an object'],
    [{ min_should: [] }, 'filter.min_should must be an object'],
    [{ min_should: { conditions: [] } }, 'filter.min_should.min_count must be a number'],
    [
      { min_should: { conditions: {}, min_count: 1 } },
      'filter.min_should.conditions must be a list',
    ],
    [{ min_should: { conditions: [5], min_count: 1 } }, 'filter.min_should.conditions[0]'],
    [{ min_should: { conditions: [], min_count: 1.5 } }, 'filter.min_should.min_count'],
    [{ must: { has_id: 5 } }, 'filter.must.has_id must be a list of ids'],
    [{ must: { has_id: [1, -1] } }, 'filter.must.has_id[1] must be'],
    [{ must: { has_id: [true] } }, 'filter.must.has_id[0] must be'],
    [{ must: { has_vector: 5 } }, 'filter.must.has_vector must be a name'],
    [{ must: { nested: { key: 'a' } } }, 'filter.must.nested.filter must be an object'],
    [{ must: { nested: { filter: {} } } }, 'filter.must.nested.key must be a path'],
    [
      { must: { nested: { key: 'a', filter: { must: { has_id: [1] } } } } },
      'must be outside of nested',
    ],
    [
      { must: { nested: { key: 'a', filter: { should: [{ has_vector: 'x' }] } } } },
      'filter.must.nested.filter.should[0].has_vector must be outside',
    ],
    [field({ match: 'x' }), `${at}.match must be an object`],
    [field({ match: {} }), `${at}.match must be an object with one of value, any`],
    [field({ match: { value: 1, any: [] } }), `${at}.match must be an object with one of`],
    [field({ match: { like: 'x' } }), `${at}.match must be an object with one of`],
    [
      field({ match: { value: 1.5 } }),
      `${at}.match.value must be a string, a boolean or an integer`,
    ],
    [field({ match: { value: 2 ** 70 } }), `${at}.match.value`],
    [field({ match: { value: 2n ** 63n } }), `${at}.match.value`],
    [field({ match: { value: {} } }), `${at}.match.value`],
    [field({ match: { any: 'x' } }), `${at}.match.any must be a list`],
    [field({ match: { any: ['x', null] } }), `${at}.match.any[1] must be a string`],
    [field({ match: { except: [[]] } }), `${at}.match.except[0] must be a string`],
    [field({ match: { text: 5 } }), `${at}.match.text must be a string`],
    [field({ match: { prefix: 5 } }), `${at}.match.prefix must be a string`],
    [field({ range: 5 }), `${at}.range must be an object`],
    [field({ range: {} }), `${at}.range must be an object with some of gt, gte, lt, lte`],
    [field({ range: { gt: null } }), `${at}.range must be an object with some of`],
    [field({ range: { from: 1 } }), `a member of ${at}.range must be gt, gte, lt, lte`],
    [field({ range: { gte: true } }), `${at}.range.gte must be a number or a date and time`],
    [field({ range: { gte: Number.NaN } }), `${at}.range.gte must be a finite number`],
    [field({ range: { gte: 'soon' } }), `${at}.range.gte must be a date and time as in RFC 3339`],
    [field({ range: { gte: '2020-01-01', lt: 5 } }), `${at}.range.lt must be a date and time`],
    [field({ values_count: { gt: 1.5 } }), `${at}.values_count.gt must be an integer from 0`],
    [field({ values_count: { gt: '1' } }), `${at}.values_count.gt must be a number`],
    [field({ is_empty: 1 }), `${at}.is_empty must be a boolean`],
    [
      field({ geo_radius: { center: corner } }),
      `${at}.geo_radius.radius must be a number of metres`,
    ],
    [field({ geo_radius: { center: corner, radius: -1 } }), `${at}.geo_radius.radius must be`],
    [
      field({ geo_radius: { center: { lon: 0 }, radius: 1 } }),
      `${at}.geo_radius.center.lat must be`,
    ],
    [field({ geo_radius: { center: corner, radius: 1, x: 1 } }), `a member of ${at}.geo_radius`],
    [
      field({ geo_bounding_box: { top_left: { lon: 181, lat: 0 }, bottom_right: corner } }),
      `${at}.geo_bounding_box.top_left.lon must be from -180 to 180`,
    ],
    [
      field({ geo_polygon: { exterior: { points: [corner, corner] } } }),
      'at least 4, the last equal',
    ],
    [
      field({ geo_polygon: { exterior: { points: ring.points.toReversed().slice(1) } } }),
      'exterior.points must be at least 4',
    ],
    [
      field({ geo_polygon: { exterior: { points: [...ring.points, { lon: 1, lat: 1 }] } } }),
      'exterior.points must be at least 4, the last equal to the first',
    ],
    [
      field({ geo_polygon: { exterior: ring, interiors: [ring, { points: 5 }] } }),
      `${at}.geo_polygon.interiors[1].points must be a list`,
    ],
    [field({ geo_polygon: { exterior: ring, interiors: 5 } }), 'interiors must be a list'],
  ])('%o: %s', (filter, message) => {
    const error = errorOf(() => parseFilter('filter', filter));
    expect(error).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
    expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
  });

  test.each([
    [{ total: 0, index: 0 }, 'filter.must.slice.total'],
    [{ total: 4, index: 4 }, 'filter.must.slice.index'],
    [{ total: 4 }, 'filter.must.slice.index'],
    [{ total: 2 ** 32, index: 0 }, 'filter.must.slice.total'],
    [{ total: 2, index: 0, seed: 1 }, 'filter.must.slice'],
  ])('the slice %j is refused', (slice, message) => {
    expect(errorOf(() => parseFilter('filter', { must: { slice } }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
  });
});

describe('the limits of a filter', () => {
  const deep = (levels: number): Filter => {
    let filter: Filter = {};
    for (let i = 1; i < levels; i++) filter = { must: filter };
    return filter;
  };
  const id = { has_id: [1] };
  const list = (length: number) => field({ match: { any: Array(length).fill('x') } });
  const polygon = (points: number) =>
    field({ geo_polygon: { exterior: { points: Array(points).fill(corner) } } });

  test.each<[string, unknown, unknown]>([
    ['32 levels', deep(32), deep(33)],
    ['4096 conditions', { must: Array(4096).fill(id) }, { must: Array(4097).fill(id) }],
    [
      '4096 conditions in all its parts',
      { must: [{ should: Array(4094).fill(id) }], must_not: id },
      { must: [{ should: Array(4095).fill(id) }], must_not: id },
    ],
    ['65536 values', list(65_536), list(65_537)],
    [
      '65536 ids',
      { must: { has_id: Array(65_536).fill(1) } },
      { must: { has_id: Array(65_537).fill(1) } },
    ],
    ['4096 points', polygon(4096), polygon(4097)],
    [
      'texts of 65536 characters',
      field({ match: { text: 'x'.repeat(65_536) } }),
      field({ match: { text: 'x'.repeat(65_537) } }),
    ],
  ])('%s', (_, most, more) => {
    parseFilter('filter', most);
    expect(errorOf(() => parseFilter('filter', more))).toMatchObject({
      name: 'RangeError',
      code: 'INVALID_ARGUMENT',
    });
  });
});

describe('a parsed filter', () => {
  test('can be sent to another thread', () => {
    const parsed = parseFilter(
      'filter',
      {
        must: [
          { key: 'a', match: { any: ['x', 1n] } },
          { nested: { key: 'b', filter: { must: { key: 'c', match: { text: 'Hi' } } } } },
          { has_id: [2n ** 63n, 'x'] },
        ],
        should: { key: 'd', geo_polygon: { exterior: ring } },
      },
      new Map([['b[].c', 'text' as const]]),
    );
    expect(structuredClone(parsed)).toEqual(parsed);
  });

  test('names the ids in all its parts, each once', () => {
    const parsed = parseFilter('filter', {
      must: [{ has_id: [1, 2n] }, { must_not: { has_id: ['x', 1] } }],
      should: { has_id: [3] },
      min_should: { conditions: [{ has_id: [2n ** 64n - 1n] }], min_count: 1 },
    });
    expect(new Set(idsIn(parsed))).toEqual(new Set([1, 2, 'x', 3, 2n ** 64n - 1n]));
    expect(idsIn(parsed)).toHaveLength(5);
    expect(idsIn(parseFilter('filter', {}))).toEqual([]);
  });
});
