import { describe, expect, test } from 'vitest';
import { type KvCacheSet, loadKvCache, SMOLLM2 } from '../../datasets/kv-cache.js';
import type { KvCache } from '../../src/kv/cache.js';
import { compressKv, KvModel } from '../../src/kv/model.js';
import { attention, relativeError, tokensOf } from './support.js';

const { kvHeads, headDim, queryHeads, rope } = SMOLLM2;
const WIDTH = kvHeads * headDim;

const whole = loadKvCache('kv-smollm2-1k');
const short = loadKvCache('kv-smollm2-1k', 12, 15);
const long = loadKvCache('kv-smollm2-4k');

/** Mean over layers of the relative error of attention for the queries of a set. */
function attentionError(cache: KvCache, set: KvCacheSet): number {
  const size = set.queryCount * queryHeads * headDim;
  const positions = Array.from(
    { length: set.queryCount },
    (_, i) => set.tokens - set.queryCount + i,
  );
  let sum = 0;
  for (let layer = 0; layer < set.layers; layer++) {
    const queries = set.queries.subarray(layer * size, (layer + 1) * size);
    const found = cache.attend({ layer, queries, positions, rope });
    sum += relativeError(found, set.attention.subarray(layer * size, (layer + 1) * size));
  }
  return sum / set.layers;
}

/** How many times smaller the tokens are than as float16. */
function compression(cache: KvCache, set: KvCacheSet): number {
  return (4 * set.layers * set.tokens * WIDTH) / cache.bytes.tokens;
}

const missing = short === undefined || long === undefined || whole === undefined;

describe.skipIf(missing)(`real caches${missing ? ' (the data sets are not there)' : ''}`, () => {
  const shape = (set: KvCacheSet) => ({ layers: set.layers, kvHeads, headDim });

  test('attention is that of the set where nothing is lost', () => {
    const one = { ...short!, layers: 1 };
    const size = one.queryCount * queryHeads * headDim;
    const rows = one.tokens * WIDTH;
    const positions = Array.from({ length: one.queryCount }, (_, i) => one.tokens - 64 + i);
    const queries = one.queries.subarray(0, size);
    const shapes = { kvHeads, headDim, queryHeads };
    const [keys, values] = [one.keys.subarray(0, rows), one.values.subarray(0, rows)];
    const expected = attention(keys, values, queries, positions, shapes, rope);
    expect(relativeError(expected, one.attention.subarray(0, size))).toBeLessThan(1e-3);
  });

  test('with a basis of another text, 8 times smaller', { timeout: 60_000 }, async () => {
    for (const [sample, text, most] of [
      [long!, short!, 0.165],
      [short!, long!, 0.165],
    ] as const) {
      const model = await KvModel.train([tokensOf(sample)], shape(text));
      const cache = model.compress(tokensOf(text));
      expect(compression(cache, text)).toBeGreaterThanOrEqual(8);
      expect(attentionError(cache, text)).toBeLessThanOrEqual(most);
    }
  });

  test('with a basis of their own, 8 times smaller', { timeout: 60_000 }, () => {
    for (const [text, most] of [
      [whole!, 0.125],
      [long!, 0.13],
    ] as const) {
      const cache = compressKv(tokensOf(text), { ...shape(text), basis: 'own' });
      expect(compression(cache, text)).toBeGreaterThanOrEqual(8);
      expect(attentionError(cache, text)).toBeLessThanOrEqual(most);
    }
  });
});
