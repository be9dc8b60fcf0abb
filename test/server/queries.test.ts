import { beforeEach, describe, expect, test } from 'vitest';
import { idsOf, POINTS, servePoints, UUID } from './three-points.js';

const { send, put, post } = servePoints();

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
    const { status } = await send('POST', `${POINTS}/query?timeout=${timeout}`, {});
    expect(status).toBe(422);
  });
});

describe('other collections', () => {
  beforeEach(async () => {
    const vectors = { image: { size: 2, distance: 'Dot' } };
    await send('PUT', '/collections/b', { vectors });
    const points = [
      { id: 1, vector: { image: [0, 1] }, payload: { of: 'b' } },
      { id: UUID, vector: {} },
    ];
    expect((await send('PUT', '/collections/b/points', { points })).status).toBe(200);
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
