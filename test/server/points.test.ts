import { decode, encode } from '@msgpack/msgpack';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Server } from '../../src/server/index.js';
import { type Answer, call, serveHere } from './support.js';

const POINTS = '/collections/a/points';
const BIG = 2n ** 64n - 1n;
const UUID = '936da01f-9abd-4d9d-80c7-02af85c822a8';

let server: Server;

beforeEach(async () => {
  server = await serveHere();
  const vectors = { size: 2, distance: 'Dot' };
  expect((await call(server, 'PUT', '/collections/a', { vectors })).status).toBe(200);
  const points = [
    { id: 1, vector: [1, 0], payload: { n: 1, tags: ['x', 'y'] } },
    { id: 2, vector: [0, 1], payload: { n: 2 } },
    { id: UUID, vector: [1, 1] },
  ];
  expect((await call(server, 'PUT', `${POINTS}?wait=true`, { points })).status).toBe(200);
});

const put = (path: string, body: unknown) => call(server, 'PUT', POINTS + path, body);
const post = (path: string, body: unknown) => call(server, 'POST', POINTS + path, body);
const idsOf = ({ body }: Answer) => body.result.points.map(({ id }: { id: unknown }) => id);

describe('ids', () => {
  test('of 64 bits are exact in JSON, wherever they stand', async () => {
    await put('', `{"points":[{"id":${BIG},"vector":[5,5]},{"id":${BIG - 1n},"vector":[4,4]}]}`);
    const texts = [
      await call(server, 'GET', `${POINTS}/${BIG}`),
      await post('', `{"ids":[${BIG}]}`),
      await post('/query', { query: [1, 1], limit: 1 }),
      await post('/query', `{"query":${BIG - 1n},"limit":1}`),
      await post('/query', `{"query":[1,1],"filter":{"must":{"has_id":[${BIG}]}}}`),
      await post('/scroll', `{"offset":${BIG},"limit":1}`),
    ];
    for (const { status, text } of texts) {
      expect(status).toBe(200);
      expect(text).toMatch(new RegExp(`"id":${BIG}[,}]`));
    }
    const page = await post('/scroll', { limit: 3 });
    expect(page.text).toContain(`"next_page_offset":${BIG}`);
    await post('/delete', `{"points":[${BIG}]}`);
    expect((await call(server, 'GET', `${POINTS}/${BIG}`)).status).toBe(404);
    expect((await call(server, 'GET', `${POINTS}/${BIG - 1n}`)).status).toBe(200);
  });

  test.each([
    UUID.toUpperCase(),
    UUID.replaceAll('-', ''),
    `urn:uuid:${UUID}`,
  ])('%s is that UUID', async (spelled) => {
    expect((await post('', { ids: [spelled] })).body.result[0].id).toBe(UUID);
    const has = { must: [{ should: [{ has_id: [spelled] }] }] };
    expect((await post('/count', { filter: has })).body.result.count).toBe(1);
  });

  test.each([
    -1,
    1.5,
    'name',
    '1',
    null,
    true,
    [1],
    {},
    '18446744073709551616',
  ])('%j is none', async (id) => {
    for (const answer of [
      await put('', { points: [{ id, vector: [1, 1] }] }),
      await post('', { ids: [id] }),
      await post('/delete', { points: [id] }),
      await post('/count', { filter: { must: { has_id: [id] } } }),
    ]) {
      expect(answer.status).toBe(400);
    }
  });

  test('of 65 bits are none', async () => {
    expect((await post('', `{"ids":[${BIG + 1n}]}`)).status).toBe(400);
    expect((await call(server, 'GET', `${POINTS}/${BIG + 1n}`)).status).toBe(400);
  });
});

describe('writes', () => {
  test('in columns', async () => {
    const batch = {
      ids: [7, 8],
      vectors: [
        [1, 2],
        [3, 4],
      ],
      payloads: [{ a: 1 }, null],
    };
    expect((await put('', { batch })).status).toBe(200);
    const { body } = await post('', { ids: [7, 8], with_vector: true });
    expect(body.result).toEqual([
      { id: 7, payload: { a: 1 }, vector: [1, 2] },
      { id: 8, payload: {}, vector: [3, 4] },
    ]);
    const short = await put('', { batch: { ids: [7, 8], vectors: [[1, 2]] } });
    expect(short.status).toBe(400);
  });

  test('of one id several times leave the last', async () => {
    await put('', {
      points: [
        { id: 9, vector: [1, 1] },
        { id: 9, vector: [2, 2] },
      ],
    });
    const { body } = await call(server, 'GET', `${POINTS}/9`);
    expect(body.result.vector).toEqual([2, 2]);
  });

  test('of vectors of one point several times are as if in order', async () => {
    const vectors = { a: { size: 1, distance: 'Dot' }, b: { size: 1, distance: 'Dot' } };
    await call(server, 'PUT', '/collections/n', { vectors });
    const path = '/collections/n/points';
    await call(server, 'PUT', path, { points: [{ id: 1, vector: { a: [1], b: [1] } }] });
    const update = (list: object[]) => {
      const points = list.map((vector) => ({ id: 1, vector }));
      return call(server, 'PUT', `${path}/vectors`, { points });
    };
    expect((await update([{ a: [2] }, { b: [3] }, { a: [4] }])).status).toBe(200);
    expect((await call(server, 'GET', `${path}/1`)).body.result.vector).toEqual({ a: [4], b: [3] });
    expect((await update([{}])).status).toBe(422);
  });

  test('of points that are not there change nothing', async () => {
    const answer = await post('/payload', { payload: { n: 9 }, points: [1, 999] });
    expect(answer.status).toBe(404);
    expect((await call(server, 'GET', `${POINTS}/1`)).body.result.payload.n).toBe(1);
  });

  test('say which operation of a batch is wrong; those before it are done', async () => {
    const answer = await post('/batch', {
      operations: [{ delete: { points: [1] } }, { upsert: { points: [{ id: 3, vector: [1] }] } }],
    });
    expect(answer.status).toBe(400);
    expect(answer.body.status.error).toMatch(
      /Vector dimension error: expected dim: 2, got 1 \(points\[0\].vector\)/,
    );
    expect((await post('/count', {})).body.result.count).toBe(2);
    expect((await post('/batch', { operations: [{}] })).body.status.error).toMatch(
      /operations\[0\]/,
    );
  });

  test.each([
    [{}, /points or filter/],
    [{ points: [1], filter: {} }, /both are given/],
    [{ points: [1], shard: 1 }, /additional properties: 'shard'/],
    [{ points: 1 }, /body.points must be array/],
    [{ filter: { must: [{ key: 'n', match: { like: 'a' } }] } }, /filter.must\[0\].match/],
  ])('delete %j is refused', async (body, message) => {
    const answer = await post('/delete', body);
    expect([answer.status, answer.body.status.error]).toEqual([
      400,
      expect.stringMatching(message),
    ]);
  });

  test('are acknowledged, or completed where that is asked for', async () => {
    const points = [{ id: 1, vector: [1, 1] }];
    const first = await put('', { points });
    const second = await put('?wait=true', { points });
    expect([first.body.result.status, second.body.result.status]).toEqual([
      'acknowledged',
      'completed',
    ]);
    expect(second.body.result.operation_id).toBe(first.body.result.operation_id + 1);
  });
});

describe('queries', () => {
  test('null is as if it were not there', async () => {
    const answer = await post('/query', {
      query: [1, 0],
      filter: null,
      params: null,
      limit: null,
      offset: null,
      with_payload: null,
      with_vector: null,
      score_threshold: null,
      using: null,
      prefetch: null,
      shard_key: null,
    });
    expect(idsOf(answer)).toHaveLength(3);
    expect(answer.body.result.points[0]).not.toHaveProperty('payload');
  });

  test('thresholds, parts of payloads, offsets', async () => {
    const answer = await post('/query', {
      query: [1, 0.1],
      score_threshold: 0.5,
      offset: 1,
      with_payload: ['n'],
    });
    expect(answer.body.result.points).toEqual([{ id: 1, version: 0, score: 1, payload: { n: 1 } }]);
    const without = await post('/query', {
      query: 2,
      with_payload: { exclude: ['tags'] },
      limit: 5,
    });
    expect(without.body.result.points.at(-1)).toEqual({
      id: 1,
      version: 0,
      score: 0,
      payload: { n: 1 },
    });
  });

  test('like some points and unlike others, without these', async () => {
    await put('', {
      points: [
        { id: 5, vector: [3, -1] },
        { id: 6, vector: [-1, 3] },
      ],
    });
    const ask = async (recommend: object) => idsOf(await post('/query', { query: { recommend } }));
    // The mean of 1 is [1, 0]; of 1 and away from 2 it is [2, -1].
    expect(await ask({ positive: [1] })).toEqual([5, UUID, 2, 6]);
    expect(await ask({ positive: [1], negative: [2] })).toEqual([5, UUID, 6]);
    expect(
      await ask({
        positive: [
          [0, 1],
          [0, 3],
        ],
      }),
    ).toEqual([6, expect.anything(), expect.anything(), 1, 5]);
    const missing = await post('/query', { query: { recommend: { positive: [99] } } });
    expect(missing.status).toBe(404);
  });

  test('how it searches is told by params', async () => {
    const exact = {
      exact: true,
      hnsw_ef: 10,
      quantization: { rescore: true, oversampling: 2, ignore: false },
    };
    expect(idsOf(await post('/query', { query: [1, 0.5], params: exact }))).toEqual([UUID, 1, 2]);
  });

  test.each([
    [{ prefetch: {} }, /A query is needed|without a query/],
    [{ prefetch: { query: [1, 1], using: 1 }, query: [1, 1] }, /prefetch.using/],
    [{ prefetch: { query: [1, 1], more: 1 }, query: [1, 1] }, /a member of query prefetch/],
    [{ query: { fusion: 'rrf' } }, /fusion must be with prefetch/],
    [{ query: { fusion: 'sum' }, prefetch: { query: [1, 1] } }, /query.fusion must be rrf or dbsf/],
    [{ query: { order_by: 'n' } }, /index/],
    [{ query: { text: { field: 'n', match: 'a' } } }, /text index|createTextIndex/],
    [{ query: { nearest: [1, 1], mmr: { diversity: 2 } } }, /diversity/],
    [{ query: { nearest: [1, 1], mmr: { more: 2 } } }, /a member of query.mmr/],
    [{ query: { recommend: { positive: [[1]] } } }, /expected dim: 2, got 1/],
    [{ query: { discover: { pairs: [] } } }, /a member of query.discover/],
    [{ query: { sample: 'some' } }, /query.sample must be random/],
    [{ query: { indices: [1], values: [1] } }, /vector must be an array/],
    [{ query: { text: 'hello', model: 'm' } }, /texts or images/],
    [{ query: [1, 1], params: { indexed_only: true } }, /indexed_only: /],
    [{ query: [1, 1], using: 'image' }, /image/],
    [{ query: [1, 1, 1] }, /Vector dimension error: expected dim: 2, got 3/],
    [{ query: [] }, /Vector dimension error/],
    [{ query: [1, null] }, /vector\[1\] must be a number/],
    [{ query: [1, 1], strange: 1 }, /additional properties: 'strange'/],
    [{ query: [1, 1], limit: '3' }, /body.limit must be integer/],
    [{ query: [1, 1], offset: -1 }, /Format error .*body.offset must be >= 0/],
    [{ query: 999 }, /no point|not there|999/],
  ])('%j is refused, and says why', async (body, message) => {
    const answer = await post('/query', body);
    expect(answer.status).toBe(message.source.includes('no point') ? 404 : 400);
    expect(answer.body.status.error).toMatch(message);
  });

  test.each([
    [{ query: [1, 1], limit: 0 }, /body.limit must be >= 1/],
    [{ query: [1, 1], score_threshold: 1, limit: 0 }, /body.limit must be >= 1/],
    [{ query: [1, 1], params: { hnsw_ef: 0 } }, /body.params.hnsw_ef/],
    [{ query: { recommend: { negative: [1] } } }, /at least one example/],
    [{ query: { indices: [1, 2], values: [1] } }, /same length as indices/],
    [
      { query: [1, 1], filter: { must: { key: 'n' } } },
      /filter.must: At least one field condition/,
    ],
  ])('%j is of the right type and out of range: 422', async (body, message) => {
    const answer = await post('/query', body);
    expect([answer.status, answer.body.status.error]).toEqual([
      422,
      expect.stringMatching(message),
    ]);
  });

  test('an error in one of a batch is that of all', async () => {
    const answer = await post('/query/batch', { searches: [{ query: [1, 1] }, { query: [1] }] });
    expect(answer.status).toBe(400);
    const good = await post('/query/batch', {
      searches: [
        { query: [1, -1], limit: 1 },
        { limit: 1, offset: 1 },
        { query: [-1, 1], limit: 1 },
      ],
    });
    const first = ({ points }: { points: { id: unknown }[] }) => points[0]!.id;
    expect(good.body.result.map(first)).toEqual([1, 2, 2]);
  });

  test.each(['0', '-1', 'x', '1.5', ''])('a timeout of %j is refused', async (timeout) => {
    const { status } = await call(server, 'POST', `${POINTS}/query?timeout=${timeout}`, {});
    expect(status).toBe(422);
  });
});

describe('other collections', () => {
  beforeEach(async () => {
    const vectors = { image: { size: 2, distance: 'Dot' } };
    await call(server, 'PUT', '/collections/b', { vectors });
    const points = [
      { id: 1, vector: { image: [0, 1] }, payload: { of: 'b' } },
      { id: UUID, vector: {} },
    ];
    expect((await call(server, 'PUT', '/collections/b/points', { points })).status).toBe(200);
  });

  test('give the vector to look for', async () => {
    const lookup_from = { collection: 'b', vector: 'image' };
    const query = { query: 1, lookup_from, limit: 1, filter: { must_not: { has_id: [UUID] } } };
    // It is the vector of another point 1, so that of this collection may be found.
    expect(idsOf(await post('/query', query))).toEqual([2]);
    expect(
      idsOf(await post('/query', { query: { nearest: [1, 0] }, lookup_from, limit: 3 })),
    ).toContain(1);
    for (const missing of [
      { ...query, query: 99 },
      { ...query, query: UUID },
    ]) {
      expect((await post('/query', missing)).status).toBe(404);
    }
    const nowhere = await post('/query', { query: 1, lookup_from: { collection: 'c' } });
    expect(nowhere.status).toBe(404);
  });

  test('give the points that groups are named by', async () => {
    const payload = { author: [1, UUID.toUpperCase(), 'nobody', -5] };
    await post('/payload', { payload, points: [2] });
    const ask = async (with_lookup: unknown) => {
      const body = { query: [0, 1], group_by: 'author', with_lookup };
      return (await post('/query/groups', body)).body.result.groups;
    };
    const found = await ask('b');
    expect(found.map(({ id, lookup }: { id: unknown; lookup: unknown }) => [id, lookup])).toEqual([
      [1, { id: 1, payload: { of: 'b' } }],
      [UUID.toUpperCase(), { id: UUID, payload: {} }],
      ['nobody', undefined],
      [-5, undefined],
    ]);
    const bare = await ask({ collection: 'b', with_payload: false, with_vectors: true });
    expect(bare[0].lookup).toEqual({ id: 1, vector: { image: [0, 1] } });
  });
});

describe('msgpack', () => {
  const bytesOf = (...numbers: number[]) => new Uint8Array(Float32Array.from(numbers).buffer);

  async function pack(method: string, path: string, body: unknown, accept = 'application/msgpack') {
    const response = await fetch(server.url + POINTS + path, {
      method,
      headers: { 'content-type': 'application/msgpack', accept },
      body: Buffer.from(encode(body, { useBigInt64: true })),
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of all shapes.
    return { status: response.status, body: decode(bytes, { useBigInt64: true }) as any };
  }

  test('vectors as float32 bytes, in and out', async () => {
    const points = [{ id: BIG, vector: bytesOf(0.25, 3), payload: { time: 1_700_000_000_000n } }];
    expect((await pack('PUT', '', { points })).body).toMatchObject({ status: 'ok' });
    const found = await pack('POST', '/query', {
      query: bytesOf(0, 1),
      limit: 1,
      with_vector: true,
      with_payload: true,
    });
    const [hit] = found.body.result.points;
    expect(hit).toMatchObject({ id: BIG, score: 3, payload: { time: 1_700_000_000_000n } });
    expect(hit.vector).toEqual(bytesOf(0.25, 3));
    // The same in JSON.
    const { body } = await call(server, 'POST', POINTS, `{"ids":[${BIG}],"with_vector":true}`);
    expect(body.result[0]).toMatchObject({
      vector: [0.25, 3],
      payload: { time: 1_700_000_000_000 },
    });
  });

  test('numbers in lists do as well, and rows of several vectors', async () => {
    const multivector_config = { comparator: 'max_sim' };
    await call(server, 'PUT', '/collections/m', {
      vectors: { size: 2, distance: 'Dot', multivector_config },
    });
    const path = '/../../m/points';
    expect(
      (await pack('PUT', path, { points: [{ id: 1, vector: [bytesOf(1, 0), bytesOf(0, 1)] }] }))
        .status,
    ).toBe(200);
    expect(
      (await pack('PUT', path, { points: [{ id: 2, vector: bytesOf(1, 0, 2, 0, 3, 0) }] })).status,
    ).toBe(200);
    const { body } = await pack('POST', `${path}/query`, {
      query: [
        [1, 0],
        [0, 1],
      ],
      params: { exact: true },
      with_vector: true,
    });
    expect(body.result.points.map(({ score }: { score: number }) => score)).toEqual([3, 2]);
    expect(body.result.points[0].vector).toEqual([bytesOf(1, 0), bytesOf(2, 0), bytesOf(3, 0)]);
  });

  test.each([
    { query: Uint8Array.of(1, 2, 3) },
    { query: bytesOf(1) },
    { query: [Uint8Array.of(1)] },
    { query: bytesOf(Number.NaN, 1) },
  ])('bytes that are no vector are refused', async (body) => {
    expect((await pack('POST', '/query', body)).status).toBe(400);
  });

  test('what is no msgpack is refused, and errors are told in msgpack too', async () => {
    const response = await fetch(`${server.url}${POINTS}/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/msgpack', accept: 'application/msgpack' },
      body: Buffer.of(0xc1),
    });
    expect(response.status).toBe(400);
    const body = decode(new Uint8Array(await response.arrayBuffer())) as {
      status: { error: string };
    };
    expect(body.status.error).toMatch(/^Format error in msgpack body: /);
  });
});

test.each([
  ['GET', '/collections/a/cluster', 405, /standalone mode/],
  ['PUT', '/collections/a/shards', 405, /standalone mode/],
  ['POST', '/collections/a/points/recommend', 501, /Not implemented/],
  ['POST', '/collections/a/points/discover', 501, /Not implemented/],
  ['POST', '/snapshots', 501, /of one collection/],
  ['GET', '/nowhere', 404, /nothing at this path/],
  ['PATCH', '/collections', 404, /nothing at this path/],
  ['GET', '/collections/none', 404, /Collection `none` doesn't exist!/],
  ['GET', '/collections/a/points/999', 404, /Point with id 999/],
  ['GET', '/collections/a%2Fb', 422, /Validation error in path: collection_name/],
  ['PUT', '/collections/a', 415, /Unsupported Media Type/],
])('%s %s is %i', async (method, path, status, message) => {
  const isText = status === 415;
  const answer = await call(
    server,
    method,
    path,
    isText ? 'x' : undefined,
    isText ? { 'content-type': 'text/csv' } : {},
  );
  expect([answer.status, answer.body.status.error]).toEqual([
    status,
    expect.stringMatching(message),
  ]);
});

test('paths end with a slash or without', async () => {
  expect((await call(server, 'GET', '/collections/')).status).toBe(200);
});

test('a vector cannot have a name that objects do not have as others', async () => {
  const body = '{ "vectors": { "__proto__": { "size": 2, "distance": "Dot" } } }';
  expect((await call(server, 'PUT', '/collections/b', body)).status).toBe(400);
});
