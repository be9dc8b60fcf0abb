import { beforeEach, expect, test } from 'vitest';
import type { Server } from '../../src/server/index.js';
import { call, serveHere } from './support.js';

let server: Server;
const POINTS = '/collections/docs/points';

beforeEach(async () => {
  server = await serveHere();
  const vectors = { a: { size: 2, distance: 'Dot' }, b: { size: 1, distance: 'Dot' } };
  await call(server, 'PUT', '/collections/docs', { vectors });
  await write([
    { id: 1, vector: { a: [1, 0] }, payload: { version: 1 } },
    { id: 2, vector: { a: [0, 1] }, payload: { version: 5 } },
  ]);
});

async function write(points: object[], condition: object = {}): Promise<void> {
  const answer = await call(server, 'PUT', POINTS, { points, ...condition });
  expect(answer.status).toBe(200);
}

/** Versions by id. */
async function versions(): Promise<Record<string, number>> {
  const { body } = await call(server, 'POST', `${POINTS}/scroll`, {});
  const points = body.result.points as { id: number; payload: { version: number } }[];
  return Object.fromEntries(points.map(({ id, payload }) => [id, payload.version]));
}

const point = (id: number, version: number) => ({ id, vector: {}, payload: { version } });
const olderThan = (version: number) => ({ must: [{ key: 'version', range: { lt: version } }] });

test('only new points, only those that are there', async () => {
  await write([point(1, 9), point(3, 9)], { update_mode: 'insert_only' });
  expect(await versions()).toEqual({ 1: 1, 2: 5, 3: 9 });
  await write([point(1, 9), point(4, 9)], { update_mode: 'update_only' });
  expect(await versions()).toEqual({ 1: 9, 2: 5, 3: 9 });
});

test('of those that are there only what matches; new ones are written', async () => {
  await write([point(1, 3), point(2, 3), point(3, 3)], { update_filter: olderThan(3) });
  expect(await versions()).toEqual({ 1: 3, 2: 5, 3: 3 });
  const condition = { update_filter: olderThan(9), update_mode: 'update_only' };
  await write([point(2, 8), point(4, 8)], condition);
  expect(await versions()).toEqual({ 1: 3, 2: 8, 3: 3 });
});

test('vectors of points that match', async () => {
  const points = [
    { id: 1, vector: { b: [7] } },
    { id: 2, vector: { b: [7] } },
  ];
  const body = { points, update_filter: olderThan(3) };
  expect((await call(server, 'PUT', `${POINTS}/vectors`, body)).status).toBe(200);
  const count = async () =>
    (await call(server, 'POST', `${POINTS}/count`, { filter: { must: { has_vector: 'b' } } })).body
      .result.count;
  expect(await count()).toBe(1);
  const absent = { points: [{ id: 99, vector: { b: [7] } }], update_filter: olderThan(3) };
  expect((await call(server, 'PUT', `${POINTS}/vectors`, absent)).status).toBe(404);
});

test('in a batch, and refused where it is no filter', async () => {
  const upsert = (condition: object) => ({
    operations: [{ upsert: { points: [point(1, 7)], ...condition } }],
  });
  const given = upsert({ update_filter: olderThan(1) });
  expect((await call(server, 'POST', `${POINTS}/batch`, given)).status).toBe(200);
  expect(await versions()).toEqual({ 1: 1, 2: 5 });
  const bare = upsert({ update_filter: { must: [{ key: 'version' }] } });
  expect((await call(server, 'POST', `${POINTS}/batch`, bare)).status).toBe(422);
  const unknown = { points: [], update_mode: 'replace' };
  expect((await call(server, 'PUT', POINTS, unknown)).status).toBe(400);
});

/** Each adds one where nobody else has since it looked: none may be lost. */
test('what was looked at is as it was when it is written', async () => {
  const ROUNDS = 10;
  let done = 0;
  let marks = 0;
  const client = async () => {
    while (done < ROUNDS) {
      const version = (await versions())[1]!;
      const mark = ++marks;
      const is = { must: [{ key: 'version', match: { value: version } }] };
      const payload = { version: version + 1, mark };
      await write([{ id: 1, vector: {}, payload }], { update_filter: is });
      const { body } = await call(server, 'GET', `${POINTS}/1`);
      // Another may have come since: then its version is larger, and this one was counted or lost.
      if (body.result.payload.mark === mark) done++;
    }
  };
  await Promise.all([client(), client(), client()]);
  expect((await versions())[1]).toBeGreaterThanOrEqual(1 + ROUNDS);
});
