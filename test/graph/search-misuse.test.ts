import { describe, expect, test } from 'vitest';
import { LeanIndex } from '../../src/graph/lean-index.js';
import { D, failure, query, rows, small } from './misused.js';

describe.each([
  ['exact', small],
  ['graph', rows],
])('search in an %s index', (mode, vectors) => {
  const built = LeanIndex.build(vectors, { dimensions: D });

  test('refuses a query of another length', async () => {
    const index = await built;
    expect(index.stats().mode).toBe(mode);
    expect(() => index.search(new Float32Array(15), 3)).toThrow(
      failure(RangeError, 'DIMENSION_MISMATCH', /query has 15 numbers, expected 16/),
    );
    await expect(index.searchBatch(new Float32Array(15), 3)).rejects.toEqual(
      failure(RangeError, 'DIMENSION_MISMATCH', /15 numbers/),
    );
  });

  test('refuses what is not a Float32Array', async () => {
    const index = await built;
    expect(() => index.search(Array.from(query) as never, 3)).toThrow(
      failure(TypeError, 'INVALID_ARGUMENT', /Float32Array.*received Array\(16\)/),
    );
  });

  test('refuses NaN in a query, naming row and column', async () => {
    const index = await built;
    const two = rows.slice(0, 2 * D);
    two[D + 2] = Number.NaN;
    await expect(index.searchBatch(two, 3)).rejects.toEqual(
      failure(RangeError, 'INVALID_ARGUMENT', /query at row 1, column 2/),
    );
  });

  test('refuses a zero query under cosine', async () => {
    const index = await built;
    expect(() => index.search(new Float32Array(D), 3)).toThrow(
      failure(RangeError, 'INVALID_ARGUMENT', /query at row 0 .*only zeros/),
    );
    expect(index.search(query, 1).ids[0]).toBe(0);
  });

  test.each([0, -1, 1.5, Number.NaN])('refuses k = %f', async (k) => {
    const index = await built;
    expect(() => index.search(query, k)).toThrow(
      failure(RangeError, 'INVALID_ARGUMENT', /^k must be/),
    );
  });

  test('searchAsync() refuses what search() refuses', async () => {
    const index = await built;
    const nan = query.map(() => Number.NaN);
    for (const [wrong, k, options] of [
      [new Float32Array(15), 3, {}],
      [Array.from(query), 3, {}],
      [nan, 3, {}],
      [new Float32Array(D), 3, {}],
      [query, 0, {}],
      [query, 3, { ef: 0 }],
      [query, 3, { rerank: 'all' }],
      [query, 3, { efSearch: 1 }],
      [query, 3, null],
    ] as [Float32Array, number, object][]) {
      const caught = (work: () => unknown) => {
        try {
          return work();
        } catch (error) {
          return error;
        }
      };
      const expected = caught(() => index.search(wrong, k, options));
      expect(expected).toBeInstanceOf(Error);
      await expect(index.searchAsync(wrong, k, options)).rejects.toEqual(expected);
    }
  });

  test('refuses unknown options and a wrong ef', async () => {
    const index = await built;
    expect(() => index.search(query, 3, { efSearch: 10 } as never)).toThrow(
      failure(RangeError, 'INVALID_ARGUMENT', /"efSearch"/),
    );
    expect(() => index.search(query, 3, { ef: 0 })).toThrow(
      failure(RangeError, 'INVALID_ARGUMENT', /ef/),
    );
  });

  test('gives every vector for k above their number, each once', async () => {
    const index = await built;
    const { ids } = index.search(query, 10_000);
    expect(new Set(ids).size).toBe(index.count);
    const batch = await index.searchBatch(rows.subarray(0, 2 * D), 10_000);
    expect(batch.k).toBe(index.count);
    expect(batch.ids).toHaveLength(2 * index.count);
  });

  test('raises ef to k', async () => {
    const index = await built;
    expect(index.search(query, 50, { ef: 5 }).ids).toHaveLength(50);
  });

  test('answers an empty batch with nothing', async () => {
    const { ids, scores } = await (await built).searchBatch(new Float32Array(0), 5);
    expect([ids.length, scores.length]).toEqual([0, 0]);
  });
});

describe.each(['search', 'searchAsync', 'searchBatch'] as const)('allow in %s()', (method) => {
  const built = LeanIndex.build(small, { dimensions: D });
  const run = async (allow: unknown) => {
    const index = await built;
    return index[method](query, 3, { allow } as never);
  };

  test.each([
    [5, TypeError, /allow must be a Uint8Array bitmap, or .*received 5/],
    [{}, TypeError, /received Object/],
    [new Float64Array(2), TypeError, /received Float64Array\(2\)/],
    [['1'], TypeError, /an id in allow must be a number, received "1"/],
    [[100], RangeError, /an id in allow must be one that was assigned \(0 to 99\), received 100/],
    [Uint32Array.of(0, 2 ** 31), RangeError, /received 2147483648/],
    [new Set([0.5]), RangeError, /received 0.5/],
  ])('refuses %j', async (allow, kind, text) => {
    await expect(run(allow)).rejects.toEqual(failure(kind, 'INVALID_ARGUMENT', text));
  });

  test("refuses another index's list", async () => {
    const other = await LeanIndex.build(small, { dimensions: D });
    await expect(run(other.allowList([1]))).rejects.toEqual(
      failure(RangeError, 'INVALID_ARGUMENT', /allow must be an allow-list of this index/),
    );
  });

  test('ignores deleted ids and bits beyond the last', async () => {
    const index = await LeanIndex.build(small, { dimensions: D });
    await index.delete([0]);
    const { ids } = await index[method](query, 3, { allow: [0, 1] });
    expect([...ids]).toEqual([1]);
    const bitmap = new Uint8Array(1000).fill(255);
    expect((await index[method](query, 3, { allow: bitmap })).ids).toHaveLength(3);
  });
});
