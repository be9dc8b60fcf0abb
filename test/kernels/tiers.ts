import { expect, test } from 'vitest';
import { topK } from '../../src/kernels/scalar/beam.js';
import {
  dotBuildCodes,
  dotCodePair,
  dotQueryCodes,
  dotShortCodes,
  sumCodes,
} from '../../src/kernels/scalar/dot.js';
import { dot, norm, squaredL2 } from '../../src/kernels/scalar/float.js';
import { maxSim, rowsOf } from '../../src/kernels/scalar/maxsim.js';
import { packCodes } from '../../src/kernels/scalar/pack.js';
import * as primary from '../../src/kernels/scalar/primary.js';
import { projectInput, quantiseInput } from '../../src/kernels/scalar/project.js';
import { rotate } from '../../src/kernels/scalar/rotate.js';
import { decodeToken, encodeToken } from '../../src/kernels/scalar/token.js';
import { testAttention } from './attend-cases.js';
import { expectSameTile, randomTile } from './kv-tiles.js';
import {
  borrowing,
  describeBinaries,
  expectSame,
  gaussians,
  padded,
  place,
  Random,
  randomCodes,
  readF32,
} from './support.js';

/**
 * The kernels under one of V8's two compilers, whose flags the test file has set before the first
 * module is compiled. Usually code starts in the baseline compiler and is optimised once it is
 * hot, so that a compiler's bug shows in the first calls only, or only later: Node 20's baseline
 * compiler gets `i32x4.relaxed_dot_i8x16_i7x16_add_s` wrong.
 */
export function describeTier(tier: string): void {
  describeBinaries(`the ${tier} compiler`, (kernels) => {
    const { call } = kernels;

    test.each([2, 4, 7, 8] as const)('dots of %s-bit codes', (bits) => {
      const random = new Random(bits);
      for (let n = 1; n <= 300; n += 7) {
        const codes = randomCodes(random, n, bits);
        const query = Int8Array.from({ length: n }, () => random.below(128));
        borrowing(kernels, () => {
          const packed = place(kernels, packCodes(codes, bits));
          const q = place(kernels, padded(query, 320));
          expect(call.dotQueryCodes(q, packed, n, bits)).toBe(dotQueryCodes(query, codes, bits));
          expect(call.sumCodes(packed, n, bits)).toBe(sumCodes(codes));
          if (bits !== 7)
            expect(call.dotCodePair(packed, packed, n, bits)).toBe(dotCodePair(codes, codes));
          const floats = gaussians(random, n);
          const mixed = call.dotFloatCodes(place(kernels, padded(floats, 320)), packed, n, bits);
          expect(Math.abs(mixed - dot(floats, codes))).toBeLessThan(
            1e-5 * norm(floats) * norm(codes),
          );
        });
      }
    });

    test.each([2, 4, 7] as const)('traversal distances of %s-bit codes', (bits) => {
      const random = new Random(bits);
      const kernel = { 2: call.scoreRecords2, 4: call.scoreRecords4, 7: call.scoreRecords7 }[bits];
      for (const bytes of [64, 128, 320]) {
        for (const halfNorm of [undefined, 12.5]) {
          const hasNorm = halfNorm !== undefined;
          const order = primary.primarySlotOrder(bytes, bits, hasNorm ? 8 : 4);
          const inSlots = () => {
            const z = new Float32Array(primary.primarySlots(bytes, bits));
            for (const slot of order) z[slot] = random.gaussian();
            return z;
          };
          const p = inSlots();
          const query = primary.primaryQuery(p, bits);
          borrowing(kernels, () => {
            const q = kernels.alloc(p.length);
            const constants = kernels.alloc(8);
            call.primaryQuery(place(kernels, p), p.length, bits, q, constants);
            const z = Array.from({ length: 8 }, inSlots);
            const records = z.map((x) => {
              const record = kernels.alloc(bytes);
              const [source, used] = [place(kernels, x), order.length];
              call.primaryEncode(
                source,
                bytes,
                bits,
                used,
                0,
                hasNorm ? 8 : 4,
                halfNorm ?? 0,
                record,
              );
              return record;
            });
            const out = kernels.alloc(32);
            const addresses = place(kernels, Uint32Array.from(records));
            kernel(q, constants, hasNorm ? 1 : 0, addresses, 2, bytes, out);
            const expected = z.map((x) => {
              const record = primary.primaryEncode(x, bits, order.length, 'optimised', halfNorm);
              return primary.primaryDistance(query, record, bits, hasNorm);
            });
            expectSame(readF32(kernels, out, 8), expected, `${bytes} bytes`);
          });
        }
      }
    });

    testAttention(kernels);

    test('tiles of a KV-cache', () => {
      const random = new Random(40);
      for (let round = 0; round < 40; round++) {
        const widths = Uint8Array.from({ length: 1 + random.below(60) }, () => random.below(9));
        expectSameTile(kernels, randomTile(random, widths));
      }
    });

    test.each([4, 8] as const)('dots of int16 with %s-bit codes', (bits) => {
      const random = new Random(bits);
      for (let n = 1; n <= 300; n += 7) {
        const codes = randomCodes(random, n, bits);
        const query = quantiseInput(gaussians(random, n)).input;
        borrowing(kernels, () => {
          const [q, c] = [
            place(kernels, padded(query, 320)),
            place(kernels, packCodes(codes, bits)),
          ];
          expect(call.dotShortCodes(q, c, n, bits)).toBe(dotShortCodes(query, codes));
        });
      }
    });

    test('dots of build codes', () => {
      const random = new Random(5);
      for (const slots of [64, 128, 256, 1024]) {
        const [a, b] = [randomCodes(random, slots, 7), randomCodes(random, slots, 7)];
        borrowing(kernels, () => {
          const value = call.dotBuildCodes(place(kernels, a), place(kernels, b), slots);
          expect(value).toBe(dotBuildCodes(a, b));
        });
      }
    });

    test('projections', () => {
      const random = new Random(6);
      for (const n of [1, 8, 13, 100, 300]) {
        const [x, rows] = [gaussians(random, n), gaussians(random, 64 * n, 0.5 / Math.sqrt(n))];
        borrowing(kernels, () => {
          const packed = kernels.alloc(call.projectionBytes(n, 64));
          for (let r = 0; r < 64; r++) {
            const row = place(kernels, rows.subarray(r * n, (r + 1) * n));
            call.packProjectionRow(row, n, r, packed);
          }
          const [scratch, out] = [kernels.alloc(n * 2 + 16), kernels.alloc(256)];
          call.projectVector(place(kernels, x), n, packed, 64, scratch, out);
          expectSame(readF32(kernels, out, 64), projectInput(quantiseInput(x), rows), `n = ${n}`);
        });
      }
    });

    test('rotations', () => {
      const random = new Random(7);
      for (const d of [4, 8, 16, 64, 96, 128, 300]) {
        const x = gaussians(random, d);
        const signs = Int8Array.from({ length: 2 * d }, () => 2 * random.below(2) - 1);
        borrowing(kernels, () => {
          const pointer = place(kernels, x);
          const words = Uint32Array.from(signs, (sign) => (sign < 0 ? 0x8000_0000 : 0));
          call.rotate(pointer, place(kernels, words), d);
          const error = Math.sqrt(squaredL2(readF32(kernels, pointer, d), rotate(x, signs)));
          expect(error).toBeLessThan(1e-6 * norm(x));
        });
      }
    });

    test('sorted lists', () => {
      const random = new Random(8);
      for (const k of [1, 5, 64, 200]) {
        const distances = Float32Array.from({ length: 400 }, () => random.below(50) - 25);
        borrowing(kernels, () => {
          const list = kernels.alloc((k + 1) * 8);
          const size = call.topK(place(kernels, distances), 400, 0, k, list, 0);
          const [ids, sorted] = [kernels.alloc(size * 4), kernels.alloc(size * 4)];
          call.readKeys(list, size, ids, sorted);
          const expected = topK(distances, 0, k);
          expectSame(kernels.u32(ids, size), expected.ids, `k = ${k}`);
          expectSame(readF32(kernels, sorted, size), expected.distances, `k = ${k}`);
        });
      }
    });

    test.each([32, 16, 8, 4] as const)('MaxSim of %s-bit tokens', (bits) => {
      const random = new Random(10 + bits);
      for (const d of [1, 16, 33, 100]) {
        const [query, rows] = [gaussians(random, 6 * d), gaussians(random, 5 * d)];
        borrowing(kernels, () => {
          const [records, work] = [
            kernels.alloc(5 * call.tokenBytes(d, bits)),
            kernels.alloc(4096),
          ];
          call.encodeTokens(place(kernels, rows), 5, d, bits, 0, work, records);
          const panels = kernels.alloc(2 * call.panelBytes(d, bits));
          call.packQuery(place(kernels, query), 6, d, bits, 0, work, panels);
          const documents = place(kernels, Uint32Array.of(records, 5, 0, 0));
          const out = kernels.alloc(4);
          call.maxSim(panels, 6, d, bits, documents, 1, work, out);
          const decoded = rowsOf(rows, d).flatMap((row) => [
            ...decodeToken(encodeToken(row, bits), d, bits),
          ]);
          const expected = maxSim(query, Float32Array.from(decoded), d);
          const error = Math.abs(readF32(kernels, out, 1)[0]! - expected);
          expect(error).toBeLessThan(1e-4 * norm(query) * norm(rows));
        });
      }
    });

    test('float32 sums', () => {
      const random = new Random(9);
      for (let n = 1; n <= 200; n += 11) {
        const [x, y] = [gaussians(random, n), gaussians(random, n)];
        borrowing(kernels, () => {
          const value = call.dotF32(place(kernels, x), place(kernels, y), n);
          expect(Math.abs(value - dot(x, y))).toBeLessThanOrEqual(1e-5 * norm(x) * norm(y));
        });
      }
    });
  });
}
