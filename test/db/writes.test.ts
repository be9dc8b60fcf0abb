import { describe, expect, test } from 'vitest';
import type { Point } from '../../src/db/types.js';
import { codeOf, emptyFolder, idsOf, newCollection, openHere, somePoints } from './support.js';

describe('upsert', () => {
  test('puts whole points in the place of those with the same ids', async () => {
    const docs = await newCollection(2);
    expect(await docs.upsert([{ id: 1, vector: [1, 2], payload: { a: 1, b: 2 } }])).toEqual({
      version: 1,
      count: 1,
    });
    expect(await docs.upsert([{ id: 1n, vector: Float32Array.of(3, 4) }])).toEqual({
      version: 2,
      count: 1,
    });
    const [point] = await docs.retrieve([1], { withVector: true });
    expect(point).toEqual({ id: 1, payload: null, vector: Float32Array.of(3, 4) });
    expect(await docs.count()).toBe(1);
  });

  test('keeps ids as they are', async () => {
    const docs = await newCollection(1);
    const ids = [
      2 ** 53 - 1,
      2n ** 53n,
      2n ** 63n,
      2n ** 64n - 1n,
      '0',
      0,
      'ä',
      '936da01f-9abd-4d9d-80c7-02af85c822a8',
    ];
    await docs.upsert(ids.map((id, i) => ({ id, vector: [i] })));
    expect(idsOf(await docs.retrieve(ids))).toEqual(ids);
    const hits = await docs.query({ vector: [0], limit: 100 });
    expect(idsOf(hits)).toEqual(ids);
    const { points } = await docs.scroll({ limit: 100 });
    expect(idsOf(points)).toEqual([
      0,
      2 ** 53 - 1,
      2n ** 53n,
      2n ** 63n,
      2n ** 64n - 1n,
      '936da01f-9abd-4d9d-80c7-02af85c822a8',
      '0',
      'ä',
    ]);
  });

  test.each<[string, unknown, string]>([
    ['a NaN', { id: 2, vector: [0, Number.NaN] }, 'INVALID_ARGUMENT'],
    ['an infinity', { id: 2, vector: Float32Array.of(1, Infinity) }, 'INVALID_ARGUMENT'],
    ['a number beyond float32', { id: 2, vector: [1e300, 0] }, 'INVALID_ARGUMENT'],
    ['a wrong dimension', { id: 2, vector: [1, 2, 3] }, 'DIMENSION_MISMATCH'],
    ['a string for a number', { id: 2, vector: ['1', 2] }, 'INVALID_ARGUMENT'],
    ['a Float64Array', { id: 2, vector: Float64Array.of(1, 2) }, 'INVALID_ARGUMENT'],
    ['no vector', { id: 2 }, 'INVALID_ARGUMENT'],
    ['no id', { vector: [1, 2] }, 'INVALID_ARGUMENT'],
    ['a fraction as id', { id: 1.5, vector: [1, 2] }, 'INVALID_ARGUMENT'],
    ['an id that occurs twice', { id: 0, vector: [1, 2] }, 'INVALID_ARGUMENT'],
    ['an array as payload', { id: 2, vector: [1, 2], payload: [] }, 'INVALID_ARGUMENT'],
    [
      'a Date in the payload',
      { id: 2, vector: [1, 2], payload: { at: new Date() } },
      'INVALID_ARGUMENT',
    ],
    ['an unknown member', { id: 2, vector: [1, 2], metadata: {} }, 'INVALID_ARGUMENT'],
    ['something else', 7, 'INVALID_ARGUMENT'],
  ])('writes nothing of a batch with %s', async (_, point, code) => {
    const docs = await newCollection(2);
    const batch = [{ id: 0, vector: [0, 0] }, { id: 1, vector: [1, 1] }, point] as Point[];
    expect(await codeOf(docs.upsert(batch))).toBe(code);
    expect(await docs.count()).toBe(0);
    expect(await docs.query({ vector: [0, 0] })).toEqual([]);
  });

  test('says which number of which point is wrong', async () => {
    const docs = await newCollection(2);
    const batch = [
      { id: 0, vector: [0, 0] },
      { id: 1, vector: [1, Number.NaN] },
    ];
    await expect(docs.upsert(batch)).rejects.toThrow('points[1].vector[1]');
  });

  test('refuses a zero vector only where there is no cosine', async () => {
    const zero = [{ id: 0, vector: [0, 0] }];
    expect(await codeOf((await newCollection(2, { distance: 'Cosine' })).upsert(zero))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await codeOf((await newCollection(2, { distance: 'Dot' })).upsert(zero))).toBe(
      'no error',
    );
  });

  test.each([
    ['float16', [1e-9, 1e-9], [1e-7, 0]],
    ['none', [0, 1e-44], [0, 1e-37]],
  ] as const)('refuses what has no direction as %s, which nothing could open', async (originals, bad, good) => {
    const path = emptyFolder();
    const db = await openHere(path);
    const docs = await db.createCollection('docs', { vectors: { size: 2, originals } });
    expect(await codeOf(docs.upsert([{ id: 1, vector: bad }]))).toBe('INVALID_ARGUMENT');
    await docs.upsert([{ id: 2, vector: good }]);
    await db.close();
    const again = await (await openHere(path)).collection('docs');
    expect(idsOf(await again.query({ vector: good }))).toEqual([2]);
  });

  test('takes an empty batch', async () => {
    const docs = await newCollection(2);
    expect((await docs.upsert([])).count).toBe(0);
  });

  test('takes iterables in batches, and tells the progress', async () => {
    const docs = await newCollection(2);
    function* some() {
      for (let id = 0; id < 1_250; id++) yield { id, vector: [id, 1] };
    }
    async function* more() {
      for (let id = 1_250; id < 2_600; id++) yield { id, vector: [id, 1] };
    }
    const done: number[] = [];
    await docs.upsert(some());
    const result = await docs.upsert(more(), {
      onProgress: (progress) => done.push(progress.done),
    });
    expect(result.count).toBe(1_350);
    expect(done).toEqual([500, 1000, 1350]);
    expect(await docs.count()).toBe(2_600);
  });

  test('ends a stream at the first batch that is wrong, and the source with it', async () => {
    const docs = await newCollection(1);
    let isEnded = false;
    async function* source() {
      try {
        for (let id = 0; ; id++) yield { id, vector: [id === 700 ? Number.NaN : id] };
      } finally {
        isEnded = true;
      }
    }
    expect(await codeOf(docs.upsert(source()))).toBe('INVALID_ARGUMENT');
    expect(isEnded).toBe(true);
    const count = await docs.count();
    expect(count % 500).toBe(0);
    expect(count).toBeGreaterThanOrEqual(500);
  });

  test('is aborted before it has begun, and between the batches of a stream', async () => {
    const docs = await newCollection(1);
    const signal = AbortSignal.abort();
    expect(await codeOf(docs.upsert([{ id: 1, vector: [1] }], { signal }))).toBe('ABORTED');
    const controller = new AbortController();
    function* source() {
      for (let id = 0; id < 5_000; id++) {
        if (id === 1_600) controller.abort();
        yield { id, vector: [id] };
      }
    }
    const stream = docs.upsert(source(), { signal: controller.signal });
    expect(await codeOf(stream)).toBe('ABORTED');
    expect(await docs.count()).toBeLessThanOrEqual(1_500);
  });

  test('takes effect in the order of calls, however many are under way', async () => {
    const docs = await newCollection(1);
    const writes: Promise<unknown>[] = [];
    for (let i = 0; i < 50; i++) {
      writes.push(docs.upsert([{ id: 1, vector: [i], payload: { i } }]));
      if (i % 10 === 9) writes.push(docs.delete([1]));
      if (i % 7 === 6)
        writes.push(docs.delete({ filter: { must: { key: 'i', match: { value: i } } } }));
    }
    writes.push(docs.upsert([{ id: 1, vector: [99], payload: { i: 99 } }]));
    await Promise.all(writes);
    expect(await docs.retrieve([1])).toEqual([{ id: 1, payload: { i: 99 } }]);
    expect(await docs.query({ vector: [99] })).toMatchObject([{ id: 1, score: 0 }]);
  });

  test('shows every reader a point before, during and after its replacement', async () => {
    const docs = await newCollection(2);
    await docs.upsert(somePoints(300, 2));
    let isDone = false;
    const reading = (async () => {
      while (!isDone) {
        const hits = await docs.query({ vector: [0, 0], limit: 400, withPayload: false });
        expect(new Set(idsOf(hits)).size).toBe(hits.length);
        expect(hits.length).toBe(300);
        expect(await docs.count()).toBe(300);
      }
    })();
    for (let round = 2; round < 30; round++) await docs.upsert(somePoints(300, 2, round));
    isDone = true;
    await reading;
  });
});

describe('what is given', () => {
  test('and is wrong fails its own write alone, also while that waits for its turn', async () => {
    const docs = await newCollection(2);
    await docs.upsert(somePoints(2_000, 2));
    const filter = { must: { key: 'n', range: { lt: 1_000 } } };
    const before = docs.delete({ filter });
    const wrong = codeOf(docs.upsert([{ id: 1, vector: [Number.NaN, 0] }]));
    const alsoWrong = codeOf(docs.updateVectors([{ id: 1_500, vector: [1] }]));
    expect(await before).toMatchObject({ count: 1_000 });
    expect(await wrong).toBe('INVALID_ARGUMENT');
    expect(await alsoWrong).toBe('DIMENSION_MISMATCH');
    expect(await docs.count()).toBe(1_000);
  });

  test('may be used again as soon as the call returns', async () => {
    const docs = await newCollection(3);
    const vector = new Float32Array(3);
    const payload: { i: number } = { i: -1 };
    const writes: Promise<unknown>[] = [];
    for (let i = 0; i < 3; i++) {
      vector.fill(0);
      vector[i] = 1;
      payload.i = i;
      writes.push(docs.upsert([{ id: i, vector, payload }]));
    }
    const filter = { must: { key: 'i', match: { value: 0 } } };
    writes.push(docs.setPayload({ filter }, payload));
    filter.must.match.value = 1;
    payload.i = 99;
    await Promise.all(writes);
    const points = await docs.retrieve([0, 1, 2], { withVector: true });
    expect(points.map((point) => [...(point.vector as Float32Array)])).toEqual([
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    expect(points.map((point) => point.payload)).toEqual([{ i: 2 }, { i: 1 }, { i: 2 }]);
    const query = [1, 0, 0];
    const hits = docs.query({ vector: query, limit: 1 });
    query[0] = -9;
    expect(idsOf(await hits)).toEqual([0]);
    function* reusing() {
      for (let id = 10; id < 1_000; id++) {
        vector.fill(id);
        payload.i = id;
        yield { id, vector, payload };
      }
    }
    await docs.upsert(reusing());
    expect(await docs.query({ vector: [500, 500, 500], limit: 1 })).toEqual([
      { id: 500, score: 0, payload: { i: 500 } },
    ]);
  });
});

describe('delete', () => {
  test('by id and by filter; what is not there is no error', async () => {
    const docs = await newCollection(2);
    await docs.upsert(somePoints(30, 2));
    expect((await docs.delete([3, 4, 4, 99, 'x'])).count).toBe(2);
    const { count } = await docs.delete({
      filter: { must: { key: 'color', match: { value: 'red' } } },
    });
    expect(count).toBe(9);
    expect((await docs.delete([3])).count).toBe(0);
    expect(await docs.count()).toBe(19);
    const found = idsOf(await docs.query({ vector: [0, 0], limit: 100 })) as number[];
    expect(found.sort((a, b) => a - b)).toEqual(
      Array.from({ length: 30 }, (_, id) => id).filter((id) => id % 3 !== 0 && id !== 4),
    );
  });

  test.each([
    [undefined],
    [7],
    [{}],
    [{ filter: null }],
    [{ ids: [1] }],
    [[1.5]],
    [{ filter: { musst: [] } }],
  ])('refuses %j', async (target) => {
    const docs = await newCollection(2);
    await docs.upsert(somePoints(3, 2));
    expect(await codeOf(docs.delete(target as never))).toBe('INVALID_ARGUMENT');
    expect(await docs.count()).toBe(3);
  });
});

describe('payloads', () => {
  test('are read as they are at one moment, while they are changed', async () => {
    const db = await openHere(emptyFolder());
    const docs = await db.createCollection('docs', { vectors: { size: 2, distance: 'Euclid' } });
    await docs.upsert(somePoints(200, 2));
    let isDone = false;
    const filter = { must: { key: 'n', range: { gte: 0 } } };
    const reading = (async () => {
      while (!isDone) {
        expect(await docs.count({ filter })).toBe(200);
        expect(await docs.query({ vector: [0, 0], limit: 200, exact: true })).toHaveLength(200);
        const points = await docs.retrieve([1, 2, 3], { withVector: true });
        expect(idsOf(points)).toEqual([1, 2, 3]);
      }
    })();
    for (let n = 0; n < 60; n++) {
      await docs.setPayload({ filter: {} }, { n });
      await docs.upsert(somePoints(200, 2, n));
    }
    isDone = true;
    await reading;
  });

  test('are merged, replaced, trimmed and taken away, with and without an index', async () => {
    for (const isIndexed of [false, true]) {
      const docs = await newCollection(2);
      if (isIndexed) await docs.createPayloadIndex('n', 'integer');
      await docs.upsert(somePoints(6, 2));
      await docs.setPayload([0, 1], { n: 100, extra: { deep: 1 } });
      await docs.setPayload([1], { more: 2 }, { path: 'extra' });
      await docs.overwritePayload([2], { n: 100 });
      await docs.deletePayload([3], ['n', 'color']);
      await docs.clearPayload([4]);
      await docs.setPayload({ filter: { must: { key: 'n', match: { value: 5 } } } }, { n: 100 });
      const payloads = (await docs.retrieve([0, 1, 2, 3, 4, 5])).map(({ payload }) => payload);
      expect(payloads).toEqual([
        { n: 100, color: 'red', half: 0, extra: { deep: 1 } },
        { n: 100, color: 'green', half: 1, extra: { deep: 1, more: 2 } },
        { n: 100 },
        { half: 1 },
        null,
        { n: 100, color: 'blue', half: 1 },
      ]);
      expect(await docs.count({ filter: { must: { key: 'n', match: { value: 100 } } } })).toBe(4);
      expect(await docs.count({ filter: { must: { key: 'n', match: { value: 3 } } } })).toBe(0);
      expect(await docs.count({ filter: { must: { is_empty: { key: 'n' } } } })).toBe(2);
    }
  });

  test('of points that are not there cannot be changed, and none is', async () => {
    const docs = await newCollection(2);
    await docs.upsert(somePoints(2, 2));
    await expect(docs.setPayload([0, 7], { n: 9 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await docs.retrieve([0]))[0]!.payload).toMatchObject({ n: 0 });
  });

  test('leave vectors and results alone', async () => {
    const docs = await newCollection(2);
    await docs.upsert(somePoints(20, 2));
    const before = idsOf(await docs.query({ vector: [0, 0], limit: 20 }));
    await docs.clearPayload({ filter: {} });
    expect(idsOf(await docs.query({ vector: [0, 0], limit: 20 }))).toEqual(before);
  });
});

describe('named vectors', () => {
  const VECTORS = {
    vectors: {
      a: { size: 2, distance: 'Euclid' as const },
      b: { size: 3, distance: 'Dot' as const, originals: 'float16' as const },
    },
  };
  const points = [
    { id: 1, vector: { a: [0, 0], b: [1, 0, 0] }, payload: { k: 1 } },
    { id: 2, vector: { a: [1, 0] } },
    { id: 3, vector: { b: [5, 0, 0] } },
    { id: 4 },
  ];

  test('are searched one by one; a point may lack some', async () => {
    const docs = await (await openHere()).createCollection('docs', VECTORS);
    await docs.upsert(points);
    expect(idsOf(await docs.query({ vector: [0, 0], using: 'a' }))).toEqual([1, 2]);
    expect(idsOf(await docs.query({ vector: [1, 0, 0], using: 'b' }))).toEqual([3, 1]);
    expect(await docs.count()).toBe(4);
    expect(await docs.count({ filter: { must: { has_vector: 'a' } } })).toBe(2);
    expect(await docs.retrieve([1, 4], { withVector: true, withPayload: false })).toEqual([
      { id: 1, vector: { a: Float32Array.of(0, 0), b: Float32Array.of(1, 0, 0) } },
      { id: 4, vector: {} },
    ]);
    expect(await docs.retrieve([1], { withVector: ['b'], withPayload: false })).toEqual([
      { id: 1, vector: { b: Float32Array.of(1, 0, 0) } },
    ]);
  });

  test('are updated and deleted; the others and the payload stay', async () => {
    const docs = await (await openHere()).createCollection('docs', VECTORS);
    await docs.createPayloadIndex('k', 'integer');
    await docs.upsert(points);
    await docs.updateVectors([
      { id: 1, vector: { a: [9, 9] } },
      { id: 3, vector: { a: [8, 8], b: [0, 1, 0] } },
    ]);
    await docs.deleteVectors([2], ['a']);
    expect(idsOf(await docs.query({ vector: [9, 9], using: 'a' }))).toEqual([1, 3]);
    expect(idsOf(await docs.query({ vector: [1, 0, 0], using: 'b' }))).toEqual([1, 3]);
    expect(
      idsOf(
        await docs.query({
          vector: [9, 9],
          using: 'a',
          filter: { must: { key: 'k', match: { value: 1 } } },
        }),
      ),
    ).toEqual([1]);
    expect((await docs.retrieve([1]))[0]!.payload).toEqual({ k: 1 });
    expect(
      (await docs.deleteVectors({ filter: { must: { has_id: [1, 2] } } }, ['a', 'b'])).count,
    ).toBe(1);
    expect(idsOf(await docs.query({ vector: [9, 9], using: 'a' }))).toEqual([3]);
    expect(await docs.count()).toBe(4);
  });

  test('that are not there are refused', async () => {
    const docs = await (await openHere()).createCollection('docs', VECTORS);
    await docs.upsert(points);
    expect(await codeOf(docs.upsert([{ id: 9, vector: { c: [1] } }]))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(docs.upsert([{ id: 9, vector: [1, 2] }]))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(docs.query({ vector: [1, 2] }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(docs.query({ vector: [1, 2], using: 'c' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(docs.updateVectors([{ id: 9, vector: { a: [1, 2] } }]))).toBe('NOT_FOUND');
    expect(await codeOf(docs.updateVectors([{ id: 1, vector: {} }]))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(docs.deleteVectors([1], ['c']))).toBe('INVALID_ARGUMENT');
    const single = await newCollection(2);
    expect(await codeOf(single.deleteVectors([1], ['']))).toBe('INVALID_ARGUMENT');
  });
});
