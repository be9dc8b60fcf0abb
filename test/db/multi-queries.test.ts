import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import type { Hit } from '../../src/db/types.js';
import {
  type Compared,
  maxSim,
  multi,
  newDocuments,
  numbersOf,
  ranking,
  someDocuments,
} from './multi-support.js';
import { codeOf, gaussians, idsOf, openHere } from './support.js';

const SIZE = 8;
const documents = someDocuments(300, SIZE);
const queries = [1, 3, 7].map((count, i) => gaussians(new Random(50 + i), count, SIZE));

/** Scores as they are, but for rounding. */
const near = (found: readonly { id: unknown; score: number }[], digits = 4) =>
  found.map(({ id, score }) => ({ id, score: expect.closeTo(score, digits) }));
const bare = (hits: readonly Hit[]) => hits.map(({ id, score }) => ({ id, score }));

describe.each<Compared>(['Cosine', 'Dot'])('%s', (distance) => {
  test.each([
    ['scanned', 1_000_000],
    ['in a graph', 0],
  ])('documents, %s, are ranked as by brute force where all are candidates', async (_, below) => {
    const index = { tokenBits: 32 as const, exactBelow: below };
    const docs = await newDocuments({ vectors: multi(SIZE, { distance, index }) });
    await docs.upsert(documents);
    await docs.optimize();
    const info = await docs.info();
    expect(info.vectors['']).toMatchObject({ count: 300, indexed: below === 0 ? 300 : 0 });
    for (const vector of queries) {
      const expected = ranking(documents, vector, distance);
      const options = { vector, limit: 300, rerank: 300, withPayload: false };
      expect(bare(await docs.query(options))).toEqual(near(expected));
      expect(bare(await docs.query({ ...options, rescore: 'exact' }))).toEqual(near(expected, 9));
      expect(bare(await docs.query({ ...options, exact: true }))).toEqual(near(expected, 9));
    }
  });

  test.each(['float32', 'float16', 'none'] as const)('originals: %s', async (originals) => {
    const index = { tokenBits: 32 as const };
    const docs = await newDocuments({ vectors: multi(SIZE, { distance, originals, index }) });
    await docs.upsert(documents);
    const vector = queries[1]!;
    const expected = ranking(documents, vector, distance);
    const hits = await docs.query({ vector, limit: 300, withPayload: false });
    const scores = new Map(expected.map(({ id, score }) => [id, score]));
    expect(hits.length).toBe(300);
    for (const { id, score } of hits) expect(score).toBeCloseTo(scores.get(id as number)!, 4);
    if (originals === 'none') {
      expect(await codeOf(docs.retrieve([1], { withVector: true }))).toBe('UNSUPPORTED');
      expect(await codeOf(docs.query({ vector, exact: true }))).toBe('UNSUPPORTED');
      expect(idsOf(await docs.query({ id: 7, limit: 5 }))).not.toContain(7);
      return;
    }
    const [read] = await docs.retrieve([17], { withVector: true });
    const digits = originals === 'float32' ? 30 : 2;
    expect(numbersOf(read!.vector)).toEqual(
      documents[17]!.vector.map((one) => one.map((x) => expect.closeTo(x, digits))),
    );
  });
});

describe('queries', () => {
  test('find what is near with the default settings', async () => {
    // Documents about one topic each, as models make them; queries about the topic of one.
    const random = new Random(9);
    const size = 32;
    const about = (topic: readonly number[], count: number) =>
      gaussians(random, count, size).map((noise) => noise.map((x, i) => topic[i]! + 0.8 * x));
    const topics = gaussians(random, 3_000, size);
    const points = topics.map((topic, id) => ({ id, vector: about(topic, 3 + random.below(6)) }));
    const docs = await newDocuments({ vectors: multi(size, { index: { exactBelow: 1_000 } }) });
    await docs.upsert(points);
    await docs.optimize();
    expect((await docs.info()).vectors['']!.indexed).toBe(3_000);
    let found = 0;
    for (let q = 0; q < 20; q++) {
      const vector = about(topics[37 * q]!, 4);
      const wanted = new Set(
        ranking(points, vector)
          .slice(0, 10)
          .map(({ id }) => id),
      );
      const hits = await docs.query({ vector, limit: 10 });
      expect(hits[0]!.id).toBe(ranking(points, vector)[0]!.id);
      found += hits.filter(({ id }) => wanted.has(id as number)).length;
    }
    expect(found / 200).toBeGreaterThan(0.9);
  });

  test('take vectors one by one or as a matrix, which may be used again at once', async () => {
    const docs = await newDocuments({ vectors: multi(SIZE, { index: { tokenBits: 32 } }) });
    const [a, b, c] = documents.slice(0, 3).map(({ vector }) => structuredClone(vector));
    const arrays = b!.map((one) => Float32Array.from(one));
    const matrix = Float32Array.from(c!.flat());
    const written = docs.upsert([
      { id: 0, vector: a! },
      { id: 1, vector: arrays },
      { id: 2, vector: matrix },
    ]);
    for (const one of a!) one.fill(0);
    for (const one of arrays) one.fill(0);
    matrix.fill(0);
    await written;
    const stored = await docs.retrieve([0, 1, 2], { withVector: true });
    expect(stored.map(({ vector }) => numbersOf(vector))).toEqual(
      documents.slice(0, 3).map(({ vector }) => vector),
    );
    const query = structuredClone(queries[1]!);
    const asMatrix = Float32Array.from(query.flat());
    const results = [
      docs.query({ vector: query }),
      docs.query({ vector: queries[1]!.map((one) => Float32Array.from(one)) }),
      docs.query({ vector: asMatrix }),
    ];
    for (const one of query) one.fill(0);
    asMatrix.fill(0);
    const [first, ...others] = await Promise.all(results);
    expect(bare(first!)).toEqual(near(ranking(documents.slice(0, 3), queries[1]!)));
    for (const other of others) expect(other).toEqual(first);
  });

  test('stream in, also documents that fill a batch by themselves', async () => {
    const docs = await newDocuments({ vectors: multi(1024, { originals: 'float16' }) });
    const random = new Random(3);
    const row = () => Float32Array.from({ length: 1024 }, () => random.uniform() - 0.5);
    const large = new Float32Array(16_384 * 1024);
    for (let i = 0; i < 16_384; i++) large.set(row(), i * 1024);
    const { count } = await docs.upsert(
      (function* () {
        yield { id: 1, vector: large };
        yield { id: 2, vector: [row()] };
        yield { id: 3, vector: [row(), row()] };
      })(),
    );
    expect(count).toBe(3);
    expect((await docs.info()).vectors['']!.multivector!.tokens).toBe(16_387);
    const last = large.subarray(-1024);
    const hits = await docs.query({ vector: [last] });
    expect(hits[0]).toMatchObject({ id: 1, score: expect.closeTo(1, 2) });
  });

  test.each([
    ['scanned', 1_000_000],
    ['in a graph', 0],
  ])('take filters, thresholds, offsets, groups, batches and ids, %s', async (_, exactBelow) => {
    const index = { tokenBits: 32 as const, exactBelow };
    const docs = await newDocuments({ vectors: multi(SIZE, { index }) });
    await docs.createPayloadIndex('color', 'keyword');
    await docs.upsert(documents);
    await docs.optimize();
    const vector = queries[2]!;
    const all = { vector, limit: 300, rerank: 300, withPayload: false };
    const expected = ranking(documents, vector);
    for (const filter of [
      { must: { key: 'color', match: { value: 'red' } } },
      { must: { key: 'half', match: { value: 1 } } },
      { must: { key: 'n', range: { lt: 3 } } },
      { must: { has_id: [5, 250] } },
    ]) {
      const ids = new Set(idsOf((await docs.scroll({ filter, limit: 300 })).points));
      const matching = expected.filter(({ id }) => ids.has(id));
      expect(bare(await docs.query({ ...all, filter }))).toEqual(near(matching));
      expect(bare(await docs.query({ ...all, filter, exact: true }))).toEqual(near(matching, 9));
      const few = await docs.query({ vector, limit: 2, filter });
      expect(few.length).toBe(2);
    }
    const threshold = (expected[40]!.score + expected[41]!.score) / 2;
    expect(idsOf(await docs.query({ ...all, scoreThreshold: threshold }))).toEqual(
      idsOf(expected.slice(0, 41)),
    );
    expect(idsOf(await docs.query({ ...all, limit: 5, offset: 10 }))).toEqual(
      idsOf(expected.slice(10, 15)),
    );
    const batch = await docs.queryBatch(queries.map((one) => ({ ...all, vector: one })));
    for (const [i, one] of queries.entries()) {
      expect(bare(batch[i]!)).toEqual(near(ranking(documents, one)));
    }
    const others = documents.filter(({ id }) => id !== 11);
    expect(bare(await docs.query({ ...all, vector: undefined, id: 11 } as never))).toEqual(
      near(ranking(others, documents[11]!.vector)),
    );
    const groups = await docs.queryGroups({ ...all, groupBy: 'color', limit: 3, groupSize: 2 });
    for (const { id, hits } of groups) {
      const own = expected.filter((hit) => documents[hit.id]!.payload.color === id);
      expect(idsOf(hits)).toEqual(idsOf(own.slice(0, 2)));
    }
    expect(groups.length).toBe(3);
  });

  test('that are long work are answered by other threads, alike', async () => {
    const size = 64;
    const many = someDocuments(120, size, 80);
    const docs = await newDocuments({ vectors: multi(size, { index: { tokenBits: 32 } }) });
    await docs.upsert(many);
    const vector = gaussians(new Random(4), 400, size);
    const query = { vector, limit: 120, withPayload: false };
    const expected = near(ranking(many, vector), 2);
    const searches = Array.from({ length: 3 }, () => docs.query(query));
    for (const hits of await Promise.all(searches)) expect(bare(hits)).toEqual(expected);
    for (const hits of await docs.queryBatch([query, query])) {
      expect(bare(hits)).toEqual(expected);
    }
  });

  test('of many vectors are the sum of their parts', async () => {
    const docs = await newDocuments({ vectors: multi(SIZE, { index: { tokenBits: 32 } }) });
    await docs.upsert(documents.slice(0, 50));
    const vector = gaussians(new Random(77), 1_500, SIZE);
    const hits = await docs.query({ vector, limit: 50, withPayload: false });
    expect(bare(hits)).toEqual(near(ranking(documents.slice(0, 50), vector), 2));
    // Scores of many vectors are large: nothing is cut off at 1.
    expect(hits[0]!.score).toBeGreaterThan(100);
    expect(maxSim(vector, documents[hits[0]!.id as number]!.vector)).toBeCloseTo(hits[0]!.score, 2);
  });

  test('by named vectors, single and several side by side', async () => {
    const db = await openHere();
    const docs = await db.createCollection('docs', {
      vectors: {
        title: { size: 2, distance: 'Euclid' },
        body: multi(SIZE, { index: { tokenBits: 32 } }),
      },
    });
    const some = documents.slice(0, 40);
    await docs.upsert(
      some.map(({ id, vector, payload }) => ({
        id,
        payload,
        vector: id % 4 === 0 ? { title: [id, 1] } : { title: [id, 1], body: vector },
      })),
    );
    const having = some.filter(({ id }) => id % 4 !== 0);
    const query = { vector: queries[1]!, using: 'body', limit: 50, withPayload: false };
    expect(bare(await docs.query(query))).toEqual(near(ranking(having, queries[1]!)));
    expect(await docs.count({ filter: { must: { has_vector: 'body' } } })).toBe(30);
    const near3 = await docs.query({ vector: [3.2, 1], using: 'title', limit: 2 });
    expect(idsOf(near3)).toEqual([3, 4]);

    // One of the vectors changes, the other goes along with the point to its new row.
    await docs.updateVectors([{ id: 1, vector: { title: [100, 1] } }]);
    await docs.updateVectors([{ id: 0, vector: { body: some[0]!.vector } }]);
    await docs.deleteVectors([2], ['body']);
    await docs.deleteVectors([3], ['title']);
    await docs.delete([5]);
    const now = some.filter(({ id }) => (id === 0 || id % 4 !== 0) && id !== 2 && id !== 5);
    expect(bare(await docs.query(query))).toEqual(near(ranking(now, queries[1]!)));
    expect(bare(await docs.query({ ...query, exact: true }))).toEqual(
      near(ranking(now, queries[1]!), 9),
    );
    const records = await docs.retrieve([0, 1, 2, 3], { withVector: true });
    const read = records.map(({ vector }) => {
      const { title, body } = vector as { title?: Float32Array; body?: Float32Array[] };
      return [title && [...title], body && numbersOf(body)];
    });
    expect(read).toEqual([
      [[0, 1], some[0]!.vector],
      [[100, 1], some[1]!.vector],
      [[2, 1], undefined],
      [undefined, some[3]!.vector],
    ]);
    expect((await docs.info()).vectors).toMatchObject({
      title: { count: 38, multivector: undefined },
      body: {
        count: 29,
        multivector: {
          tokens: now.reduce((sum, { vector }) => sum + vector.length, 0),
          tokenBits: 32,
        },
      },
    });
    await db.verify();
  });
});
