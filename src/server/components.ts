/** What the documentation says of values that no schema here checks: those that use them do. */

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const numbers = { type: 'array', items: { type: 'number' } };
const anyNumbers = { anyOf: [numbers, { type: 'array', items: numbers }] };
const sparse = {
  type: 'object',
  properties: {
    indices: { type: 'array', items: { type: 'integer', minimum: 0 } },
    values: numbers,
  },
  required: ['indices', 'values'],
  additionalProperties: false,
};
const byName = { type: 'object', additionalProperties: { anyOf: [...anyNumbers.anyOf, sparse] } };
const orderBy = {
  anyOf: [
    { type: 'string' },
    {
      type: 'object',
      properties: {
        key: { type: 'string' },
        direction: { enum: ['asc', 'desc', null] },
        start_from: { type: ['number', 'string', 'null'] },
      },
      required: ['key'],
      additionalProperties: false,
    },
  ],
};
/** What queries by examples have: a point, or one vector or several of one point. */
const example = { anyOf: [...anyNumbers.anyOf, ref('PointId')] };
const pair = {
  type: 'object',
  properties: { positive: example, negative: example },
  required: ['positive', 'negative'],
  additionalProperties: false,
};
const context = { anyOf: [pair, { type: 'array', items: pair }, { type: 'null' }] };
/** Kinds of queries by the member that tells them. */
const kinds = {
  nearest: { anyOf: [...anyNumbers.anyOf, sparse, ref('PointId')] },
  fusion: { enum: ['rrf', 'dbsf'] },
  rrf: {
    type: 'object',
    properties: { k: { type: ['number', 'null'] }, weights: { type: ['array', 'null'] } },
    additionalProperties: false,
  },
  order_by: orderBy,
  recommend: {
    description: 'Near to what is liked and far from what is disliked',
    type: 'object',
    properties: {
      positive: { type: ['array', 'null'] },
      negative: { type: ['array', 'null'] },
      strategy: { enum: ['average_vector', 'best_score', 'sum_scores', null] },
    },
    additionalProperties: false,
  },
  discover: {
    description: 'The nearest to a target, those first that are on the right side of most pairs',
    type: 'object',
    properties: { target: example, context },
    required: ['target'],
    additionalProperties: false,
  },
  context,
  relevance_feedback: {
    type: 'object',
    properties: {
      target: example,
      feedback: {
        type: 'array',
        items: {
          type: 'object',
          properties: { example, score: { type: 'number' } },
          required: ['example', 'score'],
          additionalProperties: false,
        },
      },
      strategy: { type: 'object', properties: { naive: { type: 'object' } }, required: ['naive'] },
    },
    required: ['target', 'feedback', 'strategy'],
    additionalProperties: false,
  },
  sample: { enum: ['random'] },
  formula: {
    description:
      'A number, `$score`, `$score[1]`, a field, or one of sum, mult, div, pow, neg, abs, sqrt, exp, ln, log10',
    anyOf: [{ type: 'number' }, { type: 'string' }, { type: 'object' }],
  },
  text: {
    description: "leandex's own: words in the texts of a field that has a text index, by BM25",
    type: 'object',
    properties: {
      field: { type: 'string' },
      match: { type: 'string' },
      operator: { enum: ['any', 'all', 'phrase', null] },
      prefix: { type: ['boolean', 'null'] },
    },
    required: ['field', 'match'],
    additionalProperties: false,
  },
};
const defaults = { description: 'Of names without a number', type: ['object', 'null'] };
const mmr = {
  type: ['object', 'null'],
  properties: {
    diversity: { type: ['number', 'null'] },
    candidates_limit: { type: ['integer', 'null'] },
  },
  additionalProperties: false,
};
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
    slice: {
      type: 'object',
      properties: { total: { type: 'integer' }, index: { type: 'integer' } },
    },
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
    description:
      'A vector, several that are compared as one, the id of a point, or a kind of query',
    anyOf: [
      ...anyNumbers.anyOf,
      sparse,
      ref('PointId'),
      ...Object.entries(kinds).map(([name, schema]) => ({
        type: 'object',
        properties: {
          [name]: schema,
          ...(name === 'nearest' && { mmr }),
          ...(name === 'formula' && { defaults }),
        },
        required: [name],
        additionalProperties: false,
      })),
    ],
  },
  OrderBy: { ...orderBy, description: 'A payload field that has an index of numbers or instants' },
  Prefetch: {
    description: 'Queries whose results are the candidates, up to 8 deep',
    anyOf: [ref('PrefetchQuery'), { type: 'array', items: ref('PrefetchQuery') }],
  },
  PrefetchQuery: {
    type: 'object',
    properties: {
      query: ref('Query'),
      using: { type: ['string', 'null'] },
      filter: { anyOf: [ref('Filter'), { type: 'null' }] },
      params: { type: ['object', 'null'] },
      score_threshold: { type: ['number', 'null'] },
      limit: { type: ['integer', 'null'], minimum: 1 },
      lookup_from: { type: ['object', 'null'] },
      prefetch: { anyOf: [ref('Prefetch'), { type: 'null' }] },
    },
    additionalProperties: false,
  },
  Floats: {
    description: 'Numbers; also float32 bytes, little endian: base64 in JSON, binary in msgpack',
    anyOf: [numbers, { type: 'string', contentEncoding: 'base64' }],
  },
  Bytes: { description: 'In msgpack binary', type: 'string', contentEncoding: 'base64' },
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
