/** What the documentation says of values that no schema here checks: those that use them do. */

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const numbers = { type: 'array', items: { type: 'number' } };
const anyNumbers = { anyOf: [numbers, { type: 'array', items: numbers }] };
const byName = { type: 'object', additionalProperties: anyNumbers };
const oneOrMore = (schema: object) => ({
  anyOf: [schema, { type: 'array', items: schema }, { type: 'null' }],
});

const PointId = {
  description: 'An unsigned 64-bit integer, exact in JSON, or a UUID',
  anyOf: [
    { type: 'integer', minimum: 0 },
    { type: 'string', format: 'uuid' },
  ],
};

const Condition = {
  description:
    'A condition on a key, or is_empty, is_null, has_id, has_vector, nested, or a filter: docs/collections.md',
  type: 'object',
  properties: {
    key: { type: 'string' },
    ...Object.fromEntries(
      ['match', 'range', 'geo_bounding_box', 'geo_radius', 'geo_polygon', 'values_count'].map(
        (name) => [name, { type: ['object', 'null'] }],
      ),
    ),
    is_empty: { type: ['object', 'boolean', 'null'] },
    is_null: { type: ['object', 'boolean', 'null'] },
    has_id: { type: 'array', items: ref('PointId') },
    has_vector: { type: 'string' },
    nested: { type: 'object' },
    must: oneOrMore(ref('Condition')),
    should: oneOrMore(ref('Condition')),
    must_not: oneOrMore(ref('Condition')),
    min_should: { type: ['object', 'null'] },
  },
  additionalProperties: false,
};

const Filter = {
  type: 'object',
  properties: {
    must: oneOrMore(ref('Condition')),
    should: oneOrMore(ref('Condition')),
    must_not: oneOrMore(ref('Condition')),
    min_should: {
      type: ['object', 'null'],
      properties: {
        conditions: { type: 'array', items: ref('Condition') },
        min_count: { type: 'integer' },
      },
    },
  },
  additionalProperties: false,
};

export const COMPONENTS: Readonly<Record<string, object>> = {
  PointId,
  Condition,
  Filter,
  Vectors: {
    description: 'One vector, several that are compared as one, or either by name',
    anyOf: [...anyNumbers.anyOf, byName],
  },
  OutVectors: { anyOf: [...anyNumbers.anyOf, byName] },
  Query: {
    description: 'A vector, several that are compared as one, the id of a point, or { nearest }',
    anyOf: [
      ...anyNumbers.anyOf,
      ref('PointId'),
      {
        type: 'object',
        properties: { nearest: { anyOf: [...anyNumbers.anyOf, ref('PointId')] } },
        required: ['nearest'],
      },
    ],
  },
  Payload: { type: ['object', 'null'] },
  WithPayload: {
    description: 'All, none, some paths, or all but some',
    anyOf: [
      { type: 'boolean' },
      { type: 'array', items: { type: 'string' } },
      {
        type: 'object',
        properties: { include: { type: 'array' }, exclude: { type: 'array' } },
        additionalProperties: false,
      },
    ],
  },
  WithVector: { anyOf: [{ type: 'boolean' }, { type: 'array', items: { type: 'string' } }] },
  ShardKey: { description: 'Taken, and of no effect: there is but one shard' },
  Unsupported: {
    description: 'Not supported: refused unless it is null or false',
    anyOf: [{ type: 'null' }, { const: false }],
  },
};
