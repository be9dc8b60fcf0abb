import { expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';
import { compressKv } from '../../src/kv/model.js';
import type { KvTokens } from '../../src/kv/shape.js';
import { xkv } from '../../src/kv/xkv.js';
import { linearCka } from '../../src/linalg/alignment.js';
import { covariance } from '../../src/linalg/moments.js';
import { randomizedSvd } from '../../src/linalg/randomized-svd.js';
import { relativeError, rotateHead } from './support.js';

const kernels = new Kernels();

/** Layers [tokens × width] of signals in subspaces of which a share `align` is common, and noise. */
function alignedLayers(
  count: number,
  tokens: number,
  width: number,
  rank: number,
  align: number,
  noise: number,
): Float32Array[] {
  const random = new Random(5);
  const draw = (size: number) => Float64Array.from({ length: size }, () => random.gaussian());
  const common = draw(tokens * rank);
  return Array.from({ length: count }, () => {
    const own = draw(tokens * rank);
    const map = draw(rank * width);
    const rows = new Float32Array(tokens * width);
    for (let t = 0; t < tokens; t++) {
      for (let j = 0; j < width; j++) {
        let sum = noise * random.gaussian();
        for (let k = 0; k < rank; k++) {
          const at = t * rank + k;
          const x = align * common[at]! + Math.sqrt(1 - align ** 2) * own[at]!;
          sum += (x * map[k * width + j]!) / Math.sqrt(rank);
        }
        rows[t * width + j] = sum;
      }
    }
    return rows;
  });
}

function sideBySide(layers: readonly Float32Array[], width: number): Float32Array {
  const tokens = layers[0]!.length / width;
  const all = new Float32Array(tokens * width * layers.length);
  layers.forEach((rows, layer) => {
    for (let t = 0; t < tokens; t++) {
      const row = rows.subarray(t * width, (t + 1) * width);
      all.set(row, (t * layers.length + layer) * width);
    }
  });
  return all;
}

/** ‖M − M_r‖² for each rank, from the singular values and from the product of the factors. */
function truncationErrors(matrix: Float32Array, m: number, n: number, rank: number) {
  const { u, s, v } = randomizedSvd(kernels, matrix, m, n, Math.min(m, n));
  let product = 0;
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let x = matrix[i * n + j]!;
      const all = s.length;
      for (let k = 0; k < rank; k++) x -= u[i * all + k]! * s[k]! * v[j * all + k]!;
      product += x * x;
    }
  }
  const tail = s.slice(rank).reduce((sum, x) => sum + x * x, 0);
  return { product, tail };
}

/** Squared error of single-layer SVDs and of a cross-layer one, relative. */
function errorsAt(layers: readonly Float32Array[], width: number, r: number, crossRank: number) {
  const tokens = layers[0]!.length / width;
  const tailOf = (matrix: Float32Array, n: number, rank: number) => {
    const { s } = randomizedSvd(kernels, matrix, tokens, n, Math.min(tokens, n));
    return s.slice(rank).reduce((sum, x) => sum + x * x, 0);
  };
  const energy = layers.reduce((sum, rows) => sum + rows.reduce((a, x) => a + x * x, 0), 0);
  const single = layers.reduce((sum, rows) => sum + tailOf(rows, width, r), 0);
  const cross = tailOf(sideBySide(layers, width), width * layers.length, crossRank);
  return { single: single / energy, cross: cross / energy };
}

test('a truncated SVD misses the squares of the discarded singular values, fewer with each rank', () => {
  const [layer] = alignedLayers(1, 60, 24, 12, 1, 0.1);
  let before = Infinity;
  for (const rank of [0, 1, 5, 12, 20, 24]) {
    const { product, tail } = truncationErrors(layer!, 60, 24, rank);
    const energy = layer!.reduce((sum, x) => sum + x * x, 0);
    expect(Math.abs(product - tail)).toBeLessThan(1e-6 * energy);
    expect(tail).toBeLessThan(before);
    before = tail;
  }
});

test.each([
  0, 0.4, 0.8, 1,
])('with R = G r the cross-layer error is at most the single-layer one, alignment %s', (align) => {
  const layers = alignedLayers(4, 120, 16, 6, align, 0.2);
  for (const r of [1, 3, 6, 10]) {
    const { single, cross } = errorsAt(layers, 16, r, 4 * r);
    expect(cross).toBeLessThanOrEqual(single * (1 + 1e-6));
  }
});

// At equal memory it pays above a linear CKA of about a quarter only (algorithms.md, section 8).
test('in equal bytes one basis for all layers wins where they align, and loses where they do not', () => {
  const [count, tokens, width, r] = [4, 1024, 64, 12];
  const rank = Math.floor((count * r * (tokens + width)) / (tokens + count * width));
  const errors = [1, 0.9, 0.2, 0].map((align) => {
    const layers = alignedLayers(count, tokens, width, 24, align, 0.05);
    const all = sideBySide(layers, width);
    const moments = covariance(kernels, all, count * width);
    const span = (i: number) => ({ from: i * width, to: (i + 1) * width });
    const cka = linearCka(moments.covariance, count * width, span(0), span(1));
    return { cka, ...errorsAt(layers, width, r, rank) };
  });
  for (const { cka, single, cross } of errors) {
    if (cka > 0.4) expect(cross).toBeLessThan(0.9 * single);
    else {
      expect(cka).toBeLessThan(0.2);
      expect(cross).toBeGreaterThan(single);
    }
  }
  expect(errors.filter(({ cka }) => cka > 0.4)).toHaveLength(2);
});

test('equal layers cost the left factor of one', () => {
  const [layer] = alignedLayers(1, 200, 16, 8, 1, 0.3);
  const layers = [layer!, layer!, layer!, layer!];
  const single = errorsAt([layer!], 16, 5, 5).single;
  const { cross } = errorsAt(layers, 16, 5, 5);
  expect(cross / single).toBeCloseTo(1, 5);
  const tokens: KvTokens = { keys: layers, values: layers, tokens: 200 };
  const shape = { layers: 4, kvHeads: 2, headDim: 8 };
  const one = xkv(tokens, { ...shape, group: 4, ranks: { keys: 5, values: 5 } });
  const four = xkv(tokens, { ...shape, group: 1, ranks: { keys: 5, values: 5 } });
  expect(relativeError(one.reconstruct(3).keys, four.reconstruct(3).keys)).toBeLessThan(2e-3);
  const left = (groups: typeof one.groups) =>
    groups.reduce((sum, group) => sum + group.left.length, 0);
  expect(left(one.groups)).toBe(left(four.groups) / 4);
});

test('ranks are chosen within bytes, or for an error', () => {
  const keys = alignedLayers(4, 300, 16, 3, 0.9, 0.05);
  const values = alignedLayers(4, 300, 16, 12, 0.9, 0.05);
  const tokens: KvTokens = { keys, values, tokens: 300 };
  const options = { layers: 4, kvHeads: 2, headDim: 8, group: 2 };
  const errorOf = (found: ReturnType<typeof xkv>, kind: 'keys' | 'values') => {
    const all = Array.from({ length: 4 }, (_, layer) => [...found.reconstruct(layer)[kind]]);
    return relativeError(
      all.flat(),
      (kind === 'keys' ? keys : values).flatMap((x) => [...x]),
    );
  };
  let before = Infinity;
  for (const bytes of [8_000, 16_000, 32_000]) {
    const found = xkv(tokens, { ...options, bytes });
    expect(found.bytes).toBeLessThanOrEqual(bytes);
    expect(found.bytes).toBeGreaterThan(bytes - 2 * (300 + 32));
    expect(errorOf(found, 'values')).toBeLessThan(before);
    before = errorOf(found, 'values');
    // Keys, of lower rank, get fewer once all that counts is kept of them.
    const rank = (kind: string) =>
      found.groups.filter((g) => g.kind === kind).reduce((sum, g) => sum + g.rank, 0);
    if (bytes === 32_000) expect(rank('keys')).toBeLessThan(rank('values'));
  }
  for (const error of [0.3, 0.1]) {
    const found = xkv(tokens, { ...options, error });
    for (const kind of ['keys', 'values'] as const) {
      expect(errorOf(found, kind)).toBeLessThan(error * 1.01);
    }
  }
});

test('keys are compressed before RoPE: rotating commutes with reading, and rotated keys lose more', () => {
  const rope = { theta: 100, style: 'half' } as const;
  const shape = { layers: 1, kvHeads: 1, headDim: 16 };
  const [layer] = alignedLayers(1, 800, 16, 4, 1, 0.02);
  const rotated = new Float32Array(layer!.length);
  for (let t = 0; t < 800; t++) {
    rotated.set(rotateHead(layer!.subarray(t * 16, (t + 1) * 16), t, rope), t * 16);
  }
  const errorOf = (keys: Float32Array) => {
    const found = xkv(
      { keys: [keys], values: [keys], tokens: 800 },
      {
        ...shape,
        group: 1,
        ranks: { keys: 4, values: 4 },
      },
    );
    return relativeError(found.reconstruct(0).keys, keys);
  };
  expect(errorOf(rotated)).toBeGreaterThan(2 * errorOf(layer!));
  // The scores of rotated queries with what is read equal those that attention takes from the codes.
  const cache = compressKv(
    { keys: [layer!], values: [layer!], tokens: 800 },
    { ...shape, basis: 'own' },
  );
  const query = layer!.slice(0, 16);
  const { positions, scores } = cache.nearest({
    layer: 0,
    queries: query,
    positions: [900],
    rope,
    k: 5,
  });
  const { keys } = cache.reconstruct({ layer: 0 });
  positions.forEach((position, i) => {
    const key = rotateHead(keys.subarray(position * 16, (position + 1) * 16), position, rope);
    const turned = rotateHead(query, 900, rope);
    const score = key.reduce((sum, x, j) => sum + x * turned[j]!, 0) / 4;
    expect(scores[i]).toBeCloseTo(score, 4);
  });
});

test('numbers near the end of binary16 are kept, wrong ranks refused', () => {
  const shape = { layers: 2, kvHeads: 1, headDim: 16 };
  const rows = new Float32Array(2 * 16 * 50).fill(60_000);
  const tokens: KvTokens = { keys: rows, values: rows, tokens: 50 };
  const found = xkv(tokens, { ...shape, group: 2, ranks: { keys: 1, values: 1 } });
  expect(relativeError(found.reconstruct(1).keys, rows.subarray(800))).toBeLessThan(1e-3);
  for (const ranks of [null, 5, {}, { keys: 1 }, { keys: 1, values: 0 }, { keys: 1, values: 51 }]) {
    expect(() => xkv(tokens, { ...shape, group: 2, ranks: ranks as never })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  }
});

test('factors for all layers cost (L + G D) / (L + D) times those of each, at R = G r', () => {
  const [L, D, G, r] = [2048, 16, 4, 1];
  const shape = { layers: G, kvHeads: 1, headDim: D };
  const layers = alignedLayers(G, L, D, 4, 0.5, 0.1);
  const tokens: KvTokens = { keys: layers, values: layers, tokens: L };
  const ranks = (rank: number) => ({ keys: rank, values: rank });
  const cross = xkv(tokens, { ...shape, group: G, ranks: ranks(G * r) });
  const single = xkv(tokens, { ...shape, group: 1, ranks: ranks(r) });
  expect(cross.bytes / single.bytes).toBeCloseTo((L + G * D) / (L + D), 12);
});
