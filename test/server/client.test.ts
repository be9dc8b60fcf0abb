import { join } from 'node:path';
import { QdrantClient } from '@qdrant/js-client-rest';
import { beforeEach, describe, expect, test } from 'vitest';
import { emptyFolder, serveHere } from './support.js';

/** The real client, unmodified, on a server of its own. */
async function connect(folder?: string): Promise<QdrantClient> {
  const { url } = await serveHere({}, folder);
  return new QdrantClient({ url });
}

const CITIES = [
  {
    id: 1,
    vector: [0.05, 0.61, 0.76, 0.74],
    payload: { city: 'Berlin', count: 1_000_000, coords: { lat: 1, lon: 2 } },
  },
  { id: 2, vector: [0.19, 0.81, 0.75, 0.11], payload: { city: ['Berlin', 'London'] } },
  { id: 3, vector: [0.36, 0.55, 0.47, 0.94], payload: { city: ['Berlin', 'Moscow'] } },
  { id: 4, vector: [0.18, 0.01, 0.85, 0.8], payload: { city: ['London', 'Moscow'] } },
  { id: Number.MAX_SAFE_INTEGER, vector: [0.19, 0.81, 0.75, 0.11] },
  {
    id: '98a9a4b1-4ef2-46fb-8315-a97d874fe1d7',
    vector: [0.24, 0.18, 0.22, 0.44],
    payload: { count: [0] },
  },
  { id: 'f0e09527-b096-42a8-94e9-ea94d342b925', vector: [0.35, 0.08, 0.11, 0.44] },
];

const QUERY = [0.2, 0.1, 0.9, 0.7];
const IN_LONDON = { should: [{ key: 'city', match: { value: 'London' } }] };

/** Ids by inner product, computed here. */
function bestIds(query: number[], k: number): unknown[] {
  const dot = (vector: number[]) => vector.reduce((sum, x, i) => sum + x * query[i]!, 0);
  return [...CITIES]
    .sort((a, b) => dot(b.vector) - dot(a.vector))
    .slice(0, k)
    .map(({ id }) => id);
}

describe('the client of Qdrant for JavaScript', () => {
  let client: QdrantClient;

  beforeEach(async () => {
    client = await connect();
    await client.createCollection('cities', {
      vectors: { size: 4, distance: 'Dot' },
      optimizers_config: { default_segment_number: 2 },
      replication_factor: 2,
    });
    const result = await client.upsert('cities', { wait: true, points: CITIES });
    expect(result).toMatchObject({ operation_id: expect.any(Number), status: 'completed' });
  });

  test('finds a server and its version', async () => {
    expect(await client.versionInfo()).toMatchObject({ version: '1.18.0' });
    const { data } = await client.api().telemetry({});
    expect(data).toMatchObject({
      status: 'ok',
      result: { app: { name: 'qdrant', version: '1.18.0' } },
    });
  });

  test('makes, describes, lists and deletes collections', async () => {
    expect(await client.getCollections()).toEqual({ collections: [{ name: 'cities' }] });
    expect(await client.getCollection('cities')).toMatchObject({
      status: 'green',
      points_count: 7,
      config: { params: { vectors: { size: 4, distance: 'Dot' }, replication_factor: 2 } },
    });
    expect(await client.collectionExists('cities')).toEqual({ exists: true });
    expect(await client.deleteCollection('cities')).toBe(true);
    expect(await client.deleteCollection('cities')).toBe(false);
    expect(await client.collectionExists('cities')).toEqual({ exists: false });
    await expect(client.getCollection('cities')).rejects.toMatchObject({ status: 404 });
  });

  test('is told that a collection exists', async () => {
    const again = client.createCollection('cities', { vectors: { size: 4, distance: 'Dot' } });
    await expect(again).rejects.toMatchObject({
      status: 409,
      data: { status: { error: 'Wrong input: Collection `cities` already exists!' } },
    });
  });

  test('reads points as they were written', async () => {
    const { data } = await client.api().getPoint({ collection_name: 'cities', id: 2 });
    expect(data.result).toEqual({
      id: 2,
      payload: { city: ['Berlin', 'London'] },
      vector: [0.19, 0.81, 0.75, 0.11],
    });
    const found = await client.retrieve('cities', {
      ids: [1, 999, CITIES[5]!.id],
      with_vector: true,
    });
    expect(found.map(({ id }) => id)).toEqual([1, CITIES[5]!.id]);
    expect(found[1]!.vector).toEqual(CITIES[5]!.vector);
  });

  test('searches, with and without a filter', async () => {
    const hits = await client.search('cities', { vector: QUERY, limit: 3 });
    expect(hits.map(({ id }) => id)).toEqual(bestIds(QUERY, 3));
    const filtered = await client.search('cities', { vector: QUERY, filter: IN_LONDON, limit: 3 });
    expect(filtered.map(({ id }) => id)).toEqual([4, 2]);
    const [one, two] = await client.searchBatch('cities', {
      searches: [
        { vector: QUERY, limit: 3 },
        { vector: QUERY, limit: 1, with_payload: true },
      ],
    });
    expect(one).toHaveLength(3);
    expect(two![0]).toMatchObject({ id: 4, payload: { city: ['London', 'Moscow'] } });
  });

  test('queries, by vector and by point', async () => {
    const { points } = await client.query('cities', { query: QUERY, limit: 3, with_payload: true });
    expect(points.map(({ id }) => id)).toEqual(bestIds(QUERY, 3));
    expect(points[0]!.payload).toEqual({ city: ['London', 'Moscow'] });
    const like = await client.query('cities', { query: 4, limit: 10 });
    expect(like.points.map(({ id }) => id)).not.toContain(4);
    expect(like.points).toHaveLength(6);
    const [batch] = await client.queryBatch('cities', {
      searches: [{ query: { nearest: QUERY }, limit: 3, filter: IN_LONDON }],
    });
    expect(batch!.points.map(({ id }) => id)).toEqual([4, 2]);
    const all = await client.query('cities', { limit: 2, offset: 1 });
    expect(all.points.map(({ id }) => id)).toEqual([2, 3]);
    const exact = await client.query('cities', {
      query: QUERY,
      params: { exact: true, hnsw_ef: 64 },
    });
    expect(exact.points.map(({ id }) => id)).toEqual(bestIds(QUERY, 7));
  });

  test('queries in groups', async () => {
    const { groups } = await client.queryGroups('cities', {
      query: QUERY,
      group_by: 'city',
      limit: 2,
      group_size: 1,
    });
    expect(groups.map(({ id, hits }) => [id, hits[0]!.id])).toEqual([
      ['London', 4],
      ['Moscow', 4],
    ]);
    const legacy = await client.searchPointGroups('cities', {
      vector: QUERY,
      group_by: 'city',
      limit: 3,
      group_size: 2,
    });
    expect(legacy.groups).toHaveLength(3);
  });

  test('scrolls, counts and facets', async () => {
    const first = await client.scroll('cities', { limit: 5 });
    expect(first.points.map(({ id }) => id)).toEqual([1, 2, 3, 4, Number.MAX_SAFE_INTEGER]);
    expect(first.next_page_offset).toBe(CITIES[5]!.id);
    const rest = await client.scroll('cities', {
      limit: 5,
      offset: first.next_page_offset! as string,
    });
    expect(rest.points).toHaveLength(2);
    expect(rest.next_page_offset).toBeNull();
    expect(await client.count('cities', { filter: IN_LONDON })).toEqual({ count: 2 });
    const { hits } = await client.facet('cities', { key: 'city' });
    expect(hits).toContainEqual({ value: 'Berlin', count: 3 });
  });

  test('changes payloads', async () => {
    const payloadOf = async (id: number) =>
      (await client.retrieve('cities', { ids: [id] }))[0]!.payload;
    await client.setPayload('cities', { payload: { seen: true }, points: [1], wait: true });
    expect(await payloadOf(1)).toMatchObject({ city: 'Berlin', seen: true });
    await client.setPayload('cities', {
      payload: { alt: 5 },
      key: 'coords',
      filter: { must: [{ has_id: [1] }] },
    });
    expect(await payloadOf(1)).toMatchObject({ coords: { lat: 1, lon: 2, alt: 5 } });
    await client.overwritePayload('cities', { payload: { only: 1 }, points: [2] });
    expect(await payloadOf(2)).toEqual({ only: 1 });
    await client.deletePayload('cities', { keys: ['seen', 'coords.alt'], points: [1] });
    expect(await payloadOf(1)).toEqual(CITIES[0]!.payload);
    await client.clearPayload('cities', { points: [1] });
    expect(await payloadOf(1)).toEqual({});
  });

  test('deletes points, by id and by filter', async () => {
    await client.delete('cities', { points: [1, 999], wait: true });
    expect(await client.count('cities')).toEqual({ count: 6 });
    await client.delete('cities', {
      filter: { must: { key: 'city', match: { any: ['Moscow'] } } },
    });
    expect(await client.count('cities')).toEqual({ count: 4 });
  });

  test('does several writes at once', async () => {
    const results = await client.batchUpdate('cities', {
      wait: true,
      operations: [
        { upsert: { points: [{ id: 10, vector: [1, 0, 0, 0], payload: { a: 1 } }] } },
        { set_payload: { payload: { b: 2 }, points: [10] } },
        { update_vectors: { points: [{ id: 10, vector: [0, 1, 0, 0] }] } },
        { delete: { points: [1] } },
      ],
    });
    expect(results.map(({ status }) => status)).toEqual(Array(4).fill('completed'));
    const [point] = await client.retrieve('cities', { ids: [10], with_vector: true });
    expect(point).toMatchObject({ payload: { a: 1, b: 2 }, vector: [0, 1, 0, 0] });
    expect(await client.count('cities')).toEqual({ count: 7 });
  });

  test('indexes payload fields, again and again', async () => {
    const field = { field_name: 'city', field_schema: 'keyword' } as const;
    expect(await client.createPayloadIndex('cities', field)).toMatchObject({
      status: 'acknowledged',
    });
    expect(await client.createPayloadIndex('cities', { ...field, wait: true })).toMatchObject({
      status: 'completed',
    });
    const { payload_schema } = await client.getCollection('cities');
    expect(payload_schema).toEqual({ city: { data_type: 'keyword', points: 4 } });
    await client.deletePayloadIndex('cities', 'city');
    expect((await client.getCollection('cities')).payload_schema).toEqual({});
  });

  test('uses aliases', async () => {
    const create = { create_alias: { alias_name: 'places', collection_name: 'cities' } };
    expect(await client.updateCollectionAliases({ actions: [create] })).toBe(true);
    expect(await client.count('places')).toEqual({ count: 7 });
    await client.updateCollectionAliases({
      actions: [{ rename_alias: { old_alias_name: 'places', new_alias_name: 'towns' } }],
    });
    const known = { aliases: [{ alias_name: 'towns', collection_name: 'cities' }] };
    expect(await client.getAliases()).toEqual(known);
    expect(await client.getCollectionAliases('cities')).toEqual(known);
    await client.updateCollectionAliases({ actions: [{ delete_alias: { alias_name: 'towns' } }] });
    await expect(client.count('towns')).rejects.toMatchObject({ status: 404 });
  });
});

test('vectors by name, and several that are compared as one', async () => {
  const client = await connect();
  await client.createCollection('docs', {
    vectors: {
      title: { size: 2, distance: 'Euclid' },
      tokens: { size: 3, distance: 'Dot', multivector_config: { comparator: 'max_sim' } },
    },
  });
  await client.upsert('docs', {
    points: [
      {
        id: 1,
        vector: {
          title: [0, 0],
          tokens: [
            [1, 0, 0],
            [0, 1, 0],
          ],
        },
      },
      { id: 2, vector: { title: [3, 4], tokens: [[0, 0, 1]] } },
    ],
  });
  const near = await client.query('docs', {
    query: [0, 0],
    using: 'title',
    with_vector: ['title'],
  });
  expect(near.points).toMatchObject([
    { id: 1, score: 0, vector: { title: [0, 0] } },
    { id: 2, score: 5, vector: { title: [3, 4] } },
  ]);
  const late = await client.query('docs', {
    query: [
      [1, 1, 0],
      [0, 1, 0],
    ],
    using: 'tokens',
    params: { exact: true },
  });
  expect(late.points.map(({ id, score }) => [id, score])).toEqual([
    [1, 2],
    [2, 0],
  ]);
  await client.deleteVectors('docs', { points: [1], vector: ['title'] });
  const [left] = await client.retrieve('docs', { ids: [1], with_vector: true });
  expect(left!.vector).toEqual({
    tokens: [
      [1, 0, 0],
      [0, 1, 0],
    ],
  });
});

test('snapshots are made, listed, downloaded, recovered and deleted', async () => {
  const folder = join(emptyFolder(), 'data');
  const client = await connect(folder);
  await client.createCollection('cities', { vectors: { size: 4, distance: 'Dot' } });
  await client.upsert('cities', { points: CITIES });
  const made = await client.createSnapshot('cities');
  expect(made).toMatchObject({
    size: expect.any(Number),
    checksum: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(await client.listSnapshots('cities')).toEqual([made]);
  await client.delete('cities', { points: [1, 2, 3] });
  const location = `file://${folder}-snapshots/cities/${made!.name}`;
  expect(await client.recoverSnapshot('cities', { location, checksum: made!.checksum! })).toBe(
    true,
  );
  expect(await client.count('cities')).toEqual({ count: 7 });
  expect(await client.recoverSnapshot('copy', { location })).toBe(true);
  expect(await client.count('copy')).toEqual({ count: 7 });
  expect(await client.deleteSnapshot('cities', made!.name)).toBe(true);
  expect(await client.listSnapshots('cities')).toEqual([]);
});
