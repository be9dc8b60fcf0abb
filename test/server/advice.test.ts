import { expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { advise } from '../../src/index.js';
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

test('is what the library advises on the same vectors', async () => {
  const random = new Random(7);
  const rows = Float32Array.from({ length: 3000 * 16 }, () => random.gaussian());
  const points = Array.from({ length: 3000 }, (_, id) => ({
    id,
    vector: [...rows.subarray(16 * id, 16 * id + 16)],
  }));
  const asked = await served({ size: 16, distance: 'Euclid' }, points);
  const wish = { k: 5, recall: 0.9, seed: 3 };
  const { status, body } = await asked(wish);
  expect(status).toBe(200);
  const expected = await advise(rows, { dimensions: 16, distance: 'Euclid', ...wish });
  expect(body).toEqual(JSON.parse(JSON.stringify(expected)));
  expect(body.trials.length).toBeGreaterThan(0);
});

test('refuses what it does not know, and vectors that it cannot judge', async () => {
  const advise = await served({ size: 4, distance: 'Dot' }, [{ id: 1, vector: [1, 2, 3, 4] }]);
  expect((await advise({ recal: 0.9 })).status).toBe(400);
  expect((await advise({ recall: 2 })).status).toBe(422);
  expect((await advise({ using: 'nothing' })).status).toBe(400);
});
