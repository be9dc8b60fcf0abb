import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import type { Collection } from '../../src/db/collection.js';
import {
  codeOf,
  gaussians,
  idsOf,
  nearestIds,
  newCollection,
  openHere,
  somePoints,
} from './support.js';

const SIZE = 12;
const COUNT = 600;
const points = somePoints(COUNT, SIZE);
const queries = gaussians(new Random(99), 20, SIZE);

async function filled(exactBelow: number): Promise<Collection> {
  const docs = await newCollection(SIZE, { exactBelow });
  await docs.upsert(points);
  await docs.optimize();
  return docs;
}

describe.each([
  ['scanned', 1_000_000],
  ['in a graph', 100],
])('queries of points %s', (_, exactBelow) => {
  test('find the nearest, best first, with payloads', async () => {
    const docs = await filled(exactBelow);
    let found = 0;
    for (const vector of queries) {
      const hits = await docs.query({ vector, limit: 10 });
      const wanted = new Set(nearestIds(points, vector, 10));
      found += hits.filter(({ id }) => wanted.has(id)).length;
      expect(hits.map(({ score }) => score)).toEqual(
        [...hits.map(({ score }) => score)].sort((a, b) => a - b),
      );
      for (const { id, payload } of hits) expect(payload).toEqual(points[id as number]!.payload);
    }
    expect(found / 200).toBeGreaterThanOrEqual(exactBelow > COUNT ? 1 : 0.97);
  });

  test('are exact where they are asked to be', async () => {
    const docs = await filled(exactBelow);
    for (const vector of queries) {
      const expected = nearestIds(points, vector, 10);
      expect(idsOf(await docs.query({ vector, exact: true }))).toEqual(expected);
      expect(idsOf(await docs.query({ vector, rescore: 'exact', ef: 400, rerank: 400 }))).toEqual(
        expected,
      );
    }
  });

  test('by id leave the point itself out', async () => {
    const docs = await filled(exactBelow);
    const hits = await docs.query({ id: 17, limit: 5, exact: true });
    expect(idsOf(hits)).toEqual(nearestIds(points, points[17]!.vector, 6).slice(1));
    expect(idsOf(await docs.query({ id: 17, limit: COUNT, ef: COUNT }))).not.toContain(17);
    expect(await docs.query({ id: 17, limit: COUNT, ef: COUNT })).toHaveLength(COUNT - 1);
  });

  test('give all that match, and only these', async () => {
    const docs = await filled(exactBelow);
    for (const isIndexed of [false, true]) {
      if (isIndexed) await docs.createPayloadIndex('n', 'integer');
      for (const below of [0, 1, 7, 60, 300, COUNT]) {
        const filter = { must: { key: 'n', range: { lt: below } } };
        const hits = await docs.query({ vector: queries[0]!, filter, limit: 20, ef: 200 });
        expect(hits).toHaveLength(Math.min(20, below));
        for (const { id } of hits) expect(id).toBeLessThan(below);
        const matching = points.slice(0, below);
        const exact = await docs.query({ vector: queries[0]!, filter, limit: 20, exact: true });
        expect(idsOf(exact)).toEqual(nearestIds(matching, queries[0]!, 20));
      }
    }
  });

  test('stop at a threshold, and skip an offset', async () => {
    const docs = await filled(exactBelow);
    const [vector] = queries as [number[]];
    const all = await docs.query({ vector, limit: 30 });
    const scoreThreshold = all[12]!.score;
    expect(await docs.query({ vector, limit: 30, scoreThreshold })).toEqual(all.slice(0, 13));
    expect(await docs.query({ vector, limit: 10, offset: 20 })).toEqual(all.slice(20));
    expect(await docs.query({ vector, limit: 10, offset: COUNT, ef: COUNT })).toEqual([]);
    expect(await docs.query({ vector, limit: 10, scoreThreshold: 0 })).toEqual([]);
  });

  test('in a batch are those one by one', async () => {
    const docs = await filled(exactBelow);
    const filter = { must: { key: 'half', match: { value: 1 } } };
    const batch = [
      ...queries.map((vector) => ({ vector, limit: 7 })),
      { vector: queries[0]!, limit: 3, filter },
      { vector: queries[1]!, limit: 3, filter },
      { id: 5, limit: 3, withVector: true },
      { vector: queries[2]!, limit: 4, exact: true, withPayload: ['n'] },
      { vector: queries[3]!, limit: 4, withPayload: false },
    ];
    const together = await docs.queryBatch(batch);
    for (const [i, query] of batch.entries()) {
      expect(together[i]).toEqual(await docs.query(query));
    }
  });

  test('in groups give the best of each', async () => {
    const docs = await filled(exactBelow);
    const [vector] = queries as [number[]];
    const groups = await docs.queryGroups({
      vector,
      groupBy: 'color',
      limit: 3,
      groupSize: 2,
      exact: true,
    });
    const order = nearestIds(points, vector, COUNT) as number[];
    const expected = ['red', 'green', 'blue'].map((color) => ({
      id: color,
      ids: order.filter((id) => points[id]!.payload.color === color).slice(0, 2),
    }));
    expected.sort((a, b) => order.indexOf(a.ids[0]!) - order.indexOf(b.ids[0]!));
    expect(groups.map(({ id, hits }) => ({ id, ids: idsOf(hits) }))).toEqual(expected);
    const many = await docs.queryGroups({
      vector,
      groupBy: 'n',
      limit: 1000,
      groupSize: 2,
      exact: true,
    });
    expect(many).toHaveLength(COUNT);
    expect(await docs.queryGroups({ vector, groupBy: 'nothing' })).toEqual([]);
  });
});

describe('distances', () => {
  test('score by similarity or distance', async () => {
    const rows = [
      [1, 0],
      [0, 2],
      [3, 4],
    ];
    const scores = async (distance: 'Cosine' | 'Dot' | 'Euclid', exact: boolean) => {
      const docs = await newCollection(2, { distance });
      await docs.upsert(rows.map((vector, id) => ({ id, vector })));
      const hits = await docs.query({ vector: [1, 0], exact });
      return hits.map(({ id, score }) => [id, Number(score.toFixed(4))]);
    };
    for (const exact of [false, true]) {
      expect(await scores('Cosine', exact)).toEqual([
        [0, 1],
        [2, 0.6],
        [1, 0],
      ]);
      expect(await scores('Dot', exact)).toEqual([
        [2, 3],
        [0, 1],
        [1, 0],
      ]);
      expect(await scores('Euclid', exact)).toEqual([
        [0, 0],
        [1, 2.2361],
        [2, 4.4721],
      ]);
    }
  });

  test('Cosine gives vectors back as they were given', async () => {
    const docs = await newCollection(2, { distance: 'Cosine' });
    await docs.upsert([{ id: 1, vector: [3, 4] }]);
    expect((await docs.retrieve([1], { withVector: true }))[0]!.vector).toEqual(
      Float32Array.of(3, 4),
    );
  });
});

describe('what is returned', () => {
  test('is selected', async () => {
    const docs = await newCollection(2);
    await docs.upsert([
      { id: 1, vector: [1, 2], payload: { a: { b: 1, c: 2 }, d: [{ e: 1, f: 2 }] } },
    ]);
    const select = async (selection: object) =>
      (await docs.query({ vector: [0, 0], ...selection }))[0]!;
    expect(Object.keys(await select({}))).toEqual(['id', 'score', 'payload']);
    expect(Object.keys(await select({ withPayload: false }))).toEqual(['id', 'score']);
    expect((await select({ withPayload: ['a.b'] })).payload).toEqual({ a: { b: 1 } });
    expect((await select({ withPayload: { include: ['d[].f'] } })).payload).toEqual({
      d: [{ f: 2 }],
    });
    expect((await select({ withPayload: { exclude: ['a', 'd[0].e'] } })).payload).toEqual({
      d: [{ f: 2 }],
    });
    expect((await select({ withPayload: ['x'] })).payload).toEqual({});
    expect((await select({ withVector: true })).vector).toEqual(Float32Array.of(1, 2));
  });

  test.each([
    [{ withPayload: 'a' }],
    [{ withPayload: { include: ['a'], exclude: ['b'] } }],
    [{ withPayload: { some: [] } }],
    [{ withPayload: [''] }],
    [{ withVector: ['x'] }],
    [{ withVector: 1 }],
    [{ limit: 0 }],
    [{ limit: 1.5 }],
    [{ limit: '3' }],
    [{ offset: -1 }],
    [{ ef: 0 }],
    [{ using: 'x' }],
    [{ exact: 'yes' }],
    [{ rescore: true }],
    [{ scoreThreshold: Number.NaN }],
    [{ filter: { must: [{ key: 'a' }] } }],
    [{ filter: 7 }],
    [{ signal: {} }],
    [{ id: 1 }],
    [{ vector: undefined }],
    [{ vectors: [1, 2] }],
    [{ params: {} }],
  ])('%j is refused', async (options) => {
    const docs = await newCollection(2);
    await docs.upsert(somePoints(2, 2));
    expect(await codeOf(docs.query({ vector: [0, 0], ...options } as never))).toBe(
      'INVALID_ARGUMENT',
    );
  });

  test('is nothing where there is nothing', async () => {
    const docs = await newCollection(2);
    expect(await docs.query({ vector: [1, 2] })).toEqual([]);
    expect(await docs.query({ vector: [1, 2], exact: true })).toEqual([]);
    expect(await docs.queryBatch([])).toEqual([]);
    expect(await docs.scroll()).toEqual({ points: [], next: null });
    expect(await docs.facet('x')).toEqual([]);
    expect(await docs.retrieve([1])).toEqual([]);
    await docs.optimize();
  });

  test('does not come for a wrong dimension, an unknown id, or after an abort', async () => {
    const docs = await newCollection(2);
    await docs.upsert(somePoints(2, 2));
    expect(await codeOf(docs.query({ vector: [1, 2, 3] }))).toBe('DIMENSION_MISMATCH');
    expect(await codeOf(docs.query({ id: 77 }))).toBe('NOT_FOUND');
    expect(await codeOf(docs.query({ vector: [1, 2], signal: AbortSignal.abort() }))).toBe(
      'ABORTED',
    );
  });

  test('needs originals', async () => {
    const db = await openHere();
    const docs = await db.createCollection('docs', {
      vectors: { size: 8, distance: 'Euclid', originals: 'none' },
    });
    const some = somePoints(50, 8);
    await docs.upsert(some);
    expect(await codeOf(docs.query({ vector: some[0]!.vector, exact: true }))).toBe('UNSUPPORTED');
    expect(await codeOf(docs.query({ vector: some[0]!.vector, rescore: 'exact' }))).toBe(
      'UNSUPPORTED',
    );
    expect(await codeOf(docs.retrieve([1], { withVector: true }))).toBe('UNSUPPORTED');
    expect(await docs.query({ id: 3, limit: 50 })).toHaveLength(49);
    expect(idsOf(await docs.query({ vector: some[7]!.vector, limit: 1 }))).toEqual([7]);
  });
});

test('limits may be far larger than what there is', async () => {
  const docs = await newCollection(2);
  await docs.upsert([1, 2].map((id) => ({ id, vector: [id, 0], payload: { tag: 'a' } })));
  await docs.createPayloadIndex('tag', 'keyword');
  const limit = 2 ** 31 - 1;
  expect(idsOf(await docs.query({ vector: [0, 0], limit, offset: 1 }))).toEqual([2]);
  expect(idsOf(await docs.query({ vector: [0, 0], limit, rescore: 'exact' }))).toEqual([1, 2]);
  expect(idsOf(await docs.query({ id: 1, limit, exact: true }))).toEqual([2]);
  const many = { vector: [0, 0], groupBy: 'tag', limit: 100_000, groupSize: 100_000 };
  expect((await docs.queryGroups(many)).map(({ hits }) => idsOf(hits))).toEqual([[1, 2]]);
  expect(await docs.facet('tag', { limit })).toEqual([{ value: 'a', count: 2 }]);
});

test('filters tell an id from the text that it would be', async () => {
  const docs = await newCollection(1);
  await docs.upsert([{ id: 1, vector: [1] }]);
  const withId = (id: string | bigint) => docs.count({ filter: { must: { has_id: [id] } } });
  expect([await withId(1n), await withId('1n'), await withId(1n)]).toEqual([1, 0, 1]);
});

describe('scroll', () => {
  test('pages through all points in the order of their ids, each once', async () => {
    const docs = await newCollection(2);
    const ids = [...Array.from({ length: 5_000 }, (_, i) => i * 3), 'b', 'a', 2n ** 64n - 1n];
    for (let from = 0; from < ids.length; from += 1000) {
      await docs.upsert(
        ids
          .slice(from, from + 1000)
          .map((id, i) => ({ id, vector: [i, 1], payload: { odd: (from + i) % 2 } })),
      );
    }
    const pages = async (filter?: object) => {
      const seen: unknown[] = [];
      let offset: string | number | bigint | null = null;
      do {
        const page = await docs.scroll({
          limit: 700,
          ...(filter && { filter }),
          ...(offset !== null && { offset }),
        });
        seen.push(...idsOf(page.points));
        offset = page.next;
      } while (offset !== null);
      return seen;
    };
    const sorted = [...ids.slice(0, 5_000), 2n ** 64n - 1n, 'a', 'b'];
    expect(await pages()).toEqual(sorted);
    const filter = { must_not: { has_id: [0, 'a'] } };
    expect(await pages(filter)).toEqual(sorted.filter((id) => id !== 0 && id !== 'a'));
    const odd = new Set(ids.filter((_, i) => i % 2 === 1));
    expect(await pages({ must: { key: 'odd', match: { value: 1 } } })).toEqual(
      sorted.filter((id) => odd.has(id)),
    );
  });
});

describe('facet', () => {
  test('counts values of all types, whatever the index is for', async () => {
    const docs = await newCollection(2);
    const values = ['7', 7, [7, '7', true, 7], 1.5, null];
    await docs.upsert(values.map((m, id) => ({ id, vector: [id, 1], payload: { m } })));
    const expected = await docs.facet('m');
    expect(new Map(expected.map(({ value, count }) => [value, count]))).toEqual(
      new Map<unknown, number>([
        ['7', 2],
        [7, 2],
        [true, 1],
      ]),
    );
    for (const type of ['integer', 'keyword', 'bool'] as const) {
      await docs.createPayloadIndex('m', type);
      expect(await docs.facet('m')).toEqual(expected);
    }
  });

  test('counts values, from payloads or an index alike', async () => {
    const docs = await newCollection(2);
    await docs.upsert(somePoints(31, 2));
    await docs.upsert([{ id: 50, vector: [0, 0], payload: { color: ['red', 'red', 'black'] } }]);
    await docs.delete([0]);
    const filter = { must: { key: 'half', match: { value: 0 } } };
    const read = async () => [
      await docs.facet('color'),
      await docs.facet('color', { limit: 1 }),
      await docs.facet('color', { filter }),
    ];
    const expected = [
      [
        { value: 'red', count: 11 },
        { value: 'blue', count: 10 },
        { value: 'green', count: 10 },
        { value: 'black', count: 1 },
      ],
      [{ value: 'red', count: 11 }],
      [
        { value: 'blue', count: 5 },
        { value: 'green', count: 5 },
        { value: 'red', count: 5 },
      ],
    ];
    expect(await read()).toEqual(expected);
    await docs.createPayloadIndex('color', 'keyword');
    expect(await read()).toEqual(expected);
  });
});
