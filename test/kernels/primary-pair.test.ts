import { expect, test } from 'vitest';
import { borrowing, describeBinaries, gaussians, place, Random, readF32 } from './support.js';

/** The share of ‖ẑ‖² that is ‖z‖² (Max 1960, table II; 7 bits by the same method). */
const SHARES = { 2: 1 - 0.1188, 4: 1 - 0.01154, 7: 1 - 0.000304 } as const;

describeBinaries('distances of primary records', (kernels) => {
  const { call } = kernels;

  for (const bits of [2, 4, 7] as const) {
    test.each([
      4, 8,
    ])(`${bits} bits, %s bytes of constants: those of what the codes stand for`, (constants) => {
      for (let bytes = 32; bytes <= 288; bytes += 32) {
        borrowing(kernels, () => {
          const slots = (bytes * 8) / (bits === 7 ? 8 : bits);
          const order = kernels.alloc(slots * 4);
          const used = call.primarySlotOrder(bytes, bits, constants, order);
          const slotOf = kernels.u32(order, used).slice();
          const random = new Random(bytes + bits);
          const encode = (): { record: number; decoded: Float64Array } => {
            const z = new Float32Array(slots);
            gaussians(random, used).forEach((x, j) => {
              z[slotOf[j]!] = x;
            });
            const record = kernels.alloc(bytes);
            call.primaryEncode(place(kernels, z), bytes, bits, used, 0, constants, 7, record);
            const out = kernels.alloc(slots * 4);
            call.primaryDecode(record, bytes, bits, out);
            const all = readF32(kernels, out, slots);
            return { record, decoded: Float64Array.from(slotOf, (slot) => all[slot]!) };
          };
          const [a, b] = [encode(), encode()];
          const dot = (x: Float64Array, y: Float64Array) =>
            x.reduce((sum, v, i) => sum + v * y[i]!, 0);
          const [aa, bb] = [dot(a.decoded, a.decoded), dot(b.decoded, b.decoded)];
          const ab = dot(a.decoded, b.decoded);
          const pair = (x: number, y: number, ofDirections: number) =>
            call.primaryPairDistance(x, y, bytes, bits, constants, ofDirections);
          const expected = SHARES[bits] * (aa + bb) - 2 * ab;
          const distance = pair(a.record, b.record, 0);
          expect(Math.abs(distance - expected)).toBeLessThan(1e-5 * (aa + bb));
          expect(Math.abs(pair(b.record, a.record, 0) - distance)).toBeLessThan(1e-5 * (aa + bb));
          const turned = pair(a.record, b.record, 1);
          expect(
            Math.abs(turned - (2 - (2 * ab) / (SHARES[bits] * Math.sqrt(aa * bb)))),
          ).toBeLessThan(1e-5);
        });
      }
    });
  }

  test('a record without a direction is at 2 from all others', () => {
    const [zero, other] = [kernels.alloc(64), kernels.alloc(64)];
    const z = kernels.alloc(240 * 4);
    call.primaryEncode(z, 64, 2, 240, 0, 4, 7, zero);
    kernels.f32(z, 240).fill(1);
    call.primaryEncode(z, 64, 2, 240, 0, 4, 7, other);
    expect(call.primaryPairDistance(zero, other, 64, 2, 4, 1)).toBe(2);
  });
});
