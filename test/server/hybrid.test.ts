import { QdrantClient } from '@qdrant/js-client-rest';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Server } from '../../src/server/index.js';
import { call, serveHere } from './support.js';

let server: Server;
let client: QdrantClient;

beforeEach(async () => {
  server = await serveHere();
  client = new QdrantClient({ url: server.url });
});

const idsOf = ({ points }: { points: { id: unknown }[] }) => points.map(({ id }) => id);

describe('a dense vector without a name beside sparse ones', () => {
  beforeEach(async () => {
    await client.createCollection('docs', {
      vectors: { size: 2, distance: 'Dot' },
      sparse_vectors: { words: {}, rare: { modifier: 'idf' } },
    });
    await client.upsert('docs', {
      points: [
        { id: 1, vector: [1, 0] },
        { id: 2, vector: { words: { indices: [7, 4_000_000_000], values: [1, 0.5] } } },
        { id: 3, vector: { '': [0, 1], words: { indices: [7], values: [2] } } },
      ],
    });
  });

  test('is described as it was asked for', async () => {
    const { config } = await client.getCollection('docs');
    expect(config.params).toMatchObject({
      vectors: { size: 2, distance: 'Dot' },
      sparse_vectors: { words: {}, rare: { modifier: 'idf' } },
    });
  });

  test('is searched, returned and deleted without a name', async () => {
    expect(idsOf(await client.query('docs', { query: [0.5, 1] }))).toEqual([3, 1]);
    const found = await client.retrieve('docs', { ids: [1, 2, 3], with_vector: true });
    expect(found.map(({ vector }) => vector)).toEqual([
      [1, 0],
      { words: { indices: [7, 4_000_000_000], values: [1, 0.5] } },
      { '': [0, 1], words: { indices: [7], values: [2] } },
    ]);
    const [one] = await client.retrieve('docs', { ids: [3], with_vector: [''] });
    expect(one!.vector).toEqual([0, 1]);
    expect(await client.count('docs', { filter: { must: [{ has_vector: '' }] } })).toEqual({
      count: 2,
    });
    await client.updateVectors('docs', { points: [{ id: 2, vector: [5, 5] }] });
    expect(idsOf(await client.query('docs', { query: [1, 1], limit: 1 }))).toEqual([2]);
    await client.deleteVectors('docs', { points: [3], vector: [''] });
    expect(idsOf(await client.query('docs', { query: [1, 1] }))).toEqual([2, 1]);
  });

  test('sparse vectors are searched by name', async () => {
    const query = { indices: [7, 9], values: [1, 1] };
    const { points } = await client.query('docs', { query, using: 'words' });
    expect(points.map(({ id, score }) => [id, score])).toEqual([
      [3, 2],
      [2, 1],
    ]);
    const legacy = await client.search('docs', { vector: { name: 'words', vector: query } });
    expect(legacy.map(({ id }) => id)).toEqual([3, 2]);
  });

  test('is what a group is asked for without a name', async () => {
    await client.setPayload('docs', { payload: { kind: 'a' }, points: [1, 3] });
    const { groups } = await client.queryGroups('docs', { query: [0, 1], group_by: 'kind' });
    expect(groups.map(({ hits }) => hits.map(({ id }) => id))).toEqual([[3, 1]]);
  });
});

test('sparse vectors alone', async () => {
  await client.createCollection('words', { sparse_vectors: { text: {} } });
  await client.upsert('words', {
    points: [{ id: 1, vector: { text: { indices: [1], values: [3] } } }],
  });
  const query = { indices: [1], values: [2] };
  const { points } = await client.query('words', { query, using: 'text', with_vector: true });
  expect(points).toMatchObject([
    { id: 1, score: 6, vector: { text: { indices: [1], values: [3] } } },
  ]);
  expect((await client.getCollection('words')).config.params.vectors).toEqual({});
});

describe('several searches in one', () => {
  beforeEach(async () => {
    const vectors = {
      a: { size: 2, distance: 'Dot' },
      b: { size: 2, distance: 'Euclid' },
    } as const;
    await client.createCollection('docs', { vectors });
    await client.createPayloadIndex('docs', {
      field_name: 'n',
      field_schema: 'integer',
      wait: true,
    });
    const points = [0, 1, 2, 3, 4, 5].map((id) => ({
      id,
      vector: { a: [id, 1], b: [5 - id, 0] },
      payload: { n: (id * 4) % 6, text: id % 2 ? 'winter shoes' : 'summer hats' },
    }));
    await client.upsert('docs', { points });
  });

  const lists = [
    { query: [1, 0], using: 'a', limit: 3 },
    { query: [5, 0], using: 'b', limit: 2 },
  ];

  test('are fused by ranks', async () => {
    const { points } = await client.query('docs', { prefetch: lists, query: { fusion: 'rrf' } });
    // The lists are 5 4 3 and 0 1; a rank r counts 1 / (r + 2).
    const scores = new Map(points.map(({ id, score }) => [id, score]));
    const expected = new Map([
      [5, 1 / 2],
      [0, 1 / 2],
      [4, 1 / 3],
      [1, 1 / 3],
      [3, 1 / 4],
    ]);
    expect([...scores.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [id, score] of expected) expect(scores.get(id)).toBeCloseTo(score, 6);
    const weighted = await client.query('docs', {
      prefetch: lists,
      query: { rrf: { k: 60, weights: [1, 3] } },
      limit: 1,
    });
    expect(idsOf(weighted)).toEqual([0]);
  });

  test('are ranked anew, also those of those', async () => {
    const inner = { query: [1, 0], using: 'a', limit: 4 };
    const { points } = await client.query('docs', {
      prefetch: { prefetch: inner, query: [3, 0], using: 'b', limit: 2 },
      query: [1, 0],
      using: 'a',
    });
    // 5 4 3 2 by a; of these 2 and 3 are the nearest by b; and 3 is before 2 by a.
    expect(idsOf({ points })).toEqual([3, 2]);
  });

  test('are in batches and groups', async () => {
    const searches = [
      { prefetch: lists, query: { fusion: 'dbsf' as const }, limit: 2 },
      { query: [1, 0], using: 'a', limit: 1 },
    ];
    const [fused, plain] = await client.queryBatch('docs', { searches });
    expect(fused!.points).toHaveLength(2);
    expect(idsOf(plain!)).toEqual([5]);
    const { groups } = await client.queryGroups('docs', {
      prefetch: lists,
      query: { fusion: 'rrf' },
      group_by: 'text',
      group_size: 5,
    });
    const sizes = groups.map(({ id, hits }) => [id, hits.length]);
    expect(sizes).toEqual(
      expect.arrayContaining([
        ['winter shoes', 3],
        ['summer hats', 2],
      ]),
    );
  });

  test('results in the order of a field', async () => {
    const { points } = await client.query('docs', { query: { order_by: 'n' }, limit: 2 });
    expect(points.map(({ order_value }) => order_value)).toEqual([0, 0]);
    const order_by = { key: 'n', direction: 'desc', start_from: 3 } as const;
    const page = await client.scroll('docs', { order_by, limit: 10 });
    expect(page.points.map(({ order_value }) => order_value)).toEqual([2, 2, 0, 0]);
    expect(page.next_page_offset).toBeNull();
    const refused = client.scroll('docs', { order_by, offset: 3 });
    await expect(refused).rejects.toMatchObject({ status: 400 });
  });

  test('what prefetches want counts among the results of a request', async () => {
    const small = await serveHere({ limits: { results: 20 } });
    await call(small, 'PUT', '/collections/docs', { vectors: { size: 2, distance: 'Dot' } });
    const nested = (inner: number) => ({
      prefetch: { query: [1, 0], limit: inner },
      query: [1, 0],
      limit: 5,
    });
    const formula = { formula: '$score' };
    const shapes = [
      (inner: number) => nested(inner + 5),
      (inner: number) => ({ ...nested(0), prefetch: nested(inner) }),
      (inner: number) => ({ ...nested(0), prefetch: nested(inner), query: formula }),
    ];
    for (const shape of shapes) {
      const answers = [10, 11].map((inner) =>
        call(small, 'POST', '/collections/docs/points/query', shape(inner)),
      );
      expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 400]);
    }
    const groups = [10, 11].map((limit) =>
      call(small, 'POST', '/collections/docs/points/query/groups', {
        ...nested(limit),
        limit: 5,
        group_size: 2,
        group_by: 'n',
      }),
    );
    const answers = await Promise.all(groups);
    expect(answers.map(({ status }) => status)).toEqual([200, 400]);
    expect(answers[1]!.body.status.error).toMatch(/from 0 to 20, received 21/);
  });

  test('results that differ', async () => {
    const ask = (diversity: number) =>
      client.query('docs', {
        query: { nearest: [1, 0], mmr: { diversity, candidates_limit: 6 } },
        using: 'a',
        limit: 2,
      });
    expect(idsOf(await ask(0))).toEqual([5, 4]);
    expect(idsOf(await ask(1))).toEqual([5, 0]);
  });

  test('words and vectors', async () => {
    const index = await call(server, 'PUT', '/v1/collections/docs/text-indexes/text', {
      tokenizer: 'porter',
    });
    expect(index.body).toEqual({ created: true });
    const ask = async (body: object) => {
      const answer = await call(server, 'POST', '/collections/docs/points/query', body);
      expect(answer.status).toBe(200);
      return idsOf(answer.body.result);
    };
    const text = { field: 'text', match: 'shoe' };
    expect((await ask({ query: { text } })).sort()).toEqual([1, 3, 5]);
    const prefetch = [
      { query: { text }, limit: 3 },
      { query: [1, 0], using: 'a', limit: 1 },
    ];
    expect((await ask({ prefetch, query: { fusion: 'rrf' } }))[0]).toBe(5);
    const gone = await call(server, 'DELETE', '/v1/collections/docs/text-indexes/text');
    expect(gone.body).toEqual({ deleted: true });
  });

  test('an index of words without options, and without a body', async () => {
    const path = '/v1/collections/docs/text-indexes/text';
    const type = { 'content-type': 'application/json' };
    for (const headers of [{}, type]) {
      const { status, body } = await call(server, 'PUT', path, undefined, headers);
      expect({ status, body }).toEqual({ status: 200, body: { created: true } });
      const query = { text: { field: 'text', match: 'shoes' } };
      const found = await call(server, 'POST', '/collections/docs/points/query', { query });
      expect(found.status).toBe(200);
      expect((await call(server, 'DELETE', path)).body).toEqual({ deleted: true });
    }
    expect((await call(server, 'PUT', path, 'null', type)).status).toBe(400);
  });

  test('a depth of nine is refused', async () => {
    let prefetch: object = { query: [1, 0], using: 'a' };
    for (let i = 0; i < 8; i++) prefetch = { prefetch, query: [1, 0], using: 'a' };
    const body = { prefetch, query: [1, 0], using: 'a' };
    const answer = await call(server, 'POST', '/collections/docs/points/query', body);
    expect([answer.status, answer.body.status.error]).toEqual([
      400,
      expect.stringMatching(/at most 8/),
    ]);
  });

  test.each([
    ['formulas in formulas', 3000, '{ "query": { "formula": "$score" }, "prefetch":', '}'],
    ['lists in a vector', 20_000, '{ "query":', '}'],
  ])('%s without end are refused', async (what, depth, before, after) => {
    const isVector = what.includes('vector');
    const [open, close] = isVector ? ['[', ']'] : [before, after];
    const inner = open.repeat(depth) + (isVector ? '1' : '{ "query": [1, 0], "using": "a" }');
    const nested = inner + close.repeat(depth);
    const body = isVector ? `{ "query": ${nested}, "using": "a" }` : nested;
    const answer = await call(server, 'POST', '/collections/docs/points/query', body);
    expect(answer.status).toBe(400);
  });

  test('prefetches for a formula are at most 64', async () => {
    const one = { query: [1, 0], using: 'a', limit: 1 };
    const ask = async (count: number) => {
      const body = { query: { formula: '$score' }, prefetch: Array(count).fill(one) };
      return (await call(server, 'POST', '/collections/docs/points/query', body)).status;
    };
    expect([await ask(64), await ask(65)]).toEqual([200, 400]);
  });
});
