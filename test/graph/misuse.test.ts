import { describe, expect, test } from 'vitest';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { D, failure, query, rows, small } from './misused.js';
import { rowOf } from './oracle.js';

describe('build refuses', () => {
  test.each([
    [
      'no options',
      undefined,
      TypeError,
      'INVALID_ARGUMENT',
      /must be an object, received undefined/,
    ],
    ['no dimensions', {}, TypeError, 'INVALID_ARGUMENT', /dimensions must be a number/],
    [
      'zero dimensions',
      { dimensions: 0 },
      RangeError,
      'INVALID_ARGUMENT',
      /from 1 to 16384, received 0/,
    ],
    ['dimensions as text', { dimensions: '16' }, TypeError, 'INVALID_ARGUMENT', /received "16"/],
    [
      'a distance it does not know',
      { dimensions: D, distance: 'Manhattan' },
      RangeError,
      'INVALID_ARGUMENT',
      /Cosine, Dot, Euclid, received "Manhattan"/,
    ],
    [
      'an unknown option',
      { dimensions: D, efSearch: 3 },
      RangeError,
      'INVALID_ARGUMENT',
      /"efSearch"/,
    ],
    ['a fractional seed', { dimensions: D, seed: 1.5 }, RangeError, 'INVALID_ARGUMENT', /seed/],
    [
      'bits that do not exist',
      { dimensions: D, primaryBits: 3 },
      RangeError,
      'INVALID_ARGUMENT',
      /2 or 4 or 7 or 32, received 3/,
    ],
    [
      'more primary dimensions than there are',
      { dimensions: D, primaryDimensions: 17 },
      RangeError,
      'INVALID_ARGUMENT',
      /primaryDimensions/,
    ],
    [
      'rows of another length',
      { dimensions: 17 },
      RangeError,
      'DIMENSION_MISMATCH',
      /48000 numbers, expected a multiple of 17/,
    ],
  ])('%s', async (_, options, kind, code, text) => {
    await expect(LeanIndex.build(rows, options as never)).rejects.toEqual(
      failure(kind, code, text),
    );
  });

  test('anything but a Float32Array', async () => {
    const wrong = [[1, 2], new Float64Array(D), 'vectors', null];
    for (const vectors of wrong) {
      await expect(LeanIndex.build(vectors as never, { dimensions: D })).rejects.toEqual(
        failure(TypeError, 'INVALID_ARGUMENT', /Float32Array/),
      );
    }
  });

  test.each([Number.NaN, Infinity, -Infinity])('%f, naming row and column', async (value) => {
    for (const count of [100, 3000]) {
      const bad = rows.slice(0, count * D);
      bad[57 * D + 3] = value;
      await expect(LeanIndex.build(bad, { dimensions: D })).rejects.toEqual(
        failure(RangeError, 'INVALID_ARGUMENT', /row 57, column 3 must be a finite number/),
      );
    }
  });

  test('a zero vector under cosine, and accepts it otherwise', async () => {
    const zero = small.slice().fill(0, 5 * D, 6 * D);
    await expect(LeanIndex.build(zero, { dimensions: D })).rejects.toEqual(
      failure(RangeError, 'INVALID_ARGUMENT', /row 5 .*only zeros/),
    );
    const index = await LeanIndex.build(zero, { dimensions: D, distance: 'euclid' });
    expect(index.count).toBe(100);
  });

  test('a row far beyond the training data', async () => {
    const index = await LeanIndex.train(rows, { dimensions: D, distance: 'Dot' });
    const far = small.slice();
    far[3 * D] = 1e9;
    await expect(index.add(far)).rejects.toEqual(failure(RangeError, 'INVALID_ARGUMENT', /row 3/));
    expect(index.count).toBe(0);
  });

  test('a row whose length is too much, spread over many numbers', async () => {
    const index = await LeanIndex.train(rows, { dimensions: D, distance: 'Euclid' });
    const far = small.slice();
    for (let i = 0; i < D; i++) far[3 * D + i] = i % 3 === 0 ? 15_000 : -15_000;
    await expect(index.add(far)).rejects.toEqual(failure(RangeError, 'INVALID_ARGUMENT', /row 3/));
    await expect(
      LeanIndex.build(far, { dimensions: D, distance: 'Euclid' }),
    ).resolves.toBeDefined();
  });
});

describe('train refuses', () => {
  test('an empty sample', async () => {
    await expect(LeanIndex.train(new Float32Array(0), { dimensions: D })).rejects.toEqual(
      failure(RangeError, 'INVALID_ARGUMENT', /at least one row/),
    );
  });
});

describe('add refuses', () => {
  test.each([
    [{ sginal: 1 }, RangeError, /"sginal"/],
    [{ onProgress: 5 }, TypeError, /onProgress must be a function, received 5/],
    [{ signal: 'x' }, TypeError, /signal must be an AbortSignal, received "x"/],
    [null, TypeError, /must be an object, received null/],
  ])('options %j', async (options, kind, text) => {
    const index = await LeanIndex.build(small, { dimensions: D });
    await expect(index.add(small, options as never)).rejects.toEqual(
      failure(kind, 'INVALID_ARGUMENT', text),
    );
  });

  test('an array that is transferred before it was read', async () => {
    const index = await LeanIndex.build(small, { dimensions: D });
    const passing = small.slice();
    const adding = index.add(passing);
    structuredClone(passing.buffer, { transfer: [passing.buffer] });
    await expect(adding).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' });
    expect(index.count).toBe(100);
  });

  test('numbers whose squares leave float32, in vectors and queries', async () => {
    const huge = small.map((x) => x * 1e18);
    for (const distance of ['Dot', 'Euclid'] as const) {
      await expect(LeanIndex.build(huge, { dimensions: D, distance })).rejects.toEqual(
        failure(RangeError, 'INVALID_ARGUMENT', /row 0 must be of numbers up to/),
      );
      const index = await LeanIndex.build(small, { dimensions: D, distance });
      expect(() => index.search(new Float32Array(D).fill(1e17), 1)).toThrow(
        failure(RangeError, 'INVALID_ARGUMENT', /query at row 0/),
      );
    }
  });
});

describe('the options of build', () => {
  test.each([
    [{ order: 'random' }, RangeError, /order must be shuffle or given or lid-asc or lid-desc/],
    [{ shards: 0 }, RangeError, /shards must be an integer from 1 to 256, received 0/],
    [{ shards: 257 }, RangeError, /received 257/],
    [{ shards: '2' }, TypeError, /shards must be a number, received "2"/],
    [{ threads: 0 }, RangeError, /threads must be an integer from 1 to 1024, received 0/],
    [{ threads: 1.5 }, RangeError, /received 1.5/],
    [{ queries: [1] }, TypeError, /queries must be a Float32Array.*received Array\(1\)/],
    [{ queries: new Float32Array(0) }, RangeError, /queries must be at least one row/],
    [{ efConstruction: 3 }, RangeError, /efConstruction must be an integer from 16/],
    [{ m: 1 }, RangeError, /m must be an integer from 2 to 128, received 1/],
  ])('refuse %j', async (wrong, kind, text) => {
    const options = { dimensions: D, ...wrong } as never;
    const refusal = failure(kind, 'INVALID_ARGUMENT', text);
    await expect(LeanIndex.build(small, options)).rejects.toEqual(refusal);
    await expect(LeanIndex.train(small, options)).rejects.toEqual(refusal);
  });

  test('refuse queries of another length, and those that are not numbers', async () => {
    await expect(
      LeanIndex.build(small, { dimensions: D, queries: new Float32Array(D + 1) }),
    ).rejects.toEqual(failure(RangeError, 'DIMENSION_MISMATCH', /queries has 17 numbers/));
    const queries = small.slice().fill(Number.NaN, 5 * D, 5 * D + 1);
    for (const work of [LeanIndex.build, LeanIndex.train]) {
      await expect(work(small, { dimensions: D, queries })).rejects.toEqual(
        failure(RangeError, 'INVALID_ARGUMENT', /queries at row 5, column 0/),
      );
    }
  });

  test.each(['lid-asc', 'lid-desc', 'given'] as const)('take the order %s', async (order) => {
    for (const distance of ['Cosine', 'Dot', 'Euclid'] as const) {
      const options = { dimensions: D, order, distance, efConstruction: 40, shards: 2 };
      const index = await LeanIndex.build(rows.subarray(0, 2100 * D), options);
      expect(index.count).toBe(2100);
      let found = 0;
      for (let r = 0; r < 100; r++) {
        if (index.search(rowOf(rows, D, r), 10).ids.includes(r)) found++;
      }
      // By inner product a vector need not be among its own nearest.
      if (distance !== 'Dot') expect(found).toBeGreaterThan(97);
      await index.close();
    }
  });

  test('take queries to train for', async () => {
    const options = { dimensions: D, distance: 'Dot' as const, efConstruction: 40 };
    const index = await LeanIndex.build(rows, { ...options, queries: small });
    expect(LeanIndex.fromBytes(index.toBytes()).search(query, 10)).toEqual(index.search(query, 10));
    await index.close();
  });
});

describe('update refuses', () => {
  const built = LeanIndex.build(small, { dimensions: D });

  test.each([
    ['1', TypeError, /id must be a number, received "1"/],
    [-1, RangeError, /id must be an integer from 0 to 4294967295, received -1/],
    [0.5, RangeError, /received 0.5/],
    [2 ** 32, RangeError, /received 4294967296/],
  ])('the id %j', async (id, kind, text) => {
    await expect((await built).update(id as never, query)).rejects.toEqual(
      failure(kind, 'INVALID_ARGUMENT', text),
    );
  });

  test('vectors that add() refuses', async () => {
    const index = await built;
    await expect(index.update(0, rows.subarray(0, 2 * D))).rejects.toEqual(
      failure(RangeError, 'DIMENSION_MISMATCH', /vector has 32 numbers, expected 16/),
    );
    await expect(index.update(0, [1] as never)).rejects.toEqual(
      failure(TypeError, 'INVALID_ARGUMENT', /vector must be a Float32Array/),
    );
    await expect(index.update(0, new Float32Array(D))).rejects.toEqual(
      failure(RangeError, 'INVALID_ARGUMENT', /only zeros/),
    );
    await expect(
      index.update(
        0,
        query.map(() => Number.NaN),
      ),
    ).rejects.toEqual(
      failure(RangeError, 'INVALID_ARGUMENT', /vector at row 0, column 0 must be a finite/),
    );
    await expect(index.update(0, query, { thread: 1 } as never)).rejects.toEqual(
      failure(RangeError, 'INVALID_ARGUMENT', /an option of update.*"thread"/),
    );
    expect(index.search(query, 1).ids[0]).toBe(0);
  });
});

describe('delete and compact refuse', () => {
  test.each([
    [5, TypeError, /ids must be an array, typed array or Set of ids, received 5/],
    ['5', TypeError, /ids must be .* received "5"/],
    [null, TypeError, /received null/],
    [['1'], TypeError, /id must be a number, received "1"/],
    [[3, 100], RangeError, /id must be an integer from 0 to 99, received 100/],
    [[-1], RangeError, /received -1/],
    [[Number.NaN], RangeError, /received NaN/],
  ])('%j', async (ids, kind, text) => {
    const index = await LeanIndex.build(small, { dimensions: D });
    await expect(index.delete(ids as never)).rejects.toEqual(
      failure(kind, 'INVALID_ARGUMENT', text),
    );
    expect(index.count).toBe(100);
  });

  test('unknown options', async () => {
    const index = await LeanIndex.build(small, { dimensions: D });
    for (const refused of [
      index.delete([1], { all: true } as never),
      index.compact({ all: true } as never),
    ]) {
      await expect(refused).rejects.toEqual(failure(RangeError, 'INVALID_ARGUMENT', /"all"/));
    }
    expect(index.count).toBe(100);
  });
});

test('what tells of an index refuses one that is closed', async () => {
  const index = await LeanIndex.build(small, { dimensions: D });
  expect([index.has(1), index.ids().length, index.stats().count]).toEqual([true, 100, 100]);
  const closing = index.close();
  for (const ask of [() => index.has(1), () => index.ids(), () => index.stats()]) {
    expect(ask).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  }
  await closing;
});
