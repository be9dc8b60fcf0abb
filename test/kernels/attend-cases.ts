import { expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import { packTile, softmax, TILE } from '../../src/kernels/scalar/kv.js';
import { resolveRope } from '../../src/kv/rope.js';
import { movePosition, scanFields, stageRotated, sumsFields } from '../../src/kv/scan.js';
import { rotateHead } from '../kv/support.js';
import { codedRows, randomTile } from './kv-tiles.js';
import { borrowing, gaussians, place, Random, readF32 } from './support.js';

/** Widths of components of which none, some and all have bits. */
const WIDTHS = [
  Uint8Array.of(4),
  Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1),
  Uint8Array.of(8, 4, 0, 2, 2, 1, 0, 1, 3, 1, 2, 1, 1),
];

/** Tests of wasm/attend.ts and wasm/weigh.ts, for any binary and compiler. */
export function testAttention(kernels: Kernels): void {
  const { call } = kernels;

  /** Tiles with random codes, one after the other, and what they stand for: [tile][component][token]. */
  function randomTiles(random: Random, widths: Uint8Array, count: number) {
    const first = randomTile(random, widths);
    const tiles = Array.from({ length: count }, () => {
      return { ...randomTile(random, widths), steps: first.steps };
    });
    const coded = tiles.map(codedRows);
    const bytes = coded.flatMap(({ codes }) => [...packTile(codes, widths)]);
    return {
      steps: first.steps,
      bytes: Uint8Array.from(bytes),
      values: coded.map((c) => c.values),
    };
  }

  test.each([
    ['half', 8, undefined],
    ['interleaved', 8, undefined],
    ['half', 6, 2],
    ['interleaved', 6, 4],
    ['half', 2, undefined],
  ] as const)('scores keys that are rotated as %s, %s of them %s', (style, headDim, dimensions) => {
    const random = new Random(headDim);
    const kvHeads = 2;
    const width = kvHeads * headDim;
    const rope = { theta: 100, style, ...(dimensions && { dimensions }) };
    const rotation = resolveRope(rope, headDim);
    for (const widths of WIDTHS) {
      for (const rows of [1, 3, 5]) {
        const n = widths.length;
        const stride = n + 2;
        const matrix = gaussians(random, width * stride);
        const mean = gaussians(random, width);
        const queries = gaussians(random, kvHeads * rows * headDim);
        const count = 3;
        const start = 1000;
        const { steps, bytes, values } = randomTiles(random, widths, count);
        const entries = Array.from(matrix, (x, i) => Math.abs(x * (steps[i % stride] ?? 0)));
        const codes = widths.reduce((all, bits) => all + 2 ** bits - 1, 0);
        const rounding = (Math.max(...entries) / 65_534) * codes;
        borrowing(kernels, () => {
          const scan = kernels.alloc(scanFields.byteLength);
          scanFields.write(kernels, scan, {
            components: n,
            widths: place(kernels, widths),
            steps: place(kernels, steps),
            panels: kernels.alloc(n * TILE * 4),
            tileBytes: bytes.length / count,
          });
          const staged = { scan, matrix: place(kernels, matrix), mean };
          stageRotated(kernels, stride, staged, { kvHeads, headDim }, rotation, queries);
          movePosition(kernels, staged, rotation, start);
          const length = count * TILE + 4;
          const scores = kernels.alloc(kvHeads * rows * length * 4);
          call.kvScore(scan, place(kernels, bytes), count, scores, length);
          const found = readF32(kernels, scores, kvHeads * rows * length);
          for (let token = 0; token < count * TILE; token++) {
            const key = Array.from({ length: width }, (_, i) => {
              const tile = values[Math.floor(token / TILE)]!;
              return tile.reduce(
                (sum, row, j) => sum + row[token % TILE]! * matrix[i * stride + j]!,
                mean[i]!,
              );
            });
            for (let row = 0; row < kvHeads * rows; row++) {
              const head = Math.floor(row / rows) * headDim;
              const rotated = rotateHead(key.slice(head, head + headDim), start + token, {
                ...rope,
              });
              const query = queries.subarray(row * headDim, (row + 1) * headDim);
              const score = rotated.reduce((sum, x, i) => sum + x * query[i]!, 0);
              const size = Math.hypot(...rotated) * Math.hypot(...query);
              // A turned number gets the rounding of two.
              const sum = query.reduce((all, x) => all + 1.5 * Math.abs(x), 0);
              expect(Math.abs(found[row * length + token]! - score)).toBeLessThan(
                1e-5 * (1 + size) + rounding * sum,
              );
            }
          }
        });
      }
    }
  });

  test('goes on with a softmax as the scalar twin does', () => {
    const random = new Random(20);
    const [rows, count, stride] = [3, 8, 12];
    const before = Array.from({ length: rows }, () => ({ largest: -Infinity, sum: 0 }));
    borrowing(kernels, () => {
      const state = place(kernels, Float32Array.from(before.flatMap((b) => [b.largest, b.sum])));
      const factors = kernels.alloc(rows * 4);
      for (let part = 0; part < 5; part++) {
        const scores = gaussians(random, rows * stride).map((x, i) => {
          // The last row sees nothing in the first parts, the second no token at all.
          if (Math.floor(i / stride) === 1 || (i >= 2 * stride && part < 2)) return -Infinity;
          return i % 5 === 0 ? -Infinity : 30 * x;
        });
        const address = place(kernels, scores);
        call.kvSoftmax(address, rows, count, stride, state, factors);
        const found = readF32(kernels, address, rows * stride);
        for (let row = 0; row < rows; row++) {
          const own = scores.subarray(row * stride, row * stride + count);
          const expected = softmax(own, before[row]!);
          expected.weights.forEach((weight, i) => {
            expect(Math.abs(found[row * stride + i]! - weight)).toBeLessThan(
              5e-7 * weight * (1 - Math.log(weight || 1)) + 1e-37,
            );
          });
          const [largest, sum] = readF32(kernels, state + row * 8, 2);
          expect(largest).toBe(Math.fround(expected.largest));
          expect(sum).toBeCloseTo(expected.sum, 4);
          expect(readF32(kernels, factors + row * 4, 1)[0]).toBeCloseTo(expected.factor, 6);
          before[row] = { largest: largest!, sum: expected.sum };
        }
      }
    });
  });

  test('sums up codes with weights', () => {
    const random = new Random(30);
    for (const widths of WIDTHS) {
      for (const rows of [1, 2, 3, 7]) {
        const n = widths.length;
        const count = 3;
        const stride = count * TILE + 4;
        const tiles = Array.from(
          { length: count },
          () => codedRows(randomTile(random, widths)).codes,
        );
        const bytes = Uint8Array.from(tiles.flatMap((codes) => [...packTile(codes, widths)]));
        const weights = gaussians(random, rows * stride).map((x) => x * x);
        // The last row has no weights at all.
        if (rows > 1) weights.fill(0, (rows - 1) * stride);
        borrowing(kernels, () => {
          const plan = kernels.alloc(sumsFields.byteLength);
          sumsFields.write(kernels, plan, {
            components: n,
            widths: place(kernels, widths),
            tileBytes: bytes.length / count,
            codes: kernels.alloc(count * n * TILE * 2),
            weights: kernels.alloc(count * rows * TILE * 2),
            factors: kernels.alloc(rows * 4),
          });
          const before = gaussians(random, rows * (n + 1));
          const sums = place(kernels, before);
          const [from, w] = [place(kernels, bytes), place(kernels, weights)];
          call.kvAccumulate(plan, from, count, w, rows, stride, sums);
          const found = readF32(kernels, sums, rows * (n + 1));
          for (let row = 0; row < rows; row++) {
            const own = weights.subarray(row * stride, row * stride + count * TILE);
            const rounding = own.reduce((most, x) => Math.max(most, x), 0) / 65_534;
            for (let j = 0; j <= n; j++) {
              const codeAt = (t: number) =>
                j === n ? 1 : tiles[Math.floor(t / TILE)]![j]![t % TILE]!;
              let [sum, codes] = [before[row * (n + 1) + j]!, 0];
              for (let t = 0; t < own.length; t++) {
                sum += own[t]! * codeAt(t);
                codes += codeAt(t);
              }
              const most = rounding * codes + 1e-6 * (1 + Math.abs(sum));
              expect(Math.abs(found[row * (n + 1) + j]! - sum)).toBeLessThanOrEqual(most);
            }
          }
        });
      }
    }
  });
}
