import { decode, encode } from '@msgpack/msgpack';
import { describe, expect, test } from 'vitest';
import { BIG, POINTS, servePoints } from './three-points.js';

const { send, url } = servePoints();

describe('msgpack', () => {
  const bytesOf = (...numbers: number[]) => new Uint8Array(Float32Array.from(numbers).buffer);

  async function pack(method: string, path: string, body: unknown, accept = 'application/msgpack') {
    const response = await fetch(url() + POINTS + path, {
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
    const { body } = await send('POST', POINTS, `{"ids":[${BIG}],"with_vector":true}`);
    expect(body.result[0]).toMatchObject({
      vector: [0.25, 3],
      payload: { time: 1_700_000_000_000 },
    });
  });

  test('numbers in lists do as well, and rows of several vectors', async () => {
    const multivector_config = { comparator: 'max_sim' };
    await send('PUT', '/collections/m', {
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
    const response = await fetch(`${url()}${POINTS}/query`, {
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
