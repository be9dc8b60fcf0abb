import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { drain } from '../../src/base/steps.js';
import { Bitmap } from '../../src/filter/bitmap.js';
import { evaluate, type FilterContext } from '../../src/filter/evaluate.js';
import type { FieldSchema } from '../../src/filter/field-schema.js';
import { matches } from '../../src/filter/match.js';
import { parseFilter } from '../../src/filter/parse.js';
import { PayloadIndexes } from '../../src/filter/payload-indexes.js';
import { loadIndexes, saveIndexes } from '../../src/filter/saved-indexes.js';
import type { Condition, Filter, Payload } from '../../src/filter/types.js';
import { anyFilter, anyPayload, anySchemas } from './support.js';

/** The point in a row; its id is the row's number plus 3. */
interface Point {
  payload: Payload | null;
  isLive: boolean;
}

const hasVector = (row: number) => (name: string) => name === 'even' && row % 2 === 0;

/** Rows that match, point by point. */
function byMatching(filter: Filter, schemas: ReadonlyMap<string, FieldSchema>, points: Point[]) {
  const parsed = parseFilter('filter', filter, schemas);
  return points.flatMap(({ payload, isLive }, row) => {
    const point = { id: row + 3, payload, hasVector: hasVector(row) };
    return isLive && matches(parsed, point) ? [row] : [];
  });
}

function contextOf(indexes: PayloadIndexes, points: Point[]): FilterContext {
  const rows = points.flatMap(({ isLive }, row) => (isLive ? [row] : []));
  const even = points.flatMap((_, row) => (row % 2 === 0 ? [row] : []));
  return {
    live: Bitmap.from(Uint32Array.from(rows)),
    indexes,
    rowOf: (id) => (typeof id === 'number' && id >= 3 && points[id - 3] ? id - 3 : undefined),
    withVector: (name) => (name === 'even' ? Bitmap.from(Uint32Array.from(even)) : undefined),
  };
}

let cases = 0;
let exactCases = 0;

/** Compares what indexes find with what matches one by one. */
function check(filter: Filter, context: FilterContext, points: Point[]): void {
  const schemas = context.indexes.schemas;
  const expected = byMatching(filter, schemas, points);
  const { rows, exact, unsure } = evaluate(parseFilter('filter', filter, schemas), context);
  const found = [...rows.toUint32Array()];
  expect(found.filter((row) => !points[row]!.isLive)).toEqual([]);
  expect(expected.filter((row) => !rows.has(row))).toEqual([]);
  expect(found.filter((row) => !unsure.has(row) && !expected.includes(row))).toEqual([]);
  expect([...unsure.toUint32Array()].filter((row) => !rows.has(row))).toEqual([]);
  expect(exact).toBe(unsure.isEmpty);
  if (exact) expect(found).toEqual(expected);
  rows.dispose();
  unsure.dispose();
  cases++;
  if (exact) exactCases++;
}

describe('evaluation', () => {
  afterAll(() => {
    expect(cases).toBeGreaterThan(20_000);
    // That the indexes answer at all, and not only say that they are unsure.
    expect(exactCases / cases).toBeGreaterThan(0.25);
  });

  test('finds the points that match, after any changes', () => {
    const change = fc.record({
      row: fc.nat(23),
      payload: anyPayload,
      how: fc.constantFrom('change', 'remove', 'forget', 'add'),
    });
    fc.assert(
      fc.property(
        fc.array(anyPayload, { maxLength: 24 }),
        fc.array(anySchemas, { minLength: 3, maxLength: 3 }),
        fc.array(change, { maxLength: 8 }),
        fc.array(anyFilter, { minLength: 9, maxLength: 11 }),
        (payloads, schemasList, changes, filters) => {
          for (const [i, schemas] of schemasList.entries()) {
            let indexes = new PayloadIndexes();
            for (const [field, schema] of schemas) indexes.create(field, schema);
            const points: Point[] = payloads.map((payload) => ({ payload, isLive: true }));
            for (const [row, { payload }] of points.entries()) indexes.add(row, payload);
            for (const { row, payload, how } of changes) apply(indexes, points, row, payload, how);
            // Also as they are after they were saved and loaded.
            if (i > 0) indexes = reloaded(indexes);
            const context = contextOf(indexes, points);
            for (const filter of filters) check(filter, context, points);
            context.live.dispose();
            indexes.dispose();
          }
        },
      ),
      { seed: 11, numRuns: 750 },
    );
  });
});

describe('what indexes are sure of', () => {
  const place = { lon: 1, lat: 2 };
  const uuid = '936da01f-9abd-4d9d-80c7-02af85c822a8';
  const near = { center: { lon: 1, lat: 2.001 }, radius: 500 };
  /** Row 0 has the value; row 1 another one, row 2 none, row 3 an array with the value twice. */
  const valuesOf = (value: unknown, other: unknown) => [value, other, undefined, [value, value]];

  test.each<[FieldSchema, unknown, unknown, object, number[], number[]]>([
    ['keyword', 'a', 'b', { match: { value: 'a' } }, [0, 3], []],
    ['keyword', 'a', 'b', { match: { any: ['a', 'c'] } }, [0, 3], []],
    ['keyword', 'a', 'b', { match: { except: ['b'] } }, [0, 3], []],
    // Of an array with an excluded value, the other values are not known.
    ['keyword', 'b', 'a', { match: { except: ['b'] } }, [1, 3], [3]],
    ['keyword', 'abc', 'b', { match: { prefix: 'ab' } }, [0, 3], []],
    ['keyword', 'abc', 'b', { match: { text: 'bc' } }, [0, 3], []],
    // A number may be among the values that are not keywords.
    ['keyword', 'a', 5, { match: { any: ['a', 6] } }, [0, 1, 3], [1]],
    ['keyword', 'a', 5, { match: { except: ['x', 5] } }, [0, 1, 3], [1]],
    ['keyword', 'a', 5, { range: { gt: 1 } }, [0, 1, 2, 3], [0, 1, 2, 3]],
    ['bool', true, false, { match: { value: true } }, [0, 3], []],
    ['uuid', uuid, 'x', { match: { value: uuid } }, [0, 3], []],
    ['uuid', uuid, 'x', { match: { value: 'x' } }, [1], [1]],
    ['uuid', uuid, 'x', { match: { prefix: '93' } }, [0, 1, 3], [1]],
    ['integer', 1, 2, { match: { value: 1 } }, [0, 3], []],
    ['integer', 1, 2, { range: { lt: 2 } }, [0, 3], []],
    ['integer', 1, 1.5, { range: { gt: 1 } }, [1], [1]],
    ['float', 1.5, 2, { range: { lt: 2 } }, [0, 3], []],
    ['float', 1.5, 'x', { range: { lt: 2 } }, [0, 3], []],
    ['float', 1, 2, { match: { value: 2 } }, [1], []],
    ['datetime', '2020-01-01', '2021-01-01', { range: { lt: '2020-06-01' } }, [0, 3], []],
    ['datetime', '2020-01-01', 'soon', { range: { lt: '2020-06-01' } }, [0, 3], []],
    ['geo', place, { lon: 3, lat: 3 }, { geo_radius: near }, [0, 3], []],
    ['text', 'Red car', 'blue car', { match: { text: 'red' } }, [0, 3], []],
    ['text', 'Red car', 'blue car', { match: { text_any: 'red bus' } }, [0, 3], []],
    // The words may be in different values of the array.
    ['text', 'Red car', 'blue car', { match: { text: 'car red' } }, [0, 3], [3]],
    ['text', 'car, red', 'blue car', { match: { phrase: 'red car' } }, [0, 3], [0, 3]],
    // Longer prefixes than are kept.
    [
      { type: 'text', tokenizer: 'prefix' },
      'internationalization',
      'interior',
      { match: { text: 'internationalizing' } },
      [],
      [],
    ],
    [
      { type: 'text', tokenizer: 'prefix' },
      'internationalization',
      'internationaliza',
      { match: { text: 'internationalizatio' } },
      [0, 1, 3],
      [0, 1, 3],
    ],
    ['keyword', null, 'a', { is_null: true }, [0, 3], []],
    ['keyword', 'a', [], { is_empty: true }, [1, 2], []],
    ['keyword', [null], null, { is_empty: false }, [0, 3], []],
  ])('%j with %j and %j, asked %j: %j, of which %j are not', (schema, value, other, asked, found, doubts) => {
    const indexes = new PayloadIndexes();
    indexes.create('v', schema);
    const points = valuesOf(value, other).map((v) => ({
      payload: v === undefined ? {} : { v },
      isLive: true,
    }));
    for (const [row, { payload }] of points.entries()) indexes.add(row, payload);
    const context = contextOf(indexes, points);
    const filter = { must: { key: 'v', ...asked } } as Filter;
    const { rows, unsure } = evaluate(parseFilter('filter', filter, indexes.schemas), context);
    expect([...rows.toUint32Array()]).toEqual(found);
    expect([...unsure.toUint32Array()]).toEqual(doubts);
    check(filter, context, points);
  });

  const keyed = (key: string, value: string): Condition => ({ key, match: { value } });
  const nested = (filter: Filter): Filter => ({ must: { nested: { key: 'p', filter } } });

  test.each<[string, Filter, number[], number[]]>([
    ['one condition on elements', nested({ must: keyed('a', 'x') }), [0, 1], []],
    ['one of some', nested({ should: [keyed('a', 'x'), keyed('a', 'z')] }), [0, 1], []],
    [
      'two conditions on the same element',
      nested({ must: [keyed('a', 'x'), keyed('b', 'y')] }),
      [0, 1],
      [0, 1],
    ],
    [
      'a condition that an element fails',
      nested({ must_not: keyed('a', 'x') }),
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ],
    ['an element', nested({}), [0, 1, 2, 3], [0, 1, 2, 3]],
    [
      'an element without a value',
      nested({ must: { is_empty: { key: 'a' } } }),
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ],
    [
      'two of some on the same element',
      nested({ min_should: { conditions: [keyed('a', 'x'), keyed('b', 'y')], min_count: 2 } }),
      [0, 1],
      [0, 1],
    ],
    [
      'not two conditions on the same element',
      { must_not: nested({ must: [keyed('a', 'x'), keyed('b', 'y')] }) },
      [0, 1, 2, 3],
      [0, 1],
    ],
    [
      'what is not indexed beside what is',
      { must: [keyed('p[].a', 'x'), keyed('q', 'y')], must_not: { has_id: [3] } },
      [1],
      [1],
    ],
    [
      'what is not indexed or what is',
      { should: [keyed('p[].a', 'x'), keyed('q', 'y')] },
      [0, 1, 2, 3],
      [2, 3],
    ],
  ])('%s', (_, filter, found, doubts) => {
    const indexes = new PayloadIndexes();
    for (const field of ['p[].a', 'p[].b']) indexes.create(field, 'keyword');
    const payloads = [
      { p: [{ a: 'x', b: 'y' }] },
      { p: [{ a: 'x' }, { b: 'y' }] },
      { p: [{ a: 'w' }] },
      { q: 'y' },
    ];
    const points = payloads.map((payload) => ({ payload, isLive: true }));
    for (const [row, payload] of payloads.entries()) indexes.add(row, payload);
    const context = contextOf(indexes, points);
    const { rows, unsure } = evaluate(parseFilter('filter', filter, indexes.schemas), context);
    expect([...rows.toUint32Array()]).toEqual(found);
    expect([...unsure.toUint32Array()]).toEqual(doubts);
    check(filter, context, points);
  });

  test('a text index is of no use for a filter read without it', () => {
    const indexes = new PayloadIndexes();
    indexes.create('v', 'text');
    indexes.add(0, { v: 'red car' });
    const context = contextOf(indexes, [{ payload: { v: 'red car' }, isLive: true }]);
    const filter = { must: { key: 'v', match: { text: 'ed c' } } };
    const { rows, exact } = evaluate(parseFilter('filter', filter), context);
    expect([rows.size, exact]).toEqual([1, false]);
  });

  test('very many keywords are not looked through', () => {
    const indexes = new PayloadIndexes();
    indexes.create('v', 'keyword');
    const points = Array.from({ length: 40_000 }, (_, i) => ({
      payload: { v: `v${i}` },
      isLive: true,
    }));
    const filter = { must: { key: 'v', match: { prefix: 'v7' } } };
    const parsed = parseFilter('filter', filter);
    for (const [row, { payload }] of points.slice(0, 30_000).entries()) indexes.add(row, payload);
    expect(evaluate(parsed, contextOf(indexes, points.slice(0, 30_000))).rows.size).toBe(1111);
    for (let row = 30_000; row < 40_000; row++) indexes.add(row, points[row]!.payload);
    const { rows, exact } = evaluate(parsed, contextOf(indexes, points));
    expect([rows.size, exact]).toEqual([40_000, false]);
  });

  test('evaluation frees its memory: 2000 times half a megabyte', () => {
    const count = 2 ** 20;
    const indexes = new PayloadIndexes();
    indexes.create('v', 'bool');
    for (let row = 0; row < count; row += 4) indexes.add(row, { v: row % 8 === 0 });
    const live = Bitmap.fromBits(new Uint32Array(count / 32).fill(-1));
    const context = { live, indexes, rowOf: () => undefined, withVector: () => undefined };
    const filter = { must_not: [{ key: 'v', match: { value: true } }, { is_null: { key: 'v' } }] };
    const parsed = parseFilter('filter', filter);
    const evaluateTimes = (times: number) => {
      for (let i = 0; i < times; i++) {
        const { rows, unsure } = evaluate(parsed, context);
        expect([rows.size, unsure.size]).toEqual([(count * 7) / 8, 0]);
        rows.dispose();
        unsure.dispose();
      }
    };
    evaluateTimes(100);
    const before = process.memoryUsage().rss;
    // Without a turn of the event loop nothing is freed by being found to be garbage.
    evaluateTimes(2000);
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
  });
});

/** The same indexes by way of their saved form. */
function reloaded(indexes: PayloadIndexes): PayloadIndexes {
  const loaded = drain(loadIndexes({ ...drain(saveIndexes(indexes)) }));
  indexes.dispose();
  return loaded;
}

function apply(
  indexes: PayloadIndexes,
  points: Point[],
  row: number,
  payload: Payload | null,
  how: string,
): void {
  const point = points[row];
  if (point === undefined) return;
  if (how === 'add') {
    points.push({ payload, isLive: true });
    indexes.add(points.length - 1, payload);
  }
  if (!point.isLive) return;
  if (how === 'change') {
    indexes.remove(row, point.payload);
    indexes.add(row, payload);
    point.payload = payload;
  } else if (how === 'remove') {
    // Rows that ended are dropped now, later or never.
    if (row % 3 > 0) indexes.remove(row, point.payload);
    point.isLive = false;
  } else if (how === 'forget') {
    const rows = Bitmap.from(Uint32Array.of(row));
    indexes.forget(rows);
    rows.dispose();
    point.isLive = false;
  }
}
