import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { KvCache } from '../../src/kv/cache.js';
import { compressKv } from '../../src/kv/model.js';
import type { KvTokens } from '../../src/kv/shape.js';
import { attention } from './support.js';

const CASES = fc.record({
  layers: fc.integer({ min: 1, max: 3 }),
  kvHeads: fc.integer({ min: 1, max: 3 }),
  headDim: fc.constantFrom(2, 4, 6, 10),
  group: fc.integer({ min: 1, max: 2 }),
  queryGroup: fc.integer({ min: 1, max: 3 }),
  tokens: fc.integer({ min: 6, max: 90 }),
  appended: fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 4 }),
  recent: fc.integer({ min: 0, max: 30 }),
  sinks: fc.integer({ min: 0, max: 5 }),
  refresh: fc.constantFrom(1, 2, Infinity),
  bitsPerNumber: fc.constantFrom(0.3, 1, 2, 5, 8),
  style: fc.constantFrom('half', 'interleaved', undefined),
  seed: fc.integer({ min: 1, max: 1000 }),
});

function randomTokens(random: Random, layers: number, width: number, tokens: number): KvTokens {
  const rows = () =>
    Array.from({ length: layers }, () =>
      Float32Array.from(
        { length: tokens * width },
        (_, i) => random.gaussian() * (1 + (i % width)),
      ),
    );
  return { keys: rows(), values: rows(), tokens };
}

test('any cache is saved, read, appended to and attended to as what it reconstructs', {
  timeout: 60_000,
}, () => {
  fc.assert(
    fc.property(CASES, (given) => {
      const { layers, kvHeads, headDim, queryGroup, style, seed, appended, ...rest } = given;
      const { tokens, group, recent, sinks, refresh, bitsPerNumber } = rest;
      const random = new Random(seed);
      const width = kvHeads * headDim;
      const draw = (count: number) => randomTokens(random, layers, width, count);
      const cache = compressKv(draw(tokens), {
        ...{ layers, kvHeads, headDim, basis: 'own', bitsPerNumber },
        ...{ group: Math.min(group, layers), recent, sinks, refresh },
      });
      let count = tokens;
      let read = KvCache.fromBytes(cache.toBytes());
      for (const more of appended) {
        const next = draw(more);
        cache.append(next);
        read.append(next);
        read = KvCache.fromBytes(read.toBytes());
        count += more;
      }
      expect(read.toBytes()).toEqual(cache.toBytes());
      expect(read.tokens).toBe(count);

      const layer = layers - 1;
      const { keys, values } = cache.reconstruct({ layer });
      expect(keys.every(Number.isFinite) && values.every(Number.isFinite)).toBe(true);
      const queryHeads = kvHeads * queryGroup;
      const positions = [0, Math.floor(count / 2), count - 1, count + 7];
      const queries = Float32Array.from({ length: 4 * queryHeads * headDim }, () =>
        random.gaussian(),
      );
      const rope = style && ({ theta: 500, style } as const);
      const found = cache.attend({ layer, queries, positions, ...(rope && { rope }) });
      const shape = { kvHeads, headDim, queryHeads };
      const expected = attention(keys, values, queries, positions, shape, rope);
      const size = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
      expected.forEach((x, i) => {
        expect(Math.abs(found[i]! - x)).toBeLessThan(2e-3 * size);
      });
    }),
    { seed: 7, numRuns: 60 },
  );
});
