import { beforeEach, expect, test } from 'vitest';
import type { Server } from '../../src/server/index.js';
import { call, emptyFolder, serveHere } from './support.js';

let server: Server;
const PATH = '/collections/docs';

beforeEach(async () => {
  server = await serveHere();
});

const create = (body: object) => call(server, 'PUT', PATH, body);
const change = (body: object) => call(server, 'PATCH', PATH, body);
const paramsOf = async () => (await call(server, 'GET', PATH)).body.result.config.params;
const DENSE = { size: 2, distance: 'Dot' };

test('changes at the same time all hold', async () => {
  // On the disk, where noting one takes its time.
  server = await serveHere({}, emptyFolder());
  await create({ vectors: DENSE });
  const names = Array.from({ length: 20 }, (_, i) => `n${i}`);
  await Promise.all(names.map((name) => change({ metadata: { [name]: 1 } })));
  const { metadata } = (await call(server, 'GET', PATH)).body.result.config;
  expect(Object.keys(metadata).sort()).toEqual([...names].sort());
});

test('what is kept is bounded, and nothing but JSON', async () => {
  await create({ vectors: DENSE });
  const deep = `${'['.repeat(20_000)}1${']'.repeat(20_000)}`;
  for (const value of [deep, '9007199254740993']) {
    for (const setting of ['metadata', 'optimizers_config']) {
      const text = `{ "${setting}": { "a": ${value} } }`;
      expect((await call(server, 'PATCH', PATH, text)).status).toBe(400);
    }
    const made = `{ "vectors": { "size": 2, "distance": "Dot" }, "metadata": { "a": ${value} } }`;
    expect((await call(server, 'PUT', '/collections/other', made)).status).toBe(400);
  }
  const { collections } = (await call(server, 'GET', '/collections')).body.result;
  expect(collections).toEqual([{ name: 'docs' }]);
});

test('only vectors that are there are changed', async () => {
  await create({ vectors: { a: DENSE } });
  for (const name of ['constructor', '__proto__', 'b']) {
    const text = `{ "vectors": { "${name}": { "on_disk": true } } }`;
    expect((await call(server, 'PATCH', PATH, text)).status).toBe(400);
  }
});

test('where things lie is kept, told again and changed', async () => {
  const made = await create({
    vectors: { ...DENSE, memory: 'cached', hnsw_config: { memory: 'cold' } },
    sparse_vectors: { words: { index: { on_disk: false } } },
    payload: { memory: 'cached' },
  });
  expect(made.status).toBe(200);
  expect(await paramsOf()).toMatchObject({
    vectors: { memory: 'cached', hnsw_config: { memory: 'cold' } },
    sparse_vectors: { words: { index: { on_disk: false } } },
    payload: { memory: 'cached' },
  });
  const changed = await change({
    vectors: { '': { memory: 'cold' } },
    sparse_vectors: { words: { index: { on_disk: true, memory: 'pinned' } } },
    params: { payload: { memory: 'cold' } },
  });
  expect(changed.status).toBe(200);
  expect(await paramsOf()).toMatchObject({
    vectors: { size: 2, memory: 'cold', hnsw_config: { memory: 'cold' } },
    sparse_vectors: { words: { index: { on_disk: true, memory: 'pinned' } } },
    payload: { memory: 'cold' },
  });
});

test('of vectors with names', async () => {
  await create({ vectors: { a: DENSE, b: DENSE } });
  expect((await change({ vectors: { a: { on_disk: true } } })).status).toBe(200);
  const { vectors } = await paramsOf();
  expect([vectors.a.on_disk, vectors.b.on_disk]).toEqual([true, undefined]);
});

test('what was not said is not told', async () => {
  await create({ vectors: DENSE });
  const params = await paramsOf();
  expect(params.vectors).toEqual(DENSE);
  expect(params).not.toHaveProperty('payload');
});

test.each([
  [{ vectors: { ...DENSE, memory: 'pinned' } }, 422],
  [{ vectors: DENSE, payload: { memory: 'pinned' } }, 422],
  [{ vectors: { ...DENSE, memory: 'hot' } }, 400],
])('%j is refused', async (body, status) => {
  expect((await create(body)).status).toBe(status);
});

test.each([
  [{ vectors: { '': { memory: 'pinned' } } }, 422],
  [{ vectors: { other: { memory: 'cold' } } }, 400],
  [{ vectors: { '': { hnsw_config: { m: 8 } } } }, 400],
  [{ vectors: { '': { quantization_config: { scalar: { type: 'int8' } } } } }, 400],
  [{ sparse_vectors: { words: { modifier: 'idf' } } }, 400],
  [{ sparse_vectors: { other: { index: {} } } }, 400],
  [{ hnsw_config: { m: 8 } }, 400],
  [{ params: { payload: { memory: 'pinned' } } }, 422],
])('the change %j is refused, and changes nothing', async (body, status) => {
  await create({ vectors: DENSE, sparse_vectors: { words: {} } });
  const before = await paramsOf();
  expect((await change(body)).status).toBe(status);
  expect(await paramsOf()).toEqual(before);
});
