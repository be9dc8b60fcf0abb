import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { compressKv } from '../../src/kv/model.js';
import { attention, madeUpTokens, relativeError } from './support.js';

const SHAPE = { layers: 3, kvHeads: 2, headDim: 16 };
const QUERY_HEADS = 6;
const TOKENS = 700;

function randomQueries(count: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count * QUERY_HEADS * SHAPE.headDim }, () =>
    random.gaussian(),
  );
}

describe('attention on a compressed cache', () => {
  const text = madeUpTokens(SHAPE, TOKENS, 7);
  const cache = compressKv(text, { ...SHAPE, basis: 'own', bitsPerNumber: 3 });
  const shape = { ...SHAPE, queryHeads: QUERY_HEADS };

  test.each([
    ['not rotated', undefined],
    ['rotated in halves', { theta: 10_000, style: 'half' }],
    ['rotated in neighbours', { theta: 500, style: 'interleaved' }],
    ['rotated in part', { theta: 10_000, style: 'half', dimensions: 8 }],
  ] as const)('%s is that of the reconstructed cache', (_, rope) => {
    const positions = [0, 3, 5, 300, 511, 512, 698, 699, 2000];
    const queries = randomQueries(positions.length, 11);
    const { keys, values } = cache.reconstruct({ layer: 1 });
    const expected = attention(keys, values, queries, positions, shape, rope);
    const found = cache.attend({ layer: 1, queries, positions, ...(rope && { rope }) });
    expect(relativeError(found, expected)).toBeLessThan(1e-4);
  });

  test('is the same for queries one by one and many', () => {
    const positions = Array.from({ length: 40 }, (_, i) => 13 * i + 100);
    const queries = randomQueries(positions.length, 12);
    const rope = { theta: 10_000, style: 'half' } as const;
    const all = cache.attend({ layer: 2, queries, positions, rope });
    const size = QUERY_HEADS * SHAPE.headDim;
    positions.forEach((position, i) => {
      const one = queries.slice(i * size, (i + 1) * size);
      const found = cache.attend({ layer: 2, queries: one, positions: [position], rope });
      expect(relativeError(found, all.subarray(i * size, (i + 1) * size))).toBeLessThan(1e-4);
    });
  });
});
