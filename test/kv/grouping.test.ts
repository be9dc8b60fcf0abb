import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';
import { compressKv, KvModel } from '../../src/kv/model.js';
import { largestGroup, resolveKv } from '../../src/kv/options.js';
import type { KvTokens } from '../../src/kv/shape.js';
import { linearCka } from '../../src/linalg/alignment.js';
import { covariance } from '../../src/linalg/moments.js';
import { madeUpTokens } from './support.js';

const SHAPE = { layers: 6, kvHeads: 1, headDim: 8 };

/** Layers of which those with the same number have the same signal. */
function layersWith(signals: readonly number[], tokens: number): KvTokens {
  const parts = signals.map((signal) =>
    madeUpTokens({ ...SHAPE, layers: 1 }, tokens, 100 + signal, 1, signal),
  );
  return {
    keys: parts.map(({ keys }) => keys as Float32Array),
    values: parts.map(({ values }) => values as Float32Array),
    tokens,
  };
}

/** Rows of two layers, next to one another. */
function sideBySide(layers: Float32Array, tokens: number, width: number): Float32Array {
  return Float32Array.from({ length: layers.length }, (_, i) => {
    const [token, column] = [Math.floor(i / (2 * width)), i % (2 * width)];
    const layer = Math.floor(column / width);
    return layers[(layer * tokens + token) * width + (column % width)]!;
  });
}

function groupsOf(model: KvModel, kind: 'keys' | 'values'): number[][] {
  return model.bases
    .filter((basis) => basis.kind === kind)
    .map(({ layers: { first, count } }) => Array.from({ length: count }, (_, i) => first + i));
}

describe('groups of layers', () => {
  test('are those that align; others stay alone', async () => {
    const tokens = layersWith([1, 1, 1, 2, 3, 3], 400);
    const model = await KvModel.train([tokens], { ...SHAPE, group: 'auto' });
    for (const kind of ['keys', 'values'] as const) {
      expect(groupsOf(model, kind)).toEqual([[0, 1, 2], [3], [4, 5]]);
    }
  });

  test('part at a linear CKA of .26', async () => {
    const shape = { layers: 2, kvHeads: 1, headDim: 8 };
    const near = { below: 0, above: 0 };
    for (let align = 0.5; align < 0.85; align += 0.05) {
      const tokens = madeUpTokens(shape, 600, 7, align);
      const model = await KvModel.train([tokens], { ...shape, sinks: 0 });
      for (const kind of ['keys', 'values'] as const) {
        const rows = sideBySide(tokens[kind] as Float32Array, 600, 8);
        const { covariance: all } = covariance(new Kernels(), rows, 16);
        const cka = linearCka(all, 16, { from: 0, to: 8 }, { from: 8, to: 16 });
        expect(groupsOf(model, kind)).toEqual(cka < 0.26 ? [[0], [1]] : [[0, 1]]);
        if (cka > 0.16 && cka < 0.26) near.below++;
        if (cka > 0.26 && cka < 0.36) near.above++;
      }
    }
    expect(Math.min(near.below, near.above)).toBeGreaterThan(0);
  });

  test('are as many layers as told', async () => {
    const tokens = layersWith([1, 2, 3, 4, 5, 6], 100);
    const model = await KvModel.train([tokens], { ...SHAPE, group: 4 });
    expect(groupsOf(model, 'keys')).toEqual([
      [0, 1, 2, 3],
      [4, 5],
    ]);
  });

  test('are smaller where tokens are long', async () => {
    const sizes = [192, 680, 1024, 3072].map((width) => {
      const shape = { layers: 6, kvHeads: width / 8, headDim: 8 };
      return largestGroup(resolveKv('options', shape));
    });
    expect(sizes).toEqual([3, 3, 2, 1]);
    expect(largestGroup(resolveKv('options', { ...SHAPE, headDim: 1024, group: 4 }))).toBe(4);
  });

  test('of equal layers take fewer bytes for the same error', () => {
    const tokens = layersWith([1, 1, 1, 1, 1, 1], 500);
    const [together, alone] = [3, 1].map((group) =>
      compressKv(tokens, { ...SHAPE, basis: 'own', group, error: 0.05 }),
    );
    expect(together!.bytes.tokens).toBeLessThan(0.5 * alone!.bytes.tokens);
  });
});

describe('alignment', () => {
  const random = new Random(1);
  const rowsOf = (count: number, d: number) =>
    Array.from({ length: count }, () => Float64Array.from({ length: d }, () => random.gaussian()));

  test('by CKA is that of its definition on centred rows', () => {
    const [n, p, q] = [50, 3, 5];
    const rows = rowsOf(n, p + q).map((row) => {
      row[p] = row[0]! + 0.3 * row[p]!;
      return row;
    });
    const means = Array.from({ length: p + q }, (_, j) => rows.reduce((s, r) => s + r[j]!, 0) / n);
    const covariance = new Float64Array((p + q) ** 2);
    for (let i = 0; i < p + q; i++) {
      for (let j = 0; j < p + q; j++) {
        const sum = rows.reduce((s, r) => s + (r[i]! - means[i]!) * (r[j]! - means[j]!), 0);
        covariance[i * (p + q) + j] = sum / n;
      }
    }
    // ‖Yᵀ X‖² by the kernels of rows: Σ_ab <x_a, x_b> <y_a, y_b>.
    const inner = (from: number, to: number) => (a: Float64Array, b: Float64Array) => {
      let sum = 0;
      for (let j = from; j < to; j++) sum += (a[j]! - means[j]!) * (b[j]! - means[j]!);
      return sum;
    };
    const hsic = (f: ReturnType<typeof inner>, g: ReturnType<typeof inner>) =>
      rows.reduce((s, a) => s + rows.reduce((t, b) => t + f(a, b) * g(a, b), 0), 0);
    const [x, y] = [inner(0, p), inner(p, p + q)];
    const expected = hsic(x, y) / Math.sqrt(hsic(x, x) * hsic(y, y));
    const found = linearCka(covariance, p + q, { from: 0, to: p }, { from: p, to: p + q });
    expect(found).toBeCloseTo(expected, 10);
    expect(linearCka(covariance, p + q, { from: 0, to: p }, { from: 0, to: p })).toBeCloseTo(1, 12);
  });
});
