import { expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import * as scalar from '../../src/kernels/scalar/primary.js';
import {
  borrowing,
  describeBinaries,
  expectSame,
  gaussians,
  place,
  Random,
  readF32,
} from './support.js';

type Bits = scalar.PrimaryCodeBits;
const SHAPES: readonly { bytes: number; bits: Bits }[] = [
  { bytes: 64, bits: 2 },
  { bytes: 128, bits: 2 },
  { bytes: 64, bits: 4 },
  { bytes: 192, bits: 4 },
  { bytes: 64, bits: 7 },
  { bytes: 256, bits: 7 },
];

function encode(
  kernels: Kernels,
  z: Float32Array,
  { bytes, bits }: { bytes: number; bits: Bits },
  used: number,
  interval: 'optimised' | 'min-max',
  halfNorm: number,
): Uint8Array {
  return borrowing(kernels, () => {
    const record = kernels.alloc(bytes);
    const code = interval === 'optimised' ? 0 : 1;
    kernels.call.primaryEncode(place(kernels, z), bytes, bits, used, code, halfNorm, record);
    return kernels.u8(record, bytes).slice();
  });
}

/** Coordinates in the first `used` slots of the order, 0 elsewhere. */
function inSlots(coordinates: Float32Array, bytes: number, bits: Bits): Float32Array {
  const z = new Float32Array(scalar.primarySlots(bytes, bits));
  const order = scalar.primarySlotOrder(bytes, bits);
  coordinates.forEach((x, j) => {
    z[order[j]!] = x;
  });
  return z;
}

describeBinaries('primary codes', (kernels) => {
  const { call } = kernels;

  test.each(SHAPES)('$bits bits in $bytes bytes: the order of slots', ({ bytes, bits }) => {
    borrowing(kernels, () => {
      const slots = scalar.primarySlots(bytes, bits);
      const order = scalar.primarySlotOrder(bytes, bits);
      const out = kernels.alloc(slots * 4);
      expect(call.primarySlotOrder(bytes, bits, out)).toBe(order.length);
      expect([...kernels.u32(out, order.length)]).toEqual(order);
    });
  });

  test.each(SHAPES)('$bits bits in $bytes bytes: best step and record are the twin’s', (shape) => {
    const { bytes, bits } = shape;
    const random = new Random(bytes + bits);
    const capacity = scalar.primarySlotOrder(bytes, bits).length;
    for (let round = 0; round < 60; round++) {
      const used = round < 20 ? capacity : 1 + random.below(capacity);
      const size = 10 ** (random.below(7) - 3);
      const z = inSlots(gaussians(random, used, size), bytes, bits);
      const step = borrowing(kernels, () => call.bestStep(place(kernels, z), z.length, used, bits));
      expect(step).toBe(scalar.bestStep(z, used, bits));
      const halfNorm = round % 2 === 0 ? 0 : (size * size * used) / 2;
      for (const interval of ['optimised', 'min-max'] as const) {
        expectSame(
          encode(kernels, z, shape, used, interval, halfNorm),
          scalar.primaryEncode(z, bits, used, interval, halfNorm),
          `${interval}, used = ${used}`,
        );
      }
    }
  });

  test.each(SHAPES)('$bits bits in $bytes bytes: a zero vector', (shape) => {
    const z = new Float32Array(scalar.primarySlots(shape.bytes, shape.bits));
    const record = encode(kernels, z, shape, 10, 'optimised', 0);
    expectSame(record, scalar.primaryEncode(z, shape.bits, 10, 'optimised', 0));
    expect(scalar.primaryConstants(record)).toEqual({ scale: 0, halfNorm: 0 });
    expect(scalar.primaryDecode(record, shape.bits).every((x) => Math.abs(x) === 0)).toBe(true);
  });

  test.each(SHAPES)('$bits bits in $bytes bytes: decoding', (shape) => {
    const z = gaussians(new Random(3), scalar.primarySlots(shape.bytes, shape.bits));
    borrowing(kernels, () => {
      const record = encode(kernels, z, shape, z.length, 'optimised', 1);
      const out = kernels.alloc(z.length * 4);
      call.primaryDecode(place(kernels, record), shape.bytes, shape.bits, out);
      // The slots of the constants decode to noise.
      const decoded = readF32(kernels, out, z.length);
      const expected = scalar.primaryDecode(record, shape.bits);
      for (const slot of scalar.primarySlotOrder(shape.bytes, shape.bits)) {
        expect(decoded[slot]).toBe(expected[slot]);
      }
    });
  });

  test.each(SHAPES)('$bits bits in $bytes bytes: query and score', ({ bytes, bits }) => {
    const random = new Random(4);
    const order = scalar.primarySlotOrder(bytes, bits);
    for (let round = 0; round < 40; round++) {
      const z = inSlots(gaussians(random, order.length), bytes, bits);
      const p = inSlots(gaussians(random, order.length, 10 ** (round % 5)), bytes, bits);
      const record = scalar.primaryEncode(z, bits, order.length, 'optimised', round);
      const expected = scalar.primaryQuery(p, bits);
      borrowing(kernels, () => {
        const codes = kernels.alloc(p.length);
        const constants = kernels.alloc(8);
        call.primaryQuery(place(kernels, p), p.length, bits, codes, constants);
        expectSame(kernels.i8(codes, p.length), expected.codes);
        expectSame(readF32(kernels, constants, 2), [expected.step, expected.offset]);
        const { step, offset } = expected;
        const score = call.primaryScore(codes, place(kernels, record), bytes, bits, step, offset);
        expect(score).toBe(scalar.primaryScore(expected, record, bits));
      });
    }
  });

  test('a query of zeros has codes 0 and scores everything by its half norm', () => {
    borrowing(kernels, () => {
      const codes = kernels.alloc(256);
      const constants = kernels.alloc(8);
      call.primaryQuery(kernels.alloc(1024), 256, 2, codes, constants);
      expect([...readF32(kernels, constants, 2)]).toEqual([1, 0]);
      const z = gaussians(new Random(5), 256);
      const record = place(kernels, scalar.primaryEncode(z, 2, 256, 'optimised', 3));
      expect(call.primaryScore(codes, record, 64, 2, 1, 0)).toBe(3);
    });
  });
});

test('bfloat16: rounds to nearest, ties to even', () => {
  expect(scalar.fromBfloat(scalar.toBfloat(1))).toBe(1);
  expect(scalar.fromBfloat(scalar.toBfloat(1 + 2 ** -9))).toBe(1);
  expect(scalar.fromBfloat(scalar.toBfloat(1 + 2 ** -8))).toBe(1);
  expect(scalar.fromBfloat(scalar.toBfloat(1 + 3 * 2 ** -8))).toBe(1 + 2 ** -6);
  expect(scalar.fromBfloat(scalar.toBfloat(-Math.PI))).toBe(-3.140625);
});
