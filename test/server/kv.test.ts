import { decode, encode } from '@msgpack/msgpack';
import { expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { KvModel } from '../../src/kv/model.js';
import type { Server } from '../../src/server/index.js';
import { call, serveHere } from './support.js';

const SHAPE = { layers: 2, kv_heads: 2, head_dim: 4 };
const TOKENS = 40;
const WIDTH = SHAPE.kv_heads * SHAPE.head_dim;

/** Keys or values of all layers: near to few directions, as those of models are. */
function made(seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: SHAPE.layers * TOKENS * WIDTH }, (_, i) =>
    Math.fround(Math.sin(i % WIDTH) * (1 + (i % 7)) + random.uniform() / 100),
  );
}

const [keys, values] = [made(1), made(2)];
const numbers = { keys: Array.from(keys), values: Array.from(values), tokens: TOKENS };
/** Of the one layer. */
const layerOf = (rows: Float32Array, layer: number) =>
  rows.subarray(layer * TOKENS * WIDTH, (layer + 1) * TOKENS * WIDTH);

function errorOf(found: ArrayLike<number>, expected: Float32Array): number {
  let [wrong, all] = [0, 0];
  expected.forEach((x, i) => {
    wrong += (found[i]! - x) ** 2;
    all += x * x;
  });
  return Math.sqrt(wrong / all);
}

async function asMsgpack(server: Server, path: string, body: object) {
  const type = 'application/msgpack';
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': type, accept: type },
    body: Buffer.from(encode(body)),
  });
  expect(response.status).toBe(200);
  return decode(await response.arrayBuffer()) as Record<string, Uint8Array>;
}

test('a cache is compressed and read again, as JSON', async () => {
  const server = await serveHere();
  const body = { ...numbers, shape: SHAPE, bits_per_number: 6 };
  const compressed = await call(server, 'POST', '/v1/kv/compress', body);
  expect(compressed.status).toBe(200);
  expect(compressed.body).toMatchObject({ tokens: TOKENS, basis: 'own' });
  const { total, tokens, basis } = compressed.body.bytes;
  expect(total).toBe(tokens + basis);
  const { cache } = compressed.body;
  const all = await call(server, 'POST', '/v1/kv/reconstruct', { cache, layer: 1 });
  expect(all.body.keys).toHaveLength(TOKENS * WIDTH);
  expect(errorOf(all.body.keys, layerOf(keys, 1))).toBeLessThan(0.05);
  expect(errorOf(all.body.values, layerOf(values, 1))).toBeLessThan(0.05);
  const some = await call(server, 'POST', '/v1/kv/reconstruct', {
    cache,
    layer: 1,
    from: 5,
    to: 7,
  });
  expect(some.body.keys).toEqual(all.body.keys.slice(5 * WIDTH, 7 * WIDTH));
});

test('with the bases of a model, as msgpack', async () => {
  const server = await serveHere();
  const model = await KvModel.train([{ keys, values, tokens: TOKENS }], {
    layers: SHAPE.layers,
    kvHeads: SHAPE.kv_heads,
    headDim: SHAPE.head_dim,
  });
  const bytes = (rows: Float32Array) => new Uint8Array(rows.buffer);
  const body = { keys: bytes(keys), values: bytes(values), tokens: TOKENS };
  const { cache } = await asMsgpack(server, '/v1/kv/compress', { ...body, model: model.toBytes() });
  // The engine itself reads it.
  const again = await asMsgpack(server, '/v1/kv/reconstruct', {
    cache,
    layer: 0,
    model: model.toBytes(),
  });
  const found = new Float32Array(Uint8Array.from(again.keys!).buffer);
  const own = model.compress({ keys, values, tokens: TOKENS }).reconstruct({ layer: 0 });
  expect(found).toEqual(own.keys);
  const without = await call(server, 'POST', '/v1/kv/reconstruct', {
    cache: Buffer.from(cache!).toString('base64'),
    layer: 0,
  });
  expect(without.status).toBe(400);
});

test.each([
  ['neither shape nor model', {}, 'neither'],
  ['numbers of another count', { shape: { ...SHAPE, layers: 3 } }, 'keys'],
  ['two budgets', { shape: SHAPE, bits_per_number: 2, bytes: 100 }, 'one of'],
  ['what is no model', { model: 'AAAA' }, ''],
  ['what is no base64', { shape: SHAPE, keys: '%%' }, 'keys'],
  ['a field that there is not', { shape: SHAPE, bits: 2 }, 'bits'],
])('%s is a problem of the request', async (_, given, text) => {
  const server = await serveHere();
  const answer = await call(server, 'POST', '/v1/kv/compress', { ...numbers, ...given });
  expect(answer.status).toBe(400);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body.detail).toContain(text);
});

test('a damaged cache, and an answer that would be too large, are refused', async () => {
  const server = await serveHere({ limits: { bodyBytes: 2 ** 16 } });
  const body = { ...numbers, shape: SHAPE, bits_per_number: 6 };
  const { cache } = (await call(server, 'POST', '/v1/kv/compress', body)).body;
  const bytes = Buffer.from(cache, 'base64');
  bytes[bytes.length >> 1]! ^= 1;
  const damaged = { cache: bytes.toString('base64'), layer: 0 };
  expect((await call(server, 'POST', '/v1/kv/reconstruct', damaged)).status).toBe(400);
  const small = await serveHere({ limits: { bodyBytes: 2000 } });
  const large = await call(small, 'POST', '/v1/kv/reconstruct', { cache, layer: 0 });
  expect([400, 413]).toContain(large.status);
});
