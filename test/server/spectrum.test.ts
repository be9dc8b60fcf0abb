import { expect, test } from 'vitest';
import { expectDocumented } from './documented.js';
import { call, serveHere } from './support.js';

/** Orthogonal directions of these lengths, each in both signs: the components and their energies. */
function crossOf(lengths: readonly number[]) {
  const vectors = lengths.flatMap((length, i) => {
    const row = lengths.map((_, j) => (i === j ? length : 0));
    return [row, row.map((x) => -x)];
  });
  return vectors.map((vector, i) => ({ id: i, vector }));
}

/** A server with a collection `c` of these points. */
async function served(vectors: object, points: object[]) {
  const server = await serveHere();
  await call(server, 'PUT', '/collections/c', { vectors });
  const written = await call(server, 'PUT', '/collections/c/points?wait=true', { points });
  expect(written.status).toBe(200);
  const ask = async (query = '') => {
    const path = `/v1/collections/c/spectrum${query}`;
    const answer = await call(server, 'GET', path);
    expectDocumented('GET', server.url + path, answer.status, answer.body);
    return answer;
  };
  return { server, ask };
}

const SHARES = [16, 25, 29, 30].map((kept) => kept / 30);

test('energy kept is that of the principal components', async () => {
  const { ask } = await served({ size: 4, distance: 'Euclid' }, crossOf([2, 4, 1, 3]));
  const { status, body } = await ask();
  expect(status).toBe(200);
  expect(body).toMatchObject({ dimensions: 4, sampled: 8 });
  expect(body.energyKept).toHaveLength(4);
  SHARES.forEach((share, i) => {
    expect(body.energyKept[i]).toBeCloseTo(share, 6);
  });
});

test('of angles only directions count', async () => {
  const { ask } = await served({ size: 4, distance: 'Cosine' }, crossOf([2, 4, 1, 3]));
  const { body } = await ask();
  [0.25, 0.5, 0.75, 1].forEach((share, i) => {
    expect(body.energyKept[i]).toBeCloseTo(share, 6);
  });
});

test('of fewer vectors than dimensions what these span', async () => {
  const wide = crossOf([2, 4, 1, 3]).map(({ id, vector }) => ({
    id,
    vector: [...vector, ...new Array(60).fill(0)],
  }));
  const { ask } = await served({ size: 64, distance: 'Dot' }, wide);
  const { body } = await ask();
  expect(body).toMatchObject({ dimensions: 64, sampled: 8 });
  SHARES.forEach((share, i) => {
    expect(body.energyKept[i]).toBeCloseTo(share, 5);
  });
  expect(body.energyKept.at(-1)).toBeCloseTo(1, 6);
});

test('named vectors, several vectors a point, and samples of some', async () => {
  const vectors = {
    one: { size: 4, distance: 'Dot' },
    many: { size: 2, distance: 'Dot', multivector_config: { comparator: 'max_sim' } },
  };
  const rows = [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ];
  const points = crossOf([2, 4, 1, 3]).map(({ id, vector }) => ({
    id,
    vector: { one: vector, ...(id === 0 && { many: rows }) },
  }));
  const { ask } = await served(vectors, points);
  expect((await ask('?using=one&sample=5')).body.sampled).toBe(5);
  const { body } = await ask('?using=many');
  expect(body).toMatchObject({ dimensions: 2, sampled: 4 });
  expect(body.energyKept[0]).toBeCloseTo(0.5, 6);
  expect((await ask('?using=other')).status).toBe(400);
  expect((await ask()).status).toBe(400);
});

test('nothing where there is nothing, and what is wrong is refused', async () => {
  const { server, ask } = await served({ size: 4, distance: 'Dot' }, []);
  expect((await ask()).body).toEqual({ dimensions: 4, sampled: 0, energyKept: [] });
  for (const sample of ['0', '-1', '4097', '1e3', 'x']) {
    expect((await ask(`?sample=${sample}`)).status).toBeGreaterThanOrEqual(400);
  }
  expect((await ask('?sample=4096')).status).toBe(200);
  expect((await ask('?other=1')).status).toBeGreaterThanOrEqual(400);
  expect((await call(server, 'GET', '/v1/collections/none/spectrum')).status).toBe(404);
});
