import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import type { Collection } from '../../src/db/collection.js';
import { fuse, readFusion } from '../../src/db/fusion.js';
import type { Prefetch, Query } from '../../src/db/query-types.js';
import {
  codeOf,
  gaussians,
  idsOf,
  nearestIds,
  newCollection,
  openHere,
  somePoints,
} from './support.js';

const SIZE = 8;
const COUNT = 400;
const points = somePoints(COUNT, SIZE);
const [first, second, third] = gaussians(new Random(77), 3, SIZE) as [number[], number[], number[]];
const even = { must: { key: 'half', match: { value: 0 } } };
const red = { must: { key: 'color', match: { value: 'red' } } };

async function filled(): Promise<Collection> {
  const docs = await newCollection(SIZE);
  await docs.upsert(points);
  return docs;
}

const squared = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);

/** The nearest of some points as a list to be fused: rows are ids here, as each was written once. */
function nearest(query: number[], limit: number, among = points) {
  const rows = (nearestIds(among, query, limit) as number[]).map((row) => ({
    row,
    score: Math.sqrt(squared(points[row]!.vector, query)),
  }));
  return { rows, isDistance: true };
}

describe('fused queries', () => {
  test.each([
    'rrf',
    'dbsf',
    { rrf: { k: 60, weights: [2, 1] } },
  ] as const)('by %j are the lists one by one, fused', async (fusion) => {
    const docs = await filled();
    const prefetch: Prefetch[] = [
      { vector: first, limit: 40, exact: true },
      { vector: second, limit: 60, exact: true },
    ];
    const lists = [nearest(first, 40), nearest(second, 60)];
    const expected = fuse(lists, readFusion(fusion, 2));
    const hits = await docs.query({ prefetch, fusion, limit: 200 });
    expect(idsOf(hits)).toEqual(expected.map(({ row }) => row));
    hits.forEach(({ id, score, payload }, i) => {
      expect(score).toBeCloseTo(expected[i]!.score, 6);
      expect(payload).toEqual(points[id as number]!.payload);
    });
    const page = await docs.query({ prefetch, fusion, limit: 7, offset: 5, withPayload: false });
    expect(idsOf(page)).toEqual(idsOf(hits).slice(5, 12));
    const scoreThreshold = hits[20]!.score;
    const good = await docs.query({ prefetch, fusion, limit: 200, scoreThreshold });
    expect(good).toEqual(hits.filter(({ score }) => score >= scoreThreshold));
  });

  test('take their filter and those of the prefetches together', async () => {
    const docs = await filled();
    const hits = await docs.query({
      prefetch: [
        { vector: first, limit: 30, filter: even },
        { vector: second, limit: 30 },
      ],
      fusion: 'rrf',
      filter: red,
      limit: 100,
    });
    const reds = points.filter(({ payload }) => payload.color === 'red');
    const evenReds = reds.filter(({ payload }) => payload.half === 0);
    const lists = [nearest(first, 30, evenReds), nearest(second, 30, reds)];
    expect(idsOf(hits)).toEqual(fuse(lists, readFusion('rrf', 2)).map(({ row }) => row));
  });

  test('nest', async () => {
    const docs = await filled();
    const inner: Prefetch = {
      prefetch: [
        { vector: first, limit: 20 },
        { vector: second, limit: 20 },
      ],
      fusion: 'rrf',
      limit: 15,
    };
    const hits = await docs.query({
      prefetch: [inner, { vector: third, limit: 10 }],
      fusion: 'rrf',
      limit: 100,
    });
    const fusedInner = fuse([nearest(first, 20), nearest(second, 20)], readFusion('rrf', 2));
    const lists = [{ rows: fusedInner.slice(0, 15), isDistance: false }, nearest(third, 10)];
    expect(idsOf(hits)).toEqual(fuse(lists, readFusion('rrf', 2)).map(({ row }) => row));
  });

  test('come in batches and groups', async () => {
    const docs = await filled();
    const fused: Query = {
      prefetch: [
        { vector: first, limit: 50 },
        { vector: second, limit: 50 },
      ],
      fusion: 'rrf',
    };
    const queries: Query[] = [
      fused,
      { vector: first },
      { vector: second },
      { vector: third, prefetch: [fused as Prefetch], limit: 3 },
      { vector: first, mmr: {} },
    ];
    const together = await docs.queryBatch(queries);
    for (const [i, query] of queries.entries())
      expect(together[i]).toEqual(await docs.query(query));
    const groups = await docs.queryGroups({ ...fused, groupBy: 'color', limit: 3, groupSize: 2 });
    const all = await docs.query({ ...fused, limit: 100 });
    expect(groups).toHaveLength(3);
    for (const { id, hits } of groups) {
      expect(hits).toEqual(all.filter(({ payload }) => payload?.color === id).slice(0, 2));
    }
  });
});

describe('candidates', () => {
  test('are ranked anew by a vector', async () => {
    const docs = await filled();
    const prefetch: Prefetch[] = [
      { vector: first, limit: 25 },
      { vector: second, limit: 25 },
    ];
    const among = new Set(
      [...nearest(first, 25).rows, ...nearest(second, 25).rows].map((r) => r.row),
    );
    const candidates = points.filter(({ id }) => among.has(id));
    const hits = await docs.query({ vector: third, prefetch, limit: 12, offset: 2 });
    expect(idsOf(hits)).toEqual(nearestIds(candidates, third, 14).slice(2));
    for (const { id, score } of hits) {
      expect(score).toBeCloseTo(Math.sqrt(squared(points[id as number]!.vector, third)), 5);
    }
    const [self] = candidates;
    const like = await docs.query({ id: self!.id, prefetch, limit: 100 });
    expect(idsOf(like)).toEqual(nearestIds(candidates, self!.vector, 100).slice(1));
  });

  test('are ordered by a field', async () => {
    const docs = await filled();
    await docs.createPayloadIndex('n', 'integer');
    const orderBy = { field: 'n', direction: 'desc' } as const;
    const hits = await docs.query({ prefetch: [{ vector: first, limit: 9 }], orderBy, limit: 5 });
    const ids = nearestIds(points, first, 9) as number[];
    expect(idsOf(hits)).toEqual(ids.sort((a, b) => b - a).slice(0, 5));
    const fused = await docs.query({
      prefetch: [
        { orderBy: 'n', limit: 3 },
        { orderBy, limit: 1 },
      ],
      fusion: 'rrf',
    });
    expect(idsOf(fused)).toEqual([0, COUNT - 1, 1, 2]);
  });

  test('without the vector that is asked for are left out', async () => {
    const db = await openHere();
    const docs = await db.createCollection('docs', {
      vectors: { a: { size: 2, distance: 'Dot' }, b: { size: 2, distance: 'Dot' } },
    });
    await docs.upsert([
      { id: 1, vector: { a: [1, 0], b: [0, 2] } },
      { id: 2, vector: { a: [2, 0] } },
      { id: 3, vector: { a: [3, 0], b: [0, 1] } },
    ]);
    const prefetch: Prefetch[] = [{ vector: [1, 0], using: 'a' }];
    expect(idsOf(await docs.query({ vector: [0, 1], using: 'b', prefetch }))).toEqual([1, 3]);
    expect(idsOf(await docs.query({ vector: [1, 0], using: 'a', mmr: { diversity: 0 } }))).toEqual([
      3, 2, 1,
    ]);
  });

  test('of several vectors a point are ranked by MaxSim', async () => {
    const db = await openHere();
    const docs = await db.createCollection('docs', {
      vectors: {
        one: { size: 2, distance: 'Dot' },
        many: { size: 2, distance: 'Dot', multivector: { comparator: 'max_sim' } },
      },
    });
    await docs.upsert([
      {
        id: 1,
        vector: {
          one: [1, 0],
          many: [
            [1, 0],
            [0, 1],
          ],
        },
      },
      { id: 2, vector: { one: [2, 0], many: [[3, 0]] } },
      { id: 3, vector: { one: [-1, 0], many: [[9, 9]] } },
    ]);
    const prefetch: Prefetch[] = [{ vector: [1, 0], using: 'one', limit: 2 }];
    const hits = await docs.query({
      vector: [
        [1, 0],
        [0, 5],
      ],
      using: 'many',
      prefetch,
    });
    expect(hits.map(({ id, score }) => [id, score])).toEqual([
      [1, 6],
      [2, 3],
    ]);
  });
});

test('diverse results are chosen among the best, with their scores', async () => {
  const docs = await newCollection(2, { distance: 'Cosine' });
  const at = (degrees: number) => [Math.cos, Math.sin].map((f) => f((degrees * Math.PI) / 180));
  await docs.upsert([0, 1, 2, 30, 80, 170].map((id) => ({ id, vector: at(id) })));
  const query = { vector: at(0), limit: 3, exact: true } as const;
  expect(idsOf(await docs.query(query))).toEqual([0, 1, 2]);
  const diverse = await docs.query({ ...query, mmr: { diversity: 0.6, candidates: 5 } });
  expect(idsOf(diverse)).toEqual([0, 80, 30]);
  expect(diverse[1]!.score).toBeCloseTo(Math.cos((80 * Math.PI) / 180), 5);
  expect(
    idsOf(await docs.query({ ...query, mmr: { diversity: 0.6, candidates: 3 } })),
  ).toHaveLength(3);
});

test('diverse results come in groups', async () => {
  const docs = await filled();
  const query = { vector: first, mmr: { diversity: 0.3 }, groupBy: 'color' };
  const groups = await docs.queryGroups({ ...query, limit: 3, groupSize: 2 });
  const all = await docs.query({
    vector: first,
    mmr: { diversity: 0.3, candidates: 24 },
    limit: 24,
  });
  for (const { id, hits } of groups) {
    expect(hits).toEqual(all.filter(({ payload }) => payload?.color === id).slice(0, 2));
  }
  expect(groups).toHaveLength(3);
  expect(await codeOf(docs.queryGroups({ ...query, mmr: 7 } as never))).toBe('INVALID_ARGUMENT');
  // More groups than there are: it ends all the same.
  expect(await docs.queryGroups({ ...query, groupBy: 'n', limit: 900 })).toHaveLength(COUNT);
});

test('no point comes twice or is missed while points are written anew', async () => {
  const docs = await filled();
  let isOver = false;
  const writing = (async () => {
    for (let round = 0; round < 30; round++) await docs.upsert(points.slice(0, 100));
    isOver = true;
  })();
  while (!isOver) {
    const hits = await docs.query({
      prefetch: [
        { vector: first, limit: COUNT },
        { vector: second, limit: COUNT },
      ],
      fusion: 'rrf',
      limit: 2 * COUNT,
    });
    expect(new Set(idsOf(hits)).size).toBe(COUNT);
    expect(hits).toHaveLength(COUNT);
  }
  await writing;
});

const deep = (depth: number): Prefetch =>
  depth === 0 ? { vector: first } : { prefetch: [deep(depth - 1)], fusion: 'rrf' };

test('a query is as the caller gave it at the call', async () => {
  const docs = await filled();
  const vector = [...second];
  const prefetch: Prefetch[] = [{ vector, limit: 5 }];
  const found = docs.query({ prefetch, fusion: 'rrf' });
  vector.fill(100);
  prefetch.push({ vector: [1] });
  expect(idsOf(await found)).toEqual(nearestIds(points, second, 5));
});

test.each<[object, string]>([
  [{ fusion: 'rrf' }, 'fusion'],
  [{ fusion: 'rrf', prefetch: [] }, 'prefetch'],
  [{ fusion: 'rrf', prefetch: { vector: first } }, 'prefetch'],
  [{ fusion: 'best', prefetch: [{ vector: first }] }, 'fusion'],
  [
    { fusion: 'rrf', prefetch: [{ vector: first }, { vector: first, limit: 0 }] },
    'prefetch[1]: limit',
  ],
  [{ fusion: 'rrf', prefetch: [{ vector: first, offset: 1 }] }, 'prefetch[0]'],
  [{ fusion: 'rrf', prefetch: [{ vector: first, withPayload: true }] }, 'prefetch[0]'],
  [{ fusion: 'rrf', prefetch: [{ vector: first, filter: 7 }] }, 'prefetch[0]: filter'],
  [{ fusion: 'rrf', prefetch: [{ limit: 3 }] }, 'prefetch[0]: a query'],
  [{ fusion: 'rrf', prefetch: [{ vector: first }], vector: first }, 'a query'],
  [{ fusion: 'rrf', prefetch: [{ vector: first }], mmr: {} }, 'mmr'],
  [{ fusion: 'rrf', prefetch: [{ vector: first }], ef: 10 }, 'ef'],
  [{ vector: first, prefetch: [{ vector: first }], ef: 10 }, 'ef'],
  [{ fusion: 'dbsf', prefetch: [{ orderBy: 'n' }] }, 'fusion'],
  [{ prefetch: [{ vector: first }] }, 'a query'],
  [{ vector: first, mmr: { diversity: 2 } }, 'mmr.diversity'],
  [{ ...deep(9) }, 'prefetch'],
  [{ fusion: 'rrf', prefetch: new Array(65).fill({ vector: first }) }, 'the number of prefetches'],
])('%# is refused, naming %s', async (query, what) => {
  const docs = await filled();
  await docs.createPayloadIndex('n', 'integer');
  const message = await docs.query(query as Query).then(
    () => 'nothing',
    (error: Error & { code: string }) => `${error.code} ${error.message}`,
  );
  expect(message).toContain('INVALID_ARGUMENT');
  expect(message).toContain(what);
});

test('eight deep is deep enough', async () => {
  const docs = await filled();
  expect(await docs.query(deep(8))).toHaveLength(10);
  expect(await codeOf(docs.query({ ...deep(2), signal: AbortSignal.abort() }))).toBe('ABORTED');
});
