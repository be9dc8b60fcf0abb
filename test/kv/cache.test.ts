import { describe, expect, test } from 'vitest';
import { readContainer, writeContainer } from '../../src/format/container.js';
import { KvCache } from '../../src/kv/cache.js';
import { KeyGraph } from '../../src/kv/key-graph.js';
import { compressKv, compressKvAsync, KvModel } from '../../src/kv/model.js';
import type { KvTokens } from '../../src/kv/shape.js';
import { xkvAsync } from '../../src/kv/xkv.js';
import { madeUpTokens, relativeError } from './support.js';

const SHAPE = { layers: 3, kvHeads: 2, headDim: 8 };
const WIDTH = 16;
const TOKENS = 320;
const text = madeUpTokens(SHAPE, TOKENS, 41);
const trained = KvModel.train([madeUpTokens(SHAPE, 500, 42)], SHAPE);

const codeOf = (code: string) => expect.objectContaining({ code });

/** A copy whose values of one token in one layer are `factor` times as large. */
function withOutlier({ keys, values, tokens }: KvTokens, layer: number, token: number): KvTokens {
  const changed = (values as Float32Array).slice();
  const from = (layer * tokens + token) * WIDTH;
  for (let i = from; i < from + WIDTH; i++) changed[i]! *= 40;
  return { keys, values: changed, tokens };
}

describe('a token of an unusual size', () => {
  test('is kept exact, and costs the others nothing', async () => {
    const model = await trained;
    const changed = withOutlier(text, 1, 200);
    const [with1, without] = [model.compress(changed), model.compress(text)];
    const found = with1.reconstruct({ layer: 1 }).values;
    const exact = (changed.values as Float32Array).subarray(TOKENS * WIDTH, 2 * TOKENS * WIDTH);
    const at = 200 * WIDTH;
    const own = relativeError(found.subarray(at, at + WIDTH), exact.subarray(at, at + WIDTH));
    expect(own).toBeLessThan(2 ** -11);
    const rest = relativeError(found.subarray(0, at), exact.subarray(0, at));
    const before = without.reconstruct({ layer: 1 }).values.subarray(0, at);
    expect(rest).toBeLessThan(1.1 * relativeError(before, exact.subarray(0, at)));
    expect(with1.bytes.tokens).toBeLessThanOrEqual((2 * 2 * 3 * WIDTH * TOKENS) / 8);
  });

  test('does not bend a basis', async () => {
    const model = await KvModel.train([withOutlier(text, 1, 200)], SHAPE);
    const plain = await KvModel.train([text], SHAPE);
    const errorOf = (of: KvModel) => {
      const { values } = of.compress(text).reconstruct({ layer: 1 });
      return relativeError(
        values,
        (text.values as Float32Array).subarray(TOKENS * WIDTH, 2 * TOKENS * WIDTH),
      );
    };
    expect(errorOf(model)).toBeLessThan(1.05 * errorOf(plain));
  });
});

describe('a budget', () => {
  test('may be bytes', async () => {
    for (const bytes of [3_000, 8_000, 20_000]) {
      const cache = (await trained).compress(text, { bytes });
      expect(cache.bytes.tokens).toBeLessThanOrEqual(bytes);
      expect(cache.bytes.tokens).toBeGreaterThan(0.8 * bytes);
    }
  });

  test('may be an error, which is kept nearly', async () => {
    for (const error of [0.1, 0.03]) {
      const cache = compressKv(text, { ...SHAPE, basis: 'own', error });
      const { values } = cache.reconstruct({ layer: 2 });
      const exact = (text.values as Float32Array).subarray(2 * TOKENS * WIDTH);
      expect(relativeError(values, exact)).toBeLessThan(1.3 * error);
      expect(relativeError(values, exact)).toBeGreaterThan(0.3 * error);
    }
  });

  test('with the basis counted decides whose basis pays', async () => {
    const model = await trained;
    expect(model.compress(text, { basis: 'auto' }).basis).toBe('calibrated');
    // Another language, and so long that its basis is a small part of the bytes.
    const foreign = madeUpTokens(SHAPE, 6000, 43, 0.8, 9);
    const [auto, calibrated] = (['auto', 'calibrated'] as const).map((basis) =>
      model.compress(foreign, { basis, bitsPerNumber: 2 }),
    );
    expect(auto!.basis).toBe('own');
    expect(auto!.bytes.total).toBeLessThanOrEqual((2 * 2 * 3 * WIDTH * 6000) / 8);
    const errorOf = (cache: KvCache) =>
      relativeError(
        cache.reconstruct({ layer: 0 }).values,
        (foreign.values as Float32Array).subarray(0, 6000 * WIDTH),
      );
    expect(errorOf(auto!)).toBeLessThan(errorOf(calibrated!));
  });
});

describe('in slices', () => {
  test('all gives what it gives at once', async () => {
    const model = await trained;
    const cache = model.compress(text);
    expect((await model.compressAsync(text)).toBytes()).toEqual(cache.toBytes());
    const own = { ...SHAPE, basis: 'own' } as const;
    expect((await compressKvAsync(text, own)).toBytes()).toEqual(compressKv(text, own).toBytes());
    expect(await cache.reconstructAsync({ layer: 1 })).toEqual(cache.reconstruct({ layer: 1 }));
    const queries = Float32Array.from({ length: 2 * WIDTH }, (_, i) => Math.cos(i));
    const request = { layer: 1, queries, positions: [10, 319] };
    const [one, other] = await Promise.all([
      cache.attendAsync(request),
      cache.attendAsync({ ...request, layer: 2 }),
    ]);
    expect(one).toEqual(cache.attend(request));
    expect(other).toEqual(cache.attend({ ...request, layer: 2 }));
    expect(await cache.nearestAsync({ ...request, k: 3 })).toEqual(
      cache.nearest({ ...request, k: 3 }),
    );
  });

  test('an abort ends it, and leaves nothing behind', async () => {
    const model = await trained;
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(model.compressAsync(text, { signal })).rejects.toThrow(codeOf('ABORTED'));
    const cache = model.compress(text);
    const before = cache.toBytes();
    await expect(cache.reconstructAsync({ layer: 0, signal })).rejects.toThrow(codeOf('ABORTED'));
    expect(cache.toBytes()).toEqual(before);
    await expect(KvModel.train([text], { ...SHAPE, signal })).rejects.toThrow(codeOf('ABORTED'));
  });

  test('progress comes', async () => {
    const seen: number[] = [];
    await (await trained).compressAsync(text, { onProgress: ({ done }) => seen.push(done) });
    expect(seen.length).toBeGreaterThan(0);
  });
});

describe('damaged bytes', () => {
  test('of a cache or a model are refused, whichever byte it is', async () => {
    const model = await trained;
    const cache = model.compress(madeUpTokens(SHAPE, 40, 44), { bitsPerNumber: 1 });
    for (const [bytes, read] of [
      [cache.toBytes(), (b: Uint8Array) => KvCache.fromBytes(b, model)],
      [model.toBytes(), (b: Uint8Array) => KvModel.fromBytes(b)],
    ] as const) {
      for (let at = 0; at < bytes.length; at += 101) {
        const broken = bytes.slice();
        broken[at]! ^= 0x41;
        expect(() => read(broken)).toThrow(/not a usable|format version/);
      }
      expect(() => read(bytes.subarray(0, bytes.length - 1))).toThrow(codeOf('CORRUPT'));
    }
  });
});

describe('bytes that say what does not fit, their checksums right', () => {
  const altered = (kind: string, bytes: Uint8Array, path: string[], value: unknown) => {
    const { header, sections } = readContainer(bytes, kind);
    const parent = path.slice(0, -1).reduce((of, name) => of[name] as typeof header, header);
    parent[path.at(-1)!] = value;
    return writeContainer({ kind, header, sections });
  };

  test.each([
    [['options', 'layers'], 2],
    [['options', 'layers'], 5],
    [['options', 'kvHeads'], 1],
    [['options', 'headDim'], 16],
    [['tokens'], 2 ** 40],
    [['recent'], -1],
    [['model'], 'x'],
    [['refresh'], 'x'],
    [['segments'], []],
    [['segments', '0', 'coded'], 1],
    [['segments', '0', 'missed'], { first: [1], last: 0 }],
    [['segments', '0', 'components'], [1e9]],
    [['segments', '0', 'exact', '0'], 1e9],
  ] as const)('of a cache: %j is %j', async (path, value) => {
    const model = await trained;
    const bytes = model.compress(text).toBytes();
    const changed = altered('kv-cache', bytes, [...path], value);
    expect(() => KvCache.fromBytes(changed, model)).toThrow(codeOf('CORRUPT'));
  });

  test.each([
    [['options', 'layers'], 4],
    [['options', 'headDim'], 1],
    [['bases', '0', 'rank'], 1e9],
    [['bases', '0', 'count'], 2 ** 31],
    [['bases', '0', 'totalVariance'], null],
    [['bases', '0', 'kind'], 'queries'],
  ] as const)('of a model: %j is %j', async (path, value) => {
    const bytes = (await trained).toBytes();
    const changed = altered('kv-model', bytes, [...path], value);
    expect(() => KvModel.fromBytes(changed)).toThrow(codeOf('CORRUPT'));
  });

  test('or have sections that belong to nothing', async () => {
    const model = await trained;
    for (const [kind, bytes, read] of [
      ['kv-cache', model.compress(text).toBytes(), (b) => KvCache.fromBytes(b, model)],
      ['kv-model', model.toBytes(), (b) => KvModel.fromBytes(b)],
    ] as [string, Uint8Array, (bytes: Uint8Array) => unknown][]) {
      const { header, sections } = readContainer(bytes, kind);
      const more = { ...sections, more: new Uint8Array(3) };
      expect(() => read(writeContainer({ kind, header, sections: more }))).toThrow(
        codeOf('CORRUPT'),
      );
    }
  });
});

describe('misuse', () => {
  const own = { ...SHAPE, basis: 'own' } as const;
  const numbers = 3 * WIDTH * 10;
  const some: KvTokens = {
    keys: new Float32Array(numbers).fill(1),
    values: new Float32Array(numbers),
    tokens: 10,
  };

  test.each<[string, () => unknown, string]>([
    ['no basis', () => compressKv(some, { ...SHAPE } as never), 'INVALID_ARGUMENT'],
    ['an unknown option', () => compressKv(some, { ...own, bits: 2 } as never), 'INVALID_ARGUMENT'],
    ['no bits', () => compressKv(some, { ...own, bitsPerNumber: 0 }), 'INVALID_ARGUMENT'],
    ['two budgets', () => compressKv(some, { ...own, bytes: 9, error: 0.1 }), 'INVALID_ARGUMENT'],
    [
      'bits and bytes',
      () => compressKv(some, { ...own, bitsPerNumber: 2, bytes: 9 }),
      'INVALID_ARGUMENT',
    ],
    ['a group of none', () => compressKv(some, { ...own, group: 0 }), 'INVALID_ARGUMENT'],
    ['other sizes', () => compressKv({ ...some, tokens: 11 }, own), 'DIMENSION_MISMATCH'],
    [
      'one layer too few',
      () => compressKv({ ...some, keys: [new Float32Array(160)] }, own),
      'DIMENSION_MISMATCH',
    ],
    ['no array', () => compressKv({ ...some, keys: 'keys' as never }, own), 'INVALID_ARGUMENT'],
    [
      'NaN',
      () => compressKv({ ...some, values: new Float32Array(numbers).fill(NaN) }, own),
      'INVALID_ARGUMENT',
    ],
    [
      'too large a number',
      () => compressKv({ ...some, keys: new Float32Array(numbers).fill(7e4) }, own),
      'INVALID_ARGUMENT',
    ],
    ['only sinks', () => compressKv(madeUpTokens(SHAPE, 3, 1), own), 'INVALID_ARGUMENT'],
  ])('%s', (_, run, code) => {
    expect(run).toThrow(codeOf(code));
  });

  test('of attend() and others', async () => {
    const cache = (await trained).compress(text);
    const queries = new Float32Array(WIDTH);
    const request = { layer: 0, queries, positions: [5] };
    const rope = { theta: 1e4, style: 'half' } as const;
    for (const [changed, code] of [
      [{ layer: 3 }, 'INVALID_ARGUMENT'],
      [{ queries: new Float32Array(WIDTH + 1) }, 'DIMENSION_MISMATCH'],
      [{ queries: new Float32Array(WIDTH).fill(Infinity) }, 'INVALID_ARGUMENT'],
      [{ positions: [5, 6] }, 'DIMENSION_MISMATCH'],
      [{ positions: [-1] }, 'INVALID_ARGUMENT'],
      [{ positions: 5 }, 'INVALID_ARGUMENT'],
      [{ rope: { ...rope, style: 'full' } }, 'INVALID_ARGUMENT'],
      [{ rope: { ...rope, dimensions: 3 } }, 'INVALID_ARGUMENT'],
      [{ rope: { ...rope, frequencies: [1, 2, 3, 4] } }, 'INVALID_ARGUMENT'],
      [{ rope: { style: 'half', frequencies: [1, 2] } }, 'DIMENSION_MISMATCH'],
      [{ scale: 0 }, 'INVALID_ARGUMENT'],
    ] as const) {
      expect(() => cache.attend({ ...request, ...changed } as never)).toThrow(codeOf(code));
    }
    expect(() => cache.reconstruct({ layer: 0, from: 5, to: 321 })).toThrow(
      codeOf('INVALID_ARGUMENT'),
    );
    for (const k of [0, 2 ** 31]) {
      expect(() => cache.nearest({ ...request, k })).toThrow(codeOf('INVALID_ARGUMENT'));
    }
    expect(() => cache.append({ ...text, tokens: 1 })).toThrow(codeOf('DIMENSION_MISMATCH'));
    await expect(KvModel.train([], SHAPE)).rejects.toThrow(codeOf('INVALID_ARGUMENT'));
    await expect(KvModel.train(5 as never, SHAPE)).rejects.toThrow(codeOf('INVALID_ARGUMENT'));
  });

  test('of the calls in slices', async () => {
    const model = await trained;
    const cache = model.compress(text);
    const none = { keys: new Float32Array(0), values: new Float32Array(0), tokens: 0 };
    for (const given of [
      undefined,
      null,
      5,
      'x',
      [],
      { onProgress: 5 },
      { signal: {} },
    ] as never[]) {
      for (const run of [
        () => KvModel.train([text], given),
        () => model.compressAsync(text, given ?? null),
        () => compressKvAsync(text, given),
        () => cache.appendAsync(none, given ?? null),
        () => cache.reconstructAsync(given),
        () => cache.attendAsync(given),
        () => cache.nearestAsync(given),
        () => KeyGraph.build(cache, given),
        () => KeyGraph.build(given, { layer: 0 }),
        () => xkvAsync(text, given),
      ]) {
        await expect(run()).rejects.toThrow(codeOf('INVALID_ARGUMENT'));
      }
    }
    const unknown = { signals: 1 } as never;
    await expect(cache.appendAsync(none, unknown)).rejects.toThrow(codeOf('INVALID_ARGUMENT'));
  });

  test('a basis of their own needs tokens behind the sinks, a calibrated one none', async () => {
    const model = await trained;
    for (const tokens of [0, 3]) {
      const few = madeUpTokens(SHAPE, tokens, 1);
      expect(() => model.compress(few, { basis: 'own' })).toThrow(/more than the 4 sinks/);
      const cache = model.compress(few, { basis: 'auto', bytes: 1e6 });
      expect([cache.basis, cache.tokens]).toEqual(['calibrated', tokens]);
    }
  });

  test('queries before all tokens get zeros, and no queries none', async () => {
    const cache = (await trained).compress({
      keys: new Float32Array(0),
      values: new Float32Array(0),
      tokens: 0,
    });
    expect(cache.attend({ layer: 0, queries: new Float32Array(WIDTH), positions: [0] })).toEqual(
      new Float32Array(WIDTH),
    );
    expect(cache.attend({ layer: 0, queries: new Float32Array(0), positions: [] })).toEqual(
      new Float32Array(0),
    );
  });
});
