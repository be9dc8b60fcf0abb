import { expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { expectDocumented } from './documented.js';
import { call, serveHere } from './support.js';

const PATH = '/v1/collections/c/advice?timeout=300';

async function served(vectors: object, points: object[]) {
  const server = await serveHere();
  await call(server, 'PUT', '/collections/c', { vectors });
  const written = await call(server, 'PUT', '/collections/c/points?wait=true', { points });
  expect(written.status).toBe(200);
  return async (body: object) => {
    const answer = await call(server, 'POST', PATH, body);
    expectDocumented('POST', server.url + PATH, answer.status, answer.body);
    return answer;
  };
}

test('tells settings, reasons, and what to expect of the points that there are', async () => {
  const random = new Random(7);
  const points = Array.from({ length: 3000 }, (_, id) => ({
    id,
    vector: Array.from({ length: 16 }, () => random.gaussian()),
  }));
  const advise = await served({ size: 16, distance: 'Euclid' }, points);
  const { status, body } = await advise({ k: 5, recall: 0.9, seed: 3 });
  expect(status).toBe(200);
  expect(body.expected).toMatchObject({ count: 3000, k: 5 });
  expect(body.settings).toMatchObject({ distance: 'Euclid' });
  expect(body.search.ef).toBeGreaterThan(0);
  expect(body.reasons.length).toBeGreaterThan(0);
});

test('refuses what it does not know, and vectors that it cannot judge', async () => {
  const advise = await served({ size: 4, distance: 'Dot' }, [{ id: 1, vector: [1, 2, 3, 4] }]);
  expect((await advise({ recal: 0.9 })).status).toBe(400);
  expect((await advise({ recall: 2 })).status).toBe(422);
  expect((await advise({ using: 'nothing' })).status).toBe(400);
});
