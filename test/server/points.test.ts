import { describe, expect, test } from 'vitest';
import { BIG, POINTS, servePoints, UUID } from './three-points.js';

const { send, put, post } = servePoints();

describe('ids', () => {
  test('of 64 bits are exact in JSON, wherever they stand', async () => {
    await put('', `{"points":[{"id":${BIG},"vector":[5,5]},{"id":${BIG - 1n},"vector":[4,4]}]}`);
    const texts = [
      await send('GET', `${POINTS}/${BIG}`),
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
    expect((await send('GET', `${POINTS}/${BIG}`)).status).toBe(404);
    expect((await send('GET', `${POINTS}/${BIG - 1n}`)).status).toBe(200);
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
    expect((await send('GET', `${POINTS}/${BIG + 1n}`)).status).toBe(400);
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
    const { body } = await send('GET', `${POINTS}/9`);
    expect(body.result.vector).toEqual([2, 2]);
  });

  test('of vectors of one point several times are as if in order', async () => {
    const vectors = { a: { size: 1, distance: 'Dot' }, b: { size: 1, distance: 'Dot' } };
    await send('PUT', '/collections/n', { vectors });
    const path = '/collections/n/points';
    await send('PUT', path, { points: [{ id: 1, vector: { a: [1], b: [1] } }] });
    const update = (list: object[]) => {
      const points = list.map((vector) => ({ id: 1, vector }));
      return send('PUT', `${path}/vectors`, { points });
    };
    expect((await update([{ a: [2] }, { b: [3] }, { a: [4] }])).status).toBe(200);
    expect((await send('GET', `${path}/1`)).body.result.vector).toEqual({ a: [4], b: [3] });
    expect((await update([{}])).status).toBe(422);
  });

  test('of points that are not there change nothing', async () => {
    const answer = await post('/payload', { payload: { n: 9 }, points: [1, 999] });
    expect(answer.status).toBe(404);
    expect((await send('GET', `${POINTS}/1`)).body.result.payload.n).toBe(1);
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
  const answer = await send(
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
  expect((await send('GET', '/collections/')).status).toBe(200);
});

test('a vector cannot have a name that objects do not have as others', async () => {
  const body = '{ "vectors": { "__proto__": { "size": 2, "distance": "Dot" } } }';
  expect((await send('PUT', '/collections/b', body)).status).toBe(400);
});
