import { describe, expect, test } from 'vitest';
import { KvCache } from '../../src/kv/cache.js';
import { KvModel } from '../../src/kv/model.js';
import type { KvTokens } from '../../src/kv/shape.js';
import { attention, madeUpTokens, relativeError } from './support.js';

const SHAPE = { layers: 3, kvHeads: 2, headDim: 8 };
const WIDTH = 16;
const ROPE = { theta: 10_000, style: 'half' } as const;

/** Tokens from … to − 1. */
function part({ keys, values, tokens }: KvTokens, from: number, to: number): KvTokens {
  const cut = (rows: KvTokens['keys']) =>
    Array.from({ length: SHAPE.layers }, (_, layer) =>
      (rows as Float32Array).slice((layer * tokens + from) * WIDTH, (layer * tokens + to) * WIDTH),
    );
  return { keys: cut(keys), values: cut(values), tokens: to - from };
}

function layerOf(rows: KvTokens['keys'], layer: number, tokens: number): Float32Array {
  return (rows as Float32Array).subarray(layer * tokens * WIDTH, (layer + 1) * tokens * WIDTH);
}

describe('tokens that are appended', () => {
  const text = madeUpTokens(SHAPE, 400, 21);
  const trained = KvModel.train([madeUpTokens(SHAPE, 600, 22)], SHAPE);

  test('are exact at first, then coded like the others, in any portions', async () => {
    const model = await trained;
    const cache = model.compress(part(text, 0, 100), { bitsPerNumber: 4, recent: 20 });
    for (let from = 100, size = 1; from < 400; from += size, size = (size % 37) + 5) {
      cache.append(part(text, from, Math.min(400, from + size)));
    }
    expect(cache.tokens).toBe(400);
    for (let layer = 0; layer < SHAPE.layers; layer++) {
      const found = cache.reconstruct({ layer });
      for (const kind of ['keys', 'values'] as const) {
        const expected = layerOf(text[kind], layer, 400);
        expect(relativeError(found[kind], expected)).toBeLessThan(0.15);
        const recent = 380 * WIDTH;
        const end = relativeError(found[kind].subarray(recent), expected.subarray(recent));
        expect(end).toBeLessThan(2 ** -11);
      }
    }
    const bits = (cache.bytes.tokens * 8) / (400 * 2 * SHAPE.layers * WIDTH);
    expect(bits).toBeLessThan(5.5);
  });

  test('leave the codes of earlier tokens as they are', async () => {
    const cache = (await trained).compress(part(text, 0, 105), { recent: 0 });
    const before = cache.reconstruct({ layer: 1, to: 105 });
    cache.append(part(text, 105, 143));
    expect(cache.reconstruct({ layer: 1, to: 105 })).toEqual(before);
  });

  test('are attended to, and saved', async () => {
    const model = await trained;
    const cache = model.compress(part(text, 0, 300), { bitsPerNumber: 3 });
    cache.append(part(text, 300, 400));
    const queries = Float32Array.from({ length: 2 * 4 * SHAPE.headDim }, (_, i) => Math.sin(i));
    const request = { layer: 2, queries, positions: [350, 399], rope: ROPE };
    const { keys, values } = cache.reconstruct({ layer: 2 });
    const shape = { ...SHAPE, queryHeads: 4 };
    const expected = attention(keys, values, queries, request.positions, shape, ROPE);
    expect(relativeError(cache.attend(request), expected)).toBeLessThan(1e-4);
    const read = KvCache.fromBytes(cache.toBytes(), model);
    expect(read.attend(request)).toEqual(cache.attend(request));
    read.append(part(text, 0, 50));
    expect(read.tokens).toBe(450);
  });

  test('may be the first ones', async () => {
    const model = await trained;
    const cache = model.compress(part(text, 0, 0), { bitsPerNumber: 4, recent: 0 });
    for (let from = 0; from < 200; from += 8) cache.append(part(text, from, from + 8));
    const { values } = cache.reconstruct({ layer: 0 });
    expect(
      relativeError(values, layerOf(text.values, 0, 400).subarray(0, 200 * WIDTH)),
    ).toBeLessThan(0.2);
    const first = relativeError(
      values.subarray(0, 4 * WIDTH),
      layerOf(text.values, 0, 400).subarray(0, 4 * WIDTH),
    );
    expect(first).toBeLessThan(2 ** -11);
  });

  test('get bases of their own when those there are miss too much', async () => {
    const model = await trained;
    const other = madeUpTokens(SHAPE, 800, 23, 0.8, 5);
    const errorOf = (cache: KvCache) => {
      const { values } = cache.reconstruct({ layer: 1, from: 700, to: 1000 });
      const expected = layerOf(other.values, 1, 800).subarray(400 * WIDTH, 700 * WIDTH);
      return relativeError(values, expected);
    };
    const caches = [2, Infinity].map((refresh) => {
      const cache = model.compress(part(text, 0, 300), { refresh, recent: 48 });
      for (let from = 0; from < 800; from += 50) cache.append(part(other, from, from + 50));
      return cache;
    });
    expect(caches[0]!.bytes.basis).toBeGreaterThan(0);
    expect(caches[1]!.bytes.basis).toBe(0);
    expect(errorOf(caches[0]!)).toBeLessThan(0.8 * errorOf(caches[1]!));
    const read = KvCache.fromBytes(caches[0]!.toBytes(), model);
    expect(read.reconstruct({ layer: 1 })).toEqual(caches[0]!.reconstruct({ layer: 1 }));
  });

  test('are there all or not at all, wherever an abort comes', async () => {
    const model = await trained;
    // Another language, so that there is a refresh to be aborted too.
    const more = madeUpTokens(SHAPE, 300, 24, 0.8, 5);
    const first = model.compress(part(text, 0, 300), { recent: 16 });
    first.append(part(more, 0, 150));
    const before = first.toBytes();
    const start = () => KvCache.fromBytes(before, model);
    const whole = start();
    whole.append(more);
    expect(whole.bytes.basis).toBeGreaterThan(0);
    let [after, aborts] = [0, 0];
    for (let isDone = false; !isDone; ) {
      const cache = start();
      let checks = 0;
      const signal = {
        get aborted() {
          return checks++ > after;
        },
      } as AbortSignal;
      await cache.appendAsync(more, { signal }).then(
        () => {
          isDone = true;
        },
        (error) => expect(error).toMatchObject({ code: 'ABORTED' }),
      );
      if (!isDone) {
        aborts++;
        after += 1 + (after >> 2);
        expect(cache.toBytes()).toEqual(before);
        cache.append(more);
      }
      expect(cache.toBytes()).toEqual(whole.toBytes());
    }
    expect(aborts).toBeGreaterThan(10);
  });

  test('come in the order of the calls, and do not disturb reads that began before', async () => {
    const cache = (await trained).compress(part(text, 0, 100), { recent: 16 });
    const same = KvCache.fromBytes(cache.toBytes(), await trained);
    const [first, second] = [part(text, 100, 250), part(text, 250, 400)];
    const before = cache.reconstruct({ layer: 1 });
    const running = [cache.appendAsync(first), cache.appendAsync(second)];
    expect(() => cache.append(first)).toThrow(expect.objectContaining({ code: 'BUSY' }));
    expect(cache.toBytes()).toEqual(same.toBytes());
    expect(await cache.reconstructAsync({ layer: 1, to: 100 })).toEqual(before);
    await Promise.all(running);
    same.append(first);
    same.append(second);
    expect(cache.toBytes()).toEqual(same.toBytes());
  });
});

describe('while tokens are appended in slices', () => {
  const text = madeUpTokens(SHAPE, 3000, 31);
  const request = {
    layer: 1,
    queries: Float32Array.from({ length: 4 * SHAPE.headDim }, (_, i) => Math.cos(i)),
    positions: [2_999],
    rope: ROPE,
  };

  test('reads see the tokens of their beginning', async () => {
    const model = await KvModel.train([madeUpTokens(SHAPE, 600, 32)], SHAPE);
    const cache = model.compress(part(text, 0, 2_000), { recent: 200 });
    cache.append(part(text, 2_000, 2_200));
    const before = cache.attend(request);
    const whole = cache.reconstruct({ layer: 1 });
    const reads = Promise.all([cache.attendAsync(request), cache.reconstructAsync({ layer: 1 })]);
    cache.append(part(text, 2_200, 3_000));
    expect(await reads).toEqual([before, whole]);
    expect(cache.attend(request)).not.toEqual(before);
  });
});

test('no more bytes are taken than are allowed; too few are refused by how many are needed', async () => {
  const model = await KvModel.train([madeUpTokens(SHAPE, 600, 32)], SHAPE);
  const tokens = madeUpTokens(SHAPE, 200, 33);
  const refusal = /bytes must be at least (\d+), which the exact tokens take, received 10/;
  expect(() => model.compress(tokens, { bytes: 10 })).toThrow(refusal);
  let least = 0;
  try {
    model.compress(tokens, { bytes: 10 });
  } catch (error) {
    least = Number(refusal.exec((error as Error).message)![1]);
  }
  for (const bytes of [least, least + 999, 2 * least, 10 * least]) {
    expect(model.compress(tokens, { bytes }).bytes.tokens).toBeLessThanOrEqual(bytes);
  }
});
