import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { KeyGraph } from '../../src/kv/key-graph.js';
import { compressKv, KvModel } from '../../src/kv/model.js';
import { madeUpTokens, rotateHead } from './support.js';

const SHAPE = { layers: 2, kvHeads: 2, headDim: 16 };
const QUERY_HEADS = 4;
const TOKENS = 600;
const ROPE = { theta: 10_000, style: 'interleaved' } as const;

describe('the nearest tokens', () => {
  const cache = compressKv(madeUpTokens(SHAPE, TOKENS, 31), { ...SHAPE, basis: 'own' });
  const random = new Random(32);
  const draw = (count: number) =>
    Float32Array.from({ length: count * QUERY_HEADS * SHAPE.headDim }, () => random.gaussian());

  /** All scores of a head of a query, by the definition. */
  function scoresOf(queries: Float32Array, m: number, head: number, position: number) {
    const { keys } = cache.reconstruct({ layer: 1 });
    const at = (m * QUERY_HEADS + head) * SHAPE.headDim;
    const query = rotateHead(queries.subarray(at, at + SHAPE.headDim), position, ROPE);
    const kv = Math.floor((head * SHAPE.kvHeads) / QUERY_HEADS);
    return Array.from({ length: Math.min(TOKENS, position + 1) }, (_, token) => {
      const from = (token * SHAPE.kvHeads + kv) * SHAPE.headDim;
      const key = rotateHead(keys.subarray(from, from + SHAPE.headDim), token, ROPE);
      return key.reduce((sum, x, i) => sum + x * query[i]!, 0) / Math.sqrt(SHAPE.headDim);
    });
  }

  test('of a scan are those with the highest scores', () => {
    const positions = [2, 255, 256, 599, 900];
    const queries = draw(positions.length);
    const k = 7;
    const found = cache.nearest({ layer: 1, queries, positions, rope: ROPE, k });
    positions.forEach((position, m) => {
      for (let head = 0; head < QUERY_HEADS; head++) {
        const scores = scoresOf(queries, m, head, position);
        const best = [...scores].sort((a, b) => b - a).slice(0, k);
        const at = (m * QUERY_HEADS + head) * k;
        best.forEach((score, i) => {
          expect(found.scores[at + i]).toBeCloseTo(score, 3);
          expect(scores[found.positions[at + i]!]).toBeCloseTo(score, 3);
        });
        for (let i = best.length; i < k; i++) {
          expect(found.positions[at + i]).toBe(0xffff_ffff);
          expect(found.scores[at + i]).toBe(-Infinity);
        }
      }
    });
  });

  test('of a graph are nearly those of a scan', async () => {
    const graph = await KeyGraph.build(cache, { layer: 1, rope: ROPE });
    const positions = Array.from({ length: 10 }, (_, i) => 599 + i);
    const queries = draw(10);
    const k = 10;
    const scanned = cache.nearest({ layer: 1, queries, positions, rope: ROPE, k });
    const found = graph.nearest({ queries, positions, k, ef: 100 });
    let common = 0;
    for (let row = 0; row < 10 * QUERY_HEADS; row++) {
      const best = new Set(scanned.positions.subarray(row * k, (row + 1) * k));
      common += found.positions.subarray(row * k, (row + 1) * k).filter((p) => best.has(p)).length;
    }
    expect(common / (10 * QUERY_HEADS * k)).toBeGreaterThan(0.95);
    await graph.close();
  });

  test('of an empty graph are none; it has its layer and rope already', async () => {
    const none = { keys: new Float32Array(0), values: new Float32Array(0), tokens: 0 };
    const sample = madeUpTokens(SHAPE, 50, 33);
    const empty = (await KvModel.train([sample], SHAPE)).compress(none);
    const graph = await KeyGraph.build(empty, { layer: 1, rope: ROPE });
    const request = { queries: draw(1), positions: [0], k: 2 };
    const nothing = new Uint32Array(2 * QUERY_HEADS).fill(0xffff_ffff);
    expect(graph.nearest(request).positions).toEqual(nothing);
    expect(empty.nearest({ ...request, layer: 1 }).positions).toEqual(nothing);
    for (const more of [{ layer: 0 }, { rope: ROPE }, { k: 0 }]) {
      expect(() => graph.nearest({ ...request, ...more } as never)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });
});
