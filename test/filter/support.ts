import fc from 'fast-check';
import { FIELD_TYPES, type FieldSchema } from '../../src/filter/field-schema.js';
import type { Condition, Filter, GeoPoint, MatchValue, Payload } from '../../src/filter/types.js';

/** Few different values, so that filters hit and miss about as often. */
const STRINGS = [
  'red',
  'green',
  're',
  '',
  '1',
  'red green',
  'Green, red; RED!',
  'greenish red',
  '2020-01-01',
  '2020-01-01T00:00:00Z',
  '2020-01-01T01:00:00.000001+01:00',
  '2021-06-01 12:00',
  '936da01f-9abd-4d9d-80c7-02af85c822a8',
  '936DA01F-9ABD-4D9D-80C7-02AF85C822A8',
] as const;
const NUMBERS = [0, -0, 1, 2, 1.5, -3, 2 ** 53, 1e300];
const PLACES = [
  { lon: 0, lat: 0 },
  { lon: 1, lat: 1 },
  { lon: 0.5, lat: 0.5 },
  { lon: 180, lat: 90 },
  { lon: -180, lat: -90 },
  { lon: 179.5, lat: 10 },
  { lon: -179.5, lat: 10 },
  { lon: 1.000001, lat: 0.999999 },
  { lon: 200, lat: 0 },
  { lon: 1 },
];
const KEYS = ['a', 'b', 'p', 'c d'];

/** Paths of fields and conditions. */
export const FIELDS = ['a', 'b', 'a[]', 'a.b', 'p[].a', 'p[0].b', 'p', '"c d"', 'p[].p[].a'];

const scalar: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: fc.constantFrom<unknown>(...STRINGS), weight: 6 },
  { arbitrary: fc.constantFrom<unknown>(...NUMBERS), weight: 5 },
  { arbitrary: fc.constantFrom<unknown>(...PLACES), weight: 3 },
  { arbitrary: fc.constantFrom<unknown>(true, false, null), weight: 3 },
);

export const anyPayload: fc.Arbitrary<Payload | null> = fc.option(
  fc.letrec<{ payload: Payload; value: unknown }>((tie) => ({
    payload: fc.dictionary(fc.constantFrom(...KEYS), tie('value'), {
      maxKeys: 4,
    }),
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      { arbitrary: scalar, weight: 6 },
      { arbitrary: fc.array(scalar, { maxLength: 3 }), weight: 3 },
      { arbitrary: fc.array(tie('payload'), { maxLength: 3 }), weight: 2 },
      { arbitrary: tie('payload'), weight: 1 },
    ),
  })).payload,
  { freq: 12 },
);

const matchValue: fc.Arbitrary<MatchValue> = fc.oneof(
  fc.constantFrom<MatchValue>(...STRINGS),
  fc.constantFrom<MatchValue>(0, 1, 2, -3, 2 ** 53, 9007199254740993n, 1n, true, false),
);

const words = fc.constantFrom(
  'red',
  'green',
  'RED',
  'red green',
  'green red',
  'gre',
  'ee',
  '',
  'x',
);

const anyMatch = fc.oneof(
  fc.record({ value: matchValue }),
  fc.record({ any: fc.array(matchValue, { maxLength: 4 }) }),
  fc.record({ except: fc.array(matchValue, { maxLength: 4 }) }),
  fc.record({ text: words }),
  fc.record({ text_any: words }),
  fc.record({ phrase: words }),
  fc.record({ prefix: words }),
);

const bounds = <T>(bound: fc.Arbitrary<T>) =>
  fc
    .record(
      { gt: bound, gte: bound, lt: bound, lte: bound },
      { requiredKeys: [], noNullPrototype: true },
    )
    .filter((range) => Object.keys(range).length > 0);

const bound = fc.constantFrom(0, 1, 1.5, 2, -3, -5, 2 ** 53, 1e300);
const instant = fc.constantFrom(
  '2020-01-01',
  '2020-01-01T00:00:00.000001Z',
  '2021-06-01',
  '0000-01-01',
);
const point = fc.constantFrom(...(PLACES.slice(0, 8) as unknown as GeoPoint[]));
const ring = fc
  .array(point, { minLength: 3, maxLength: 5 })
  .map((points) => ({ points: [...points, points[0]!] }));

/** What stands beside a key. */
const fieldTest = fc.oneof(
  { arbitrary: fc.record({ match: anyMatch }), weight: 6 },
  { arbitrary: fc.record({ range: bounds(bound) }), weight: 3 },
  { arbitrary: fc.record({ range: bounds(instant) }), weight: 2 },
  { arbitrary: fc.record({ values_count: bounds(fc.nat(3)) }), weight: 1 },
  { arbitrary: fc.record({ is_empty: fc.boolean() }), weight: 2 },
  { arbitrary: fc.record({ is_null: fc.boolean() }), weight: 2 },
  {
    arbitrary: fc.record({ geo_bounding_box: fc.record({ top_left: point, bottom_right: point }) }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      geo_radius: fc.record({
        center: point,
        radius: fc.constantFrom(0, 1, 80_000, 157_225.4, 1e6, 2.1e7),
      }),
    }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      geo_polygon: fc.record({ exterior: ring, interiors: fc.array(ring, { maxLength: 1 }) }),
    }),
    weight: 1,
  },
);

const key = fc.constantFrom(...FIELDS);
const onField = fc.tuple(key, fieldTest).map(([key, test]) => ({ key, ...test }) as Condition);
const aboutNone = fc.oneof(
  fc.record({ is_empty: fc.record({ key }) }),
  fc.record({ is_null: fc.record({ key }) }),
);
const aboutPoint = fc.oneof(
  fc.record({ has_id: fc.array(fc.nat(30), { maxLength: 6 }) }),
  fc.constantFrom(...[0, 1, 2].map((index) => ({ slice: { total: 3, index } }))),
  fc.record({ has_vector: fc.constantFrom('even', 'none') }),
);

/** Filters of every kind of condition; inside of `nested` without those about the point. */
export const anyFilter: fc.Arbitrary<Filter> = (() => {
  const { filter } = fc.letrec<{
    filter: Filter;
    inner: Filter;
    condition: Condition;
    innerCondition: Condition;
    nested: Condition;
  }>((tie) => {
    const clauses = (condition: fc.Arbitrary<Condition>) => {
      const list = fc.oneof(condition, fc.array(condition, { maxLength: 3 }));
      return fc.record(
        {
          must: list,
          should: list,
          must_not: list,
          min_should: fc.record({
            conditions: fc.array(condition, { maxLength: 5 }),
            min_count: fc.nat(4),
          }),
        },
        { requiredKeys: [], noNullPrototype: true },
      ) as fc.Arbitrary<Filter>;
    };
    const options = { depthSize: 'small', withCrossShrink: true } as const;
    return {
      filter: clauses(tie('condition')),
      inner: clauses(tie('innerCondition')),
      nested: fc.record({
        nested: fc.record({
          key: fc.constantFrom('p', 'p[]', 'a', 'p[0].p'),
          filter: tie('inner'),
        }),
      }),
      condition: fc.oneof(
        options,
        { arbitrary: onField, weight: 9 },
        { arbitrary: aboutNone, weight: 2 },
        { arbitrary: aboutPoint, weight: 2 },
        { arbitrary: tie('nested'), weight: 3 },
        { arbitrary: tie('filter'), weight: 2 },
      ),
      innerCondition: fc.oneof(
        options,
        { arbitrary: onField, weight: 9 },
        { arbitrary: aboutNone, weight: 2 },
        { arbitrary: tie('nested'), weight: 1 },
        { arbitrary: tie('inner'), weight: 2 },
      ),
    };
  });
  return filter;
})();

const textSchema: fc.Arbitrary<FieldSchema> = fc.record(
  {
    type: fc.constant('text' as const),
    tokenizer: fc.constantFrom('word', 'whitespace', 'multilingual', 'prefix'),
    lowercase: fc.boolean(),
    min_token_len: fc.integer({ min: 1, max: 3 }),
    max_token_len: fc.integer({ min: 3, max: 6 }),
  },
  { requiredKeys: ['type'], noNullPrototype: true },
);

export const anySchema: fc.Arbitrary<FieldSchema> = fc.oneof(
  { arbitrary: fc.constantFrom<FieldSchema>(...FIELD_TYPES), weight: 3 },
  { arbitrary: textSchema, weight: 1 },
);

/** Some fields with the types they are indexed as. */
export const anySchemas: fc.Arbitrary<[string, FieldSchema][]> = fc.uniqueArray(
  fc.tuple(fc.constantFrom(...FIELDS), anySchema),
  { maxLength: 8, selector: ([field]) => field },
);
