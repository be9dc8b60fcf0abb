import { describe, expect, test } from 'vitest';
import { KvCache } from '../../src/kv/cache.js';
import { compressKv, KvModel } from '../../src/kv/model.js';
import { madeUpTokens, relativeError } from './support.js';

const SHAPE = { layers: 4, kvHeads: 2, headDim: 16 };
const WIDTH = 32;
const NUMBERS = 2 * SHAPE.layers * WIDTH;

function layerOf(rows: Float32Array | readonly Float32Array[], layer: number, tokens: number) {
  return (rows as Float32Array).subarray(layer * tokens * WIDTH, (layer + 1) * tokens * WIDTH);
}

function errorsOf(cache: KvCache, tokens: ReturnType<typeof madeUpTokens>) {
  const errors = { keys: 0, values: 0 };
  for (let layer = 0; layer < SHAPE.layers; layer++) {
    const found = cache.reconstruct({ layer });
    for (const kind of ['keys', 'values'] as const) {
      const size = SHAPE.layers;
      errors[kind] +=
        relativeError(found[kind], layerOf(tokens[kind], layer, tokens.tokens)) / size;
    }
  }
  return errors;
}

describe('a calibrated model', () => {
  const sample = madeUpTokens(SHAPE, 900, 2);
  const text = madeUpTokens(SHAPE, 500, 3);
  const trained = KvModel.train([sample], SHAPE);

  test('keeps a cache within its bits, bases not counted', async () => {
    const model = await trained;
    for (const bitsPerNumber of [1, 2, 4]) {
      const { bytes } = model.compress(text, { bitsPerNumber });
      expect(bytes.tokens * 8).toBeLessThanOrEqual(bitsPerNumber * NUMBERS * text.tokens);
      expect(bytes).toEqual({ tokens: bytes.tokens, basis: 0, total: bytes.tokens });
    }
  });

  test('has less error with more bits', async () => {
    const model = await trained;
    const errors = [1, 2, 3, 4, 6].map((bitsPerNumber) =>
      errorsOf(model.compress(text, { bitsPerNumber }), text),
    );
    for (let i = 1; i < errors.length; i++) {
      expect(errors[i]!.keys).toBeLessThan(errors[i - 1]!.keys);
      expect(errors[i]!.values).toBeLessThan(errors[i - 1]!.values);
    }
    expect(errors.at(-1)!.values).toBeLessThan(0.02);
  });

  test('keeps the first tokens exact, as float16', async () => {
    const model = await trained;
    const { keys } = model.compress(text).reconstruct({ layer: 2, from: 0, to: 4 });
    expect(relativeError(keys, layerOf(text.keys, 2, 500).subarray(0, 4 * WIDTH))).toBeLessThan(
      2 ** -11,
    );
  });

  test('reads any range as it reads all', async () => {
    const cache = (await trained).compress(text);
    const all = cache.reconstruct({ layer: 1 });
    for (const [from, to] of [
      [0, 1],
      [3, 21],
      [16, 32],
      [490, 500],
      [7, 7],
    ] as const) {
      const part = cache.reconstruct({ layer: 1, from, to });
      expect(part.keys).toEqual(all.keys.slice(from * WIDTH, to * WIDTH));
      expect(part.values).toEqual(all.values.slice(from * WIDTH, to * WIDTH));
    }
  });

  test('is saved and read, and so are its caches', async () => {
    const model = await trained;
    const cache = model.compress(text);
    const again = KvModel.fromBytes(model.toBytes());
    expect(again.toBytes()).toEqual(model.toBytes());
    expect(again.compress(text).toBytes()).toEqual(cache.toBytes());
    const read = KvCache.fromBytes(cache.toBytes(), again);
    expect(read.reconstruct({ layer: 3 })).toEqual(cache.reconstruct({ layer: 3 }));
    expect(read.toBytes()).toEqual(cache.toBytes());
    expect(read.bytes).toEqual(cache.bytes);
  });

  test('is needed to read its caches', async () => {
    const bytes = (await trained).compress(text).toBytes();
    const other = await KvModel.train([text], SHAPE);
    for (const model of [undefined, other]) {
      expect(() => KvCache.fromBytes(bytes, model)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });
});

test('a model of few tokens codes what they do not have', async () => {
  const text = madeUpTokens(SHAPE, 300, 3);
  const [few, many] = await Promise.all(
    [30, 900].map((tokens) => KvModel.train([madeUpTokens(SHAPE, tokens, 2)], SHAPE)),
  );
  const [less, more] = [few!, many!].map((model) =>
    errorsOf(model.compress(text, { bitsPerNumber: 4 }), text),
  );
  expect(less!.values).toBeLessThan(3 * more!.values);
});

test('tokens of next to nothing, and of the largest numbers, are kept', async () => {
  for (const [size, share] of [
    [1e-42, 0.01],
    [65_504, 1e-3],
  ] as const) {
    const rows = new Float32Array(4 * WIDTH * 100).fill(size);
    const tokens = { keys: rows, values: rows, tokens: 100 };
    const cache = compressKv(tokens, { ...SHAPE, basis: 'own' });
    // Behind the sinks, which are binary16.
    const { keys } = KvCache.fromBytes(cache.toBytes()).reconstruct({ layer: 1, from: 4 });
    expect(keys.every((x) => Math.abs(x - size) < share * size)).toBe(true);
    const queries = new Float32Array(WIDTH).fill(1);
    expect(cache.attend({ layer: 0, queries, positions: [99] }).every(Number.isFinite)).toBe(true);
  }
});

describe('an own basis', () => {
  const text = madeUpTokens(SHAPE, 300, 5);

  test('is counted, saved with the cache and better than none', () => {
    const cache = compressKv(text, { ...SHAPE, basis: 'own', bitsPerNumber: 2 });
    expect(cache.basis).toBe('own');
    expect(cache.bytes.basis).toBeGreaterThan(0);
    const read = KvCache.fromBytes(cache.toBytes());
    expect(read.reconstruct({ layer: 0 })).toEqual(cache.reconstruct({ layer: 0 }));
    expect(errorsOf(cache, text).values).toBeLessThan(0.3);
  });
});
