import { describe, expect, test } from 'vitest';
import { type LeanMultiIndexOptions, poolTokens } from '../../src/index.js';
import { build, closeAtEnd, codeOf, D, queryOf, SMALL, single, some } from './multi-support.js';
import { setAt } from './token-sets.js';

closeAtEnd();

describe.each<NonNullable<LeanMultiIndexOptions['pooling']>>([
  { ratio: 2 },
  { count: 3 },
  { count: 3, method: 'k-means' },
  {},
])('an index with pooling %j', (pooling) => {
  const seed = 5;
  const pool = (sets: ReturnType<typeof some>) =>
    poolTokens(sets, { ...pooling, dimensions: D, seed });

  test('holds what an index of pooled documents holds, through every change', async () => {
    const options = { seed, tokenBits: 32, exactBelow: 50, fde: SMALL } as const;
    const [index, other] = await Promise.all([
      build(some(1, 40), { ...options, pooling }),
      build(await pool(some(1, 40)), options),
    ]);
    await index.add(some(2, 30));
    await other.add(await pool(some(2, 30)));
    await index.update(5, queryOf(3, 11));
    await other.update(5, (await pool(single(queryOf(3, 11)))).tokens);
    expect(index.stats().pooling).toEqual({ ...pooling, dimensions: D, seed });
    expect(index.stats().tokens).toBe(other.stats().tokens);
    for (let id = 0; id < 70; id++) expect(index.tokensOf(id)).toEqual(other.tokensOf(id));
    expect(index.search(queryOf(4), 20)).toEqual(other.search(queryOf(4), 20));
  });
});

describe('poolTokens()', () => {
  test('without a ratio or a count leaves out duplicates and near-duplicates alone', async () => {
    const tokens = new Float32Array(5 * D);
    const [a, b] = [queryOf(1, 1), queryOf(2, 1)];
    tokens.set(a);
    tokens.set(b, D);
    tokens.set(a, 2 * D);
    tokens.set(
      b.map((x) => x * 1.002),
      3 * D,
    );
    tokens.set(
      b.map((x) => x * 1.2),
      4 * D,
    );
    const pooled = await poolTokens({ tokens, offsets: Uint32Array.of(0, 5) }, { dimensions: D });
    expect([...pooled.offsets]).toEqual([0, 3]);
    expect(setAt(pooled, 0, D)).toEqual(Float32Array.of(...a, ...b, ...tokens.subarray(4 * D)));
  });

  test('refuses an array that is given away meanwhile', async () => {
    const sets = some(1, 50);
    const onProgress = () => {
      if (sets.tokens.length > 0)
        structuredClone(sets.tokens.buffer, { transfer: [sets.tokens.buffer] });
    };
    // Long ones, so that progress is told before the end.
    const long = single(queryOf(1, 900));
    const both = {
      tokens: Float32Array.of(...long.tokens, ...sets.tokens),
      offsets: Uint32Array.of(0, ...Array.from(sets.offsets, (offset) => offset + 900)),
    };
    sets.tokens = both.tokens;
    const pooling = poolTokens(both, { dimensions: D, ratio: 2, onProgress });
    expect(await codeOf(() => pooling)).toBe('DIMENSION_MISMATCH');
  });

  test.each<[string, unknown, string]>([
    ['no sets', undefined, 'INVALID_ARGUMENT'],
    [
      'half a row',
      { tokens: new Float32Array(D + 1), offsets: Uint32Array.of(0, 1) },
      'DIMENSION_MISMATCH',
    ],
    [
      'wrong offsets',
      { tokens: new Float32Array(D), offsets: Uint32Array.of(0, 2) },
      'INVALID_ARGUMENT',
    ],
  ])('refuses %s', async (_, sets, code) => {
    expect(await codeOf(() => poolTokens(sets as never, { dimensions: D }))).toBe(code);
  });
});
