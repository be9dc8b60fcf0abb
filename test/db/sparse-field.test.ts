import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Collection } from '../../src/db/collection.js';
import type { Prefetch, Query } from '../../src/db/query-types.js';
import type { Point, SparseVector } from '../../src/db/types.js';
import { codeOf, emptyFolder, idsOf, openHere } from './support.js';

const VECTORS = {
  dense: { size: 2, distance: 'Dot' },
  words: { sparse: {} },
  rare: { sparse: { modifier: 'idf' } },
} as const;

const sparse = (entries: Record<number, number>): SparseVector => ({
  indices: Object.keys(entries).map(Number),
  values: Object.values(entries),
});

async function newDocs(path = ':memory:'): Promise<Collection> {
  const db = await openHere(path);
  return db.createCollection('docs', { vectors: VECTORS });
}

const points: Point[] = [
  { id: 1, vector: { dense: [1, 0], words: sparse({ 1: 1, 2: 1 }) }, payload: { kind: 'a' } },
  {
    id: 2,
    vector: { dense: [0, 1], words: sparse({ 4294967295: 2, 2: 3 }) },
    payload: { kind: 'b' },
  },
  { id: 3, vector: { words: sparse({ 7: 5 }) }, payload: { kind: 'a' } },
  { id: 4, vector: { dense: [1, 1] } },
];

const find = async (docs: Collection, vector: SparseVector, more: Partial<Query> = {}) => {
  const hits = await docs.query({ vector, using: 'words', ...more } as Query);
  return hits.map(({ id, score }) => [id, score]);
};

describe('sparse vectors', () => {
  test('are found by inner products, where they share an index', async () => {
    const docs = await newDocs();
    await docs.upsert(points);
    expect(await find(docs, sparse({ 2: 2 }))).toEqual([
      [2, 6],
      [1, 2],
    ]);
    expect(await find(docs, sparse({ 4294967295: 1, 1: 10, 99: 4 }))).toEqual([
      [1, 10],
      [2, 2],
    ]);
    expect(await find(docs, sparse({ 7: -1 }))).toEqual([[3, -5]]);
    expect(await find(docs, sparse({ 8: 1 }))).toEqual([]);
    expect(await find(docs, sparse({ 2: 2, 7: 1 }), { limit: 1, offset: 1 })).toEqual([[3, 5]]);
    expect(await find(docs, sparse({ 2: 2, 7: 1 }), { scoreThreshold: 5, exact: true })).toEqual([
      [2, 6],
      [3, 5],
    ]);
    const filter = { must: { key: 'kind', match: { value: 'a' } } };
    expect(await find(docs, sparse({ 2: 2, 7: 1 }), { filter })).toEqual([
      [3, 5],
      [1, 2],
    ]);
    const like = await docs.query({ id: 1, using: 'words' });
    expect(like.map(({ id, score }) => [id, score])).toEqual([[2, 3]]);
    expect(await docs.count({ filter: { must: { has_vector: 'words' } } })).toBe(3);
  });

  test('come back as they were given, by ascending index', async () => {
    const docs = await newDocs();
    await docs.upsert([
      {
        id: 1,
        vector: { words: { indices: Uint32Array.of(9, 2), values: Float32Array.of(1.5, -2) } },
      },
    ]);
    const [point] = await docs.retrieve([1], { withVector: true });
    expect(point!.vector).toEqual({
      words: { indices: Uint32Array.of(2, 9), values: Float32Array.of(-2, 1.5) },
    });
  });

  test('are there when opened again, from a snapshot, and beside a writer', async () => {
    const folder = emptyFolder();
    const db = await openHere(folder);
    const docs = await db.createCollection('docs', { vectors: VECTORS });
    await docs.upsert(points);
    await docs.updateVectors([{ id: 1, vector: { words: sparse({ 7: 1 }) } }]);
    await docs.deleteVectors([2], ['words']);
    await docs.setPayload([3], { kind: 'c' });
    const expected = [
      [3, 5],
      [1, 1],
    ];
    const query = sparse({ 7: 1, 2: 100 });
    expect(await find(docs, query)).toEqual(expected);
    const reader = await (await openHere(folder, { readOnly: true })).collection('docs');
    expect(await find(reader, query)).toEqual(expected);
    await docs.delete([3]);
    expect(await find(reader, query)).toEqual([[1, 1]]);
    const file = join(emptyFolder(), 'copy');
    await docs.snapshot(file);
    await db.verify();
    await db.close();
    const again = await openHere(folder);
    expect(await find(await again.collection('docs'), query)).toEqual([[1, 1]]);
    const copy = await again.restoreCollection('copy', file);
    expect(await find(copy, query)).toEqual([[1, 1]]);
    rmSync(file);
  });

  test('with idf weigh what is rare', async () => {
    const docs = await newDocs();
    await docs.upsert(
      [1, 2, 3, 4].map((id) => ({
        id,
        vector: { rare: sparse(id === 4 ? { 0: 1, 5: 1 } : { 0: 1 }) },
      })),
    );
    const query = { vector: sparse({ 0: 1, 5: 1 }), using: 'rare' };
    const idf = (n: number, count: number) => Math.log(1 + (count - n + 0.5) / (n + 0.5));
    const [first, second] = await docs.query(query);
    expect(first!.id).toBe(4);
    expect(first!.score).toBeCloseTo(idf(4, 4) + idf(1, 4), 12);
    expect(second!.score).toBeCloseTo(idf(4, 4), 12);
    await docs.delete([1, 2]);
    expect((await docs.query(query))[0]!.score).toBeCloseTo(idf(2, 2) + idf(1, 2), 12);
  });

  test('join others in queries of several stages', async () => {
    const docs = await newDocs();
    await docs.upsert(points);
    const prefetch: Prefetch[] = [
      { vector: [1, 0], using: 'dense' },
      { vector: sparse({ 2: 1, 7: 1 }), using: 'words' },
    ];
    const fused = await docs.query({ prefetch, fusion: 'rrf' });
    // By dense 1, 4, 2 (the first two equal, in the order of writing); by words 3, 2, 1.
    expect(idsOf(fused)).toEqual([1, 2, 3, 4]);
    expect(fused[0]!.score).toBeCloseTo(1 / 2 + 1 / 4, 12);
    const ranked = await docs.query({
      prefetch: [prefetch[0]!],
      vector: sparse({ 2: 1, 7: 1 }),
      using: 'words',
    });
    expect(ranked.map(({ id, score }) => [id, score])).toEqual([
      [2, 3],
      [1, 1],
    ]);
    const diverse = await docs.query({
      vector: sparse({ 1: 1, 2: 1, 7: 0.125 }),
      using: 'words',
      limit: 2,
      mmr: { diversity: 0.9 },
    });
    expect(diverse.map(({ id, score }) => [id, score])).toEqual([
      [2, 3],
      [3, 0.625],
    ]);
    const batch = await docs.queryBatch([
      { vector: sparse({ 2: 1 }), using: 'words' },
      { vector: sparse({ 7: 1 }), using: 'words' },
    ]);
    expect(batch.map(idsOf)).toEqual([[2, 1], [3]]);
  });

  test('are described', async () => {
    const docs = await newDocs();
    await docs.upsert(points);
    const { vectors, sparseVectors } = await docs.info();
    expect(Object.keys(vectors)).toEqual(['dense']);
    expect(sparseVectors).toEqual({
      words: { modifier: 'none', count: 3, indices: 4, values: 5 },
      rare: { modifier: 'idf', count: 0, indices: 0, values: 0 },
    });
    await docs.optimize();
    expect((await docs.info()).status).toBe('ready');
  });

  test('stream in', async () => {
    const docs = await newDocs();
    const many = Array.from({ length: 1_200 }, (_, id) => ({
      id,
      vector: { words: sparse({ [id % 10]: 1, 100: id }) },
    }));
    await docs.upsert(many.values());
    expect(await find(docs, sparse({ 100: 1 }), { limit: 2 })).toEqual([
      [1_199, 1_199],
      [1_198, 1_198],
    ]);
  });
});

const aVector = fc
  .uniqueArray(fc.tuple(fc.nat(6), fc.integer({ min: -4, max: 4 })), {
    selector: ([index]) => index,
    minLength: 1,
    maxLength: 4,
  })
  .map((entries) => Object.fromEntries(entries) as Record<number, number>);
const anId = fc.nat(15);
const aStep = fc.oneof(
  fc.record({ do: fc.constant('upsert' as const), id: anId, entries: aVector }),
  fc.record({ do: fc.constant('update' as const), id: anId, entries: aVector }),
  fc.record({ do: fc.constant('delete' as const), id: anId }),
  fc.record({ do: fc.constant('delete vector' as const), id: anId }),
  fc.constant({ do: 'reopen' as const }),
);

test('after any writes they are what a map has', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aStep, { maxLength: 25 }), aVector, async (steps, query) => {
      const folder = emptyFolder();
      let db = await openHere(folder, { durability: 'process' });
      let docs = await db.createCollection('docs', { vectors: { words: { sparse: {} } } });
      const model = new Map<number, Record<number, number> | undefined>();
      for (const step of steps) {
        if (step.do === 'reopen') {
          await db.close();
          db = await openHere(folder, { durability: 'process' });
          docs = await db.collection('docs');
          continue;
        }
        const { id } = step;
        if (step.do === 'upsert') {
          model.set(id, step.entries);
          await docs.upsert([{ id, vector: { words: sparse(step.entries) } }]);
        } else if (step.do === 'delete') {
          model.delete(id);
          await docs.delete([id]);
        } else if (model.has(id)) {
          model.set(id, step.do === 'update' ? step.entries : undefined);
          if (step.do === 'delete vector') await docs.deleteVectors([id], ['words']);
          else await docs.updateVectors([{ id, vector: { words: sparse(step.entries) } }]);
        }
      }
      const expected = [...model].flatMap(([id, entries]) => {
        const shared = Object.keys(query).filter((index) => Number(index) in (entries ?? {}));
        const score = shared.reduce((sum, i) => sum + query[Number(i)]! * entries![Number(i)]!, 0);
        return shared.length > 0 ? [[id, score]] : [];
      });
      const found = await find(docs, sparse(query), { limit: 100 });
      expect(found.toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual(
        expected.sort((a, b) => a[0]! - b[0]!),
      );
      const scores = found.map(([, score]) => Number(score));
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      await db.close();
    }),
    { seed: 9, numRuns: 25 },
  );
});

test.each<[unknown]>([
  [[1, 2]],
  [{ indices: [1], values: [1, 2] }],
  [{ indices: [1, 1], values: [1, 2] }],
  [{ indices: [-1], values: [1] }],
  [{ indices: [1.5], values: [1] }],
  [{ indices: [2 ** 32], values: [1] }],
  [{ indices: ['1'], values: [1] }],
  [{ indices: [1], values: [Number.NaN] }],
  [{ indices: [1], values: ['1'] }],
  [{ indices: [1], values: [1e30] }],
  [{ indices: [], values: [] }],
  [{ indices: 'x', values: [] }],
  [{ indices: [1] }],
  [{ indices: [1], values: [1], more: 1 }],
  [7],
])('%j is no sparse vector', async (words) => {
  const docs = await newDocs();
  const wrong = ['INVALID_ARGUMENT', 'DIMENSION_MISMATCH'];
  expect(wrong).toContain(await codeOf(docs.upsert([{ id: 1, vector: { words } as never }])));
  expect(wrong).toContain(await codeOf(docs.query({ vector: words as never, using: 'words' })));
  expect(await docs.count()).toBe(0);
});

test.each<[object]>([
  [{ ef: 10 }],
  [{ rerank: 10 }],
  [{ rescore: 'exact' }],
  [{ exact: 1 }],
])('sparse queries refuse %j', async (options) => {
  const docs = await newDocs();
  expect(await codeOf(docs.query({ vector: sparse({ 1: 1 }), using: 'words', ...options }))).toBe(
    'INVALID_ARGUMENT',
  );
});

test.each<[object]>([
  [{ words: { sparse: 1 } }],
  [{ words: { sparse: { modifier: 'tf' } } }],
  [{ words: { sparse: {}, size: 3 } }],
  [{ words: { sparse: { index: {} } } }],
])('%j are no settings', async (vectors) => {
  const db = await openHere();
  expect(await codeOf(db.createCollection('docs', { vectors: vectors as never }))).toBe(
    'INVALID_ARGUMENT',
  );
});
