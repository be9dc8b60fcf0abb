import { describe, expect, test } from 'vitest';
import type { Progress } from '../../src/base/steps.js';
import { LeanMultiIndex, type LeanMultiIndexOptions, poolTokens } from '../../src/index.js';
import {
  build,
  closeAtEnd,
  codeOf,
  D,
  errorOf,
  queryOf,
  SMALL,
  saved,
  single,
  some,
} from './multi-support.js';

closeAtEnd();

const tokens = queryOf(1, 3);
const refusal = (code: string, message: RegExp) => ({
  code,
  message: expect.stringMatching(message),
});

describe('build() refuses', () => {
  test.each<[object | undefined, RegExp]>([
    [undefined, /must be an object, received undefined/],
    [{ dimensions: undefined }, /dimensions must be a number, received undefined/],
    [{ dimensions: 0 }, /dimensions must be an integer from 1 to 4096, received 0/],
    [{ size: 3 }, /an option of LeanMultiIndex must be one of .*, received "size"/],
    [{ queries: tokens }, /received "queries"/],
    [{ fdeDimensions: 1000 }, /640 or 1280 or 2560 or 5120 or 10240, received 1000/],
    [{ tokenBits: 5 }, /tokenBits must be 32 or 16 or 8 or 4, received 5/],
    [{ fde: { repetitions: -1 } }, /repetitions must be an integer from 1 to 1024, received -1/],
    [{ fde: { seed: 3 } }, /an option of fde must be one of .*, received "seed"/],
    [{ seed: 1.5 }, /seed must be an integer/],
    [{ m: 1 }, /m must be an integer from 2 to 128, received 1/],
    [{ pooling: 3 }, /pooling must be an object, received 3/],
    [{ pooling: null }, /pooling must be an object, received null/],
    [{ pooling: { dimensions: D } }, /an option of pooling must be .*, received "dimensions"/],
    [{ pooling: { ratio: 0.5 } }, /ratio must be at least 1, received 0.5/],
    [{ pooling: { ratio: '2' } }, /ratio must be a number, received "2"/],
    [{ pooling: { count: 0 } }, /count must be an integer from 1 .*, received 0/],
    [{ pooling: { ratio: 2, count: 2 } }, /pooling must be a ratio or a count, not both/],
    [{ pooling: { method: 'ward' } }, /method must be hierarchical or k-means, received "ward"/],
    [{ threads: 0 }, /threads must be an integer from 1 to 1024, received 0/],
    [{ onProgress: 5 }, /onProgress must be a function, received 5/],
    [{ signal: 'x' }, /signal must be an AbortSignal, received "x"/],
  ])('%j', async (wrong, message) => {
    const options = wrong && ({ dimensions: D, ...wrong } as LeanMultiIndexOptions);
    const building = () => LeanMultiIndex.build(some(1, 2), options as LeanMultiIndexOptions);
    expect(await errorOf(building)).toMatchObject(refusal('INVALID_ARGUMENT', message));
  });
});

/** Wrong documents or queries, whichever method they are given to. */
const wrongSets: [string, unknown, string, RegExp][] = [
  ['nothing', undefined, 'INVALID_ARGUMENT', /must be an object of tokens and offsets.*undefined/],
  ['rows alone', tokens, 'INVALID_ARGUMENT', /tokens must be a Float32Array of rows of 24 numbers/],
  ['an array', { tokens: [1], offsets: [] }, 'INVALID_ARGUMENT', /received Array\(1\)/],
  [
    'offsets in an array',
    { tokens, offsets: [0, 3] },
    'INVALID_ARGUMENT',
    /offsets must be a Uint/,
  ],
  ['no offsets', { tokens, offsets: new Uint32Array(0) }, 'INVALID_ARGUMENT', /offsets\[0\] must/],
  [
    'offsets that begin later',
    { tokens, offsets: Uint32Array.of(1, 3) },
    'INVALID_ARGUMENT',
    /offsets\[0\] must be 0, received 1/,
  ],
  [
    'offsets that go down',
    { tokens, offsets: Uint32Array.of(0, 2, 1, 3) },
    'INVALID_ARGUMENT',
    /offsets\[2\] must be at least 2, the one before, received 1/,
  ],
  [
    'offsets that end early',
    { tokens, offsets: Uint32Array.of(0, 2) },
    'INVALID_ARGUMENT',
    /offsets\[1\], the last must be 3, the rows, received 2/,
  ],
  [
    'one without tokens',
    { tokens, offsets: Uint32Array.of(0, 1, 1, 3) },
    'INVALID_ARGUMENT',
    /tokens in number 1 of the (documents|queries) must be one at least, received 0/,
  ],
  [
    'half a row',
    { tokens: tokens.subarray(1), offsets: Uint32Array.of(0, 3) },
    'DIMENSION_MISMATCH',
    /tokens has 71 numbers, expected a multiple of 24/,
  ],
  [
    'NaN',
    {
      tokens: Float32Array.from(tokens, (x, i) => (i === 50 ? Number.NaN : x)),
      offsets: Uint32Array.of(0, 1, 3),
    },
    'INVALID_ARGUMENT',
    /(tokens|query) at row 2, column 2 must be a finite number, received NaN/,
  ],
  [
    'numbers that are too large',
    { tokens: tokens.map((x) => x * 1e18), offsets: Uint32Array.of(0, 3) },
    'INVALID_ARGUMENT',
    /at row 0 must be of numbers up to/,
  ],
];

describe.each(wrongSets)('%s', (_, wrong, code, message) => {
  const built = build(some(2, 30), { exactBelow: 10, fde: SMALL });

  test('is refused by build(), add() and searchBatch(), which change nothing', async () => {
    const index = await built;
    const sets = wrong as ReturnType<typeof some>;
    const bytes = index.toBytes();
    for (const call of [
      () => build(sets),
      () => index.add(sets),
      () => index.searchBatch(sets, 3),
    ]) {
      expect(await errorOf(call)).toMatchObject(refusal(code, message));
    }
    expect(Buffer.compare(index.toBytes(), bytes)).toBe(0);
  });
});

/** Wrong rows of one query, or one document. */
const wrongRows: [string, unknown, string, RegExp][] = [
  ['nothing', undefined, 'INVALID_ARGUMENT', /(query|tokens) must be a Float32Array/],
  ['an array', [1, 2], 'INVALID_ARGUMENT', /must be a Float32Array.*received Array\(2\)/],
  ['no rows', new Float32Array(0), 'INVALID_ARGUMENT', /must be at least one row, received Float/],
  ['half a row', tokens.subarray(1), 'DIMENSION_MISMATCH', /has 71 numbers, expected a multiple/],
  ['NaN', tokens.map(() => Number.NaN), 'INVALID_ARGUMENT', /at row 0, column 0 must be a finite/],
  ['infinity', tokens.map(() => Infinity), 'INVALID_ARGUMENT', /finite number, received Infinity/],
];

describe.each(wrongRows)('%s', (_, wrong, code, message) => {
  const built = build(some(3, 30), { exactBelow: 10, fde: SMALL });

  test('is refused by search(), searchAsync() and update()', async () => {
    const index = await built;
    const rows = wrong as Float32Array;
    const before = index.toBytes();
    for (const call of [
      () => index.search(rows, 3),
      () => index.searchAsync(rows, 3),
      () => index.update(4, rows),
    ]) {
      expect(await errorOf(call)).toMatchObject(refusal(code, message));
    }
    expect(Buffer.compare(index.toBytes(), before)).toBe(0);
  });
});

describe.each(['search', 'searchAsync', 'searchBatch'] as const)('%s()', (method) => {
  const built = build(some(4, 30));
  const run = async (k: unknown, options: unknown = {}) => {
    const index = await built;
    const query = method === 'searchBatch' ? single(tokens) : tokens;
    return index[method](query as never, k as never, options as never);
  };

  test.each<[unknown, unknown, RegExp]>([
    [0, {}, /k must be an integer from 1 to 2147483647, received 0/],
    ['3', {}, /k must be a number, received "3"/],
    [1.5, {}, /received 1.5/],
    [5, null, /search must be an object, received null/],
    [5, { rerank: 4 }, /an option of search must be one of .*, received "rerank"/],
    [5, { candidates: 4 }, /candidates must be at least k, 5, received 4/],
    [5, { candidates: 'all' }, /candidates must be a number, received "all"/],
    [5, { ef: 0 }, /ef must be an integer from 1 to 2147483647, received 0/],
    [5, { carve: '0.7' }, /carve must be a number, received "0.7"/],
    [5, { carve: Number.NaN }, /carve must be a number, received NaN/],
    [5, { allow: 5 }, /allow must be a Uint8Array bitmap, or .*received 5/],
    [5, { allow: [30] }, /an id in allow must be one that was assigned \(0 to 29\), received 30/],
  ])('refuses k = %j, %j', async (k, options, message) => {
    expect(await errorOf(() => run(k, options))).toMatchObject(
      refusal('INVALID_ARGUMENT', message),
    );
  });

  test("refuses another index's list", async () => {
    const allow = (await build(some(5, 3))).allowList([1]);
    expect(await errorOf(() => run(5, { allow }))).toMatchObject(
      refusal('INVALID_ARGUMENT', /allow must be an allow-list of this index/),
    );
  });

  test('takes the largest k and numbers of candidates', async () => {
    const most = 0x7fff_ffff;
    expect((await run(most, { candidates: most })).ids).toHaveLength(30);
    expect((await run(3, { candidates: most, ef: most })).ids).toHaveLength(3);
  });
});

describe('the other methods refuse', () => {
  test('options that they do not know', async () => {
    const index = await build(some(6, 5));
    const wrong = { all: true } as never;
    for (const call of [
      () => index.add(single(tokens), wrong),
      () => index.update(1, tokens, wrong),
      () => index.delete([1], wrong),
      () => index.compact(wrong),
      () => saved(index, wrong),
      () => LeanMultiIndex.load({ byteLength: 0, read: async () => {} }, wrong),
      () => poolTokens(single(tokens), { dimensions: D, all: true } as never),
    ]) {
      expect(await errorOf(call)).toMatchObject(refusal('INVALID_ARGUMENT', /received "all"/));
    }
    expect(index.count).toBe(5);
  });

  test.each<[unknown, RegExp]>([
    ['1', /id must be a number, received "1"/],
    [-1, /id must be an integer from 0 to 4294967295, received -1/],
    [0.5, /received 0.5/],
  ])('the id %j', async (id, message) => {
    const index = await build(some(7, 5));
    expect(await errorOf(() => index.update(id as never, tokens))).toMatchObject(
      refusal('INVALID_ARGUMENT', message),
    );
  });

  test('an id that is not there', async () => {
    const index = await build(some(8, 5));
    await index.delete([3]);
    for (const id of [3, 77]) {
      expect(await errorOf(() => index.update(id, tokens))).toMatchObject(
        refusal('NOT_FOUND', new RegExp(`no document has the id ${id}`)),
      );
      expect(index.tokensOf(id)).toBeUndefined();
    }
    const updating = index.update(4, tokens);
    await index.delete([4]);
    expect(await codeOf(() => updating)).toBe('NOT_FOUND');
    expect([index.count, index.stats().tokens]).toEqual([
      3,
      [0, 1, 2].reduce((sum, id) => sum + index.tokensOf(id)!.length / D, 0),
    ]);
  });

  test('what is no writer', async () => {
    const index = await build(some(9, 5));
    expect(await errorOf(() => index.save(5 as never))).toMatchObject(
      refusal('INVALID_ARGUMENT', /write must be a function, received 5/),
    );
  });

  test('an array that is given away before it was read', async () => {
    const index = await build(some(10, 5));
    const sets = some(11, 3);
    const adding = index.add(sets);
    structuredClone(sets.tokens.buffer, { transfer: [sets.tokens.buffer] });
    expect(await codeOf(() => adding)).toBe('DIMENSION_MISMATCH');
    expect([index.count, index.stats().count]).toEqual([5, 5]);
  });
});

/** Every method by the state that the index is in: what is not here goes on as ever. */
describe('method by state', () => {
  const methods: Record<string, (index: LeanMultiIndex) => unknown> = {
    add: (index) => index.add(single(tokens)),
    update: (index) => index.update(1, tokens),
    delete: (index) => index.delete([2]),
    compact: (index) => index.compact(),
    save: (index) => saved(index),
    toBytes: (index) => index.toBytes(),
    search: (index) => index.search(tokens, 2),
    searchAsync: (index) => index.searchAsync(tokens, 2),
    searchBatch: (index) => index.searchBatch(single(tokens), 2),
    allowList: (index) => index.allowList([1]),
    tokensOf: (index) => index.tokensOf(1),
    ids: (index) => index.ids(),
    has: (index) => index.has(1),
    count: (index) => index.count,
    dimensions: (index) => index.dimensions,
    stats: (index) => index.stats(),
  };
  const states: [string, (index: LeanMultiIndex) => unknown, Record<string, string>][] = [
    ['idle', () => {}, {}],
    ['adding', (index) => index.add(some(12, 40)), { toBytes: 'BUSY' }],
    ['updating', (index) => index.update(3, tokens), { toBytes: 'BUSY' }],
    ['compacting', (index) => index.compact(), { toBytes: 'BUSY' }],
    ['saving', (index) => saved(index), { toBytes: 'BUSY' }],
    ['searching', (index) => index.searchBatch(some(13, 20), 2), {}],
    [
      'closed',
      (index) => index.close(),
      Object.fromEntries(
        Object.keys(methods)
          .filter((name) => !['count', 'dimensions'].includes(name))
          .map((name) => [name, 'CLOSED']),
      ),
    ],
  ];

  test.each(states)('%s', async (_, begin, refused) => {
    for (const [name, call] of Object.entries(methods)) {
      const index = await build(some(14, 20), { exactBelow: 10, fde: SMALL });
      const begun = begin(index);
      expect(await codeOf(() => call(index)), name).toBe(refused[name]);
      await begun;
      await index.close();
      await index.close();
    }
  });
});

describe('progress', () => {
  test.each([1, 2])('of %i threads rises in each phase, to its total', async (threads) => {
    const seen: Progress[] = [];
    const onProgress = (progress: Progress) => seen.push(progress);
    const options = { threads, onProgress, exactBelow: 100, fde: SMALL, pooling: { ratio: 2 } };
    const index = await build(some(15, 400), options);
    await index.add(some(16, 300), { threads, onProgress });
    const phases = seen.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1]);
    const once = ['pool', 'encode', 'build'];
    expect(phases).toEqual(['pool', 'encode', 'train', 'build', ...once]);
    seen.forEach(({ phase, done, total }, i) => {
      expect(done).toBeLessThanOrEqual(total);
      const before = seen[i - 1];
      if (before?.phase === phase) expect(done).toBeGreaterThanOrEqual(before.done);
      else if (before !== undefined) expect(before.done).toBe(before.total);
    });
  });
});

describe('an abort', () => {
  test('before the start rejects with its reason as cause', async () => {
    const signal = AbortSignal.abort('no longer wanted');
    const aborted = { code: 'ABORTED', cause: 'no longer wanted' };
    const index = await build(some(17, 20));
    const bytes = index.toBytes();
    for (const call of [
      () => build(some(17, 20), { signal }),
      () => index.add(some(18, 3), { signal }),
      () => index.update(1, tokens, { signal }),
      () => index.delete([1], { signal }),
      () => index.compact({ signal }),
      () => saved(index, { signal }),
      () => poolTokens(some(18, 3), { dimensions: D, signal }),
    ]) {
      expect(await errorOf(call)).toMatchObject(aborted);
    }
    expect(Buffer.compare(index.toBytes(), bytes)).toBe(0);
  });

  test.each([
    'pool',
    'encode',
    'train',
    'build',
  ])('while documents are added, in phase %s', async (at) => {
    const index = await build(some(19, 80), {
      exactBelow: 100,
      fde: SMALL,
      pooling: { ratio: 2 },
      tokenBits: 32,
    });
    const before = index.toBytes();
    for (const fails of [false, true]) {
      const stop = new AbortController();
      const onProgress = ({ phase }: Progress) => {
        if (phase !== at) return;
        if (fails) throw new Error('from the callback');
        stop.abort();
      };
      const adding = index.add(some(20, 200), { signal: stop.signal, onProgress });
      if (fails) await expect(adding).rejects.toThrow('from the callback');
      else await expect(adding).rejects.toMatchObject({ code: 'ABORTED' });
      expect(Buffer.compare(index.toBytes(), before)).toBe(0);
    }
    expect([...(await index.add(some(20, 200)))].length).toBe(200);
    expect(index.count).toBe(280);
  });
});
