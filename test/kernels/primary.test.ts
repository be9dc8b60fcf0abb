import { describe, expect, test } from 'vitest';
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

interface Shape {
  bytes: number;
  bits: scalar.PrimaryCodeBits;
  constants: scalar.ConstantBytes;
}

const SHAPES: readonly Shape[] = [
  { bytes: 64, bits: 2, constants: 4 },
  { bytes: 128, bits: 2, constants: 8 },
  { bytes: 64, bits: 4, constants: 8 },
  { bytes: 192, bits: 4, constants: 4 },
  { bytes: 64, bits: 7, constants: 4 },
  { bytes: 256, bits: 7, constants: 8 },
];
const NAME = '$bits bits in $bytes bytes, $constants of constants:';

/** A half norm where the records have one. */
function normOf({ constants }: Shape, halfNorm: number): number | undefined {
  return constants === 8 ? halfNorm : undefined;
}

function encode(
  kernels: Kernels,
  z: Float32Array,
  { bytes, bits, constants }: Shape,
  used: number,
  interval: 'optimised' | 'min-max',
  halfNorm: number,
): Uint8Array {
  return borrowing(kernels, () => {
    const record = kernels.alloc(bytes + 64);
    kernels.u8(record + bytes, 64).fill(0xaa);
    const kind = interval === 'optimised' ? 0 : 1;
    const source = place(kernels, z);
    kernels.call.primaryEncode(source, bytes, bits, used, kind, constants, halfNorm, record);
    expect(kernels.u8(record + bytes, 64).every((byte) => byte === 0xaa)).toBe(true);
    return kernels.u8(record, bytes).slice();
  });
}

/** Coordinates in the first `used` slots of the order, 0 elsewhere. */
function inSlots(coordinates: Float32Array, { bytes, bits, constants }: Shape): Float32Array {
  const z = new Float32Array(scalar.primarySlots(bytes, bits));
  const order = scalar.primarySlotOrder(bytes, bits, constants);
  coordinates.forEach((x, j) => {
    z[order[j]!] = x;
  });
  return z;
}

function capacity({ bytes, bits, constants }: Shape): number {
  return scalar.primarySlotOrder(bytes, bits, constants).length;
}

describeBinaries('primary codes', (kernels) => {
  const { call } = kernels;

  test.each([2, 4, 7] as const)('%s bits: the order of slots, 64 … 1024 bytes', (bits) => {
    for (const constants of [4, 8] as const) {
      for (let bytes = 64; bytes <= 1024; bytes += 64) {
        borrowing(kernels, () => {
          const order = scalar.primarySlotOrder(bytes, bits, constants);
          const out = kernels.alloc(scalar.primarySlots(bytes, bits) * 4);
          expect(call.primarySlotOrder(bytes, bits, constants, out)).toBe(order.length);
          expectSame(kernels.u32(out, order.length), order, `${bytes} bytes`);
        });
      }
    }
  });

  test.each(SHAPES)(`${NAME} best step and record are the twin’s`, (shape) => {
    const { bytes, bits } = shape;
    const random = new Random(bytes + bits);
    const most = capacity(shape);
    for (let round = 0; round < 60; round++) {
      const used = round < 20 ? most : 1 + random.below(most);
      const size = 10 ** (random.below(7) - 3);
      const z = inSlots(gaussians(random, used, size), shape);
      const step = borrowing(kernels, () => call.bestStep(place(kernels, z), z.length, used, bits));
      expect(step).toBe(scalar.bestStep(z, used, bits));
      const halfNorm = round % 2 === 0 ? 0 : (size * size * used) / 2;
      for (const interval of ['optimised', 'min-max'] as const) {
        expectSame(
          encode(kernels, z, shape, used, interval, halfNorm),
          scalar.primaryEncode(z, bits, used, interval, normOf(shape, halfNorm)),
          `${interval}, used = ${used}`,
        );
      }
    }
  });

  test.each(SHAPES)(`${NAME} every number of cache lines up to 16`, (shape) => {
    const random = new Random(shape.bits);
    for (let bytes = 64; bytes <= 1024; bytes += 64) {
      const longer = { ...shape, bytes };
      const used = capacity(longer);
      const z = inSlots(gaussians(random, used), longer);
      expectSame(
        encode(kernels, z, longer, used, 'optimised', 0.1),
        scalar.primaryEncode(z, shape.bits, used, 'optimised', normOf(shape, 0.1)),
        `${bytes} bytes`,
      );
    }
  });

  test.each(SHAPES)(`${NAME} a zero vector`, (shape) => {
    const z = new Float32Array(scalar.primarySlots(shape.bytes, shape.bits));
    const record = encode(kernels, z, shape, 10, 'optimised', 0);
    expectSame(record, scalar.primaryEncode(z, shape.bits, 10, 'optimised', normOf(shape, 0)));
    expect(scalar.primaryScale(record)).toBe(0);
    expect(scalar.primaryDecode(record, shape.bits).every((x) => Math.abs(x) === 0)).toBe(true);
  });

  test.each(SHAPES)(`${NAME} extreme vectors`, (shape) => {
    const { bits } = shape;
    const used = capacity(shape);
    const extremes: readonly ((i: number) => number)[] = [
      (i) => (i === 0 ? 5 : 0),
      (i) => (i === used - 1 ? -5 : 0),
      () => 1,
      () => -1,
      (i) => (i % 2 === 0 ? 1e6 : -1e6),
      (i) => (i === 1 ? 1e8 : 1e-8),
      () => 1e-15,
    ];
    for (const value of extremes) {
      const z = inSlots(
        Float32Array.from({ length: used }, (_, i) => value(i)),
        shape,
      );
      const record = encode(kernels, z, shape, used, 'optimised', 1);
      expectSame(record, scalar.primaryEncode(z, bits, used, 'optimised', normOf(shape, 1)));
      expect(scalar.primaryScale(record)).toBeGreaterThan(0);
    }
  });

  test.each(SHAPES)(`${NAME} numbers too small to square decode to numbers as small`, (shape) => {
    const used = capacity(shape);
    for (const size of [1e-20, 1e-30, 1e-37, 1e-40, 2 ** -149]) {
      const z = inSlots(new Float32Array(used).fill(size), shape);
      const record = encode(kernels, z, shape, used, 'optimised', 0);
      const decoded = scalar.primaryDecode(record, shape.bits);
      for (const slot of scalar.primarySlotOrder(shape.bytes, shape.bits, shape.constants)) {
        expect(Math.abs(decoded[slot]!)).toBeLessThanOrEqual(4 * size);
      }
    }
  });

  test.each(SHAPES)(`${NAME} decoding`, (shape) => {
    const { bytes, bits, constants } = shape;
    const used = capacity(shape);
    const z = inSlots(gaussians(new Random(3), used), shape);
    borrowing(kernels, () => {
      const record = encode(kernels, z, shape, used, 'optimised', 1);
      const out = kernels.alloc(z.length * 4);
      call.primaryDecode(place(kernels, record), bytes, bits, out);
      // The slots of the constants decode to noise.
      const decoded = readF32(kernels, out, z.length);
      const expected = scalar.primaryDecode(record, bits);
      for (const slot of scalar.primarySlotOrder(bytes, bits, constants)) {
        expect(decoded[slot]).toBe(expected[slot]);
      }
    });
  });
});

describeBinaries('queries of primary codes', (kernels) => {
  function quantise(p: Float32Array, bits: scalar.PrimaryCodeBits): scalar.PrimaryQuery {
    return borrowing(kernels, () => {
      const codes = kernels.alloc(p.length);
      const constants = kernels.alloc(8);
      kernels.call.primaryQuery(place(kernels, p), p.length, bits, codes, constants);
      const [step, offset] = readF32(kernels, constants, 2);
      return { codes: kernels.i8(codes, p.length).slice(), step: step!, offset: offset! };
    });
  }

  function expectTwin(p: Float32Array, bits: scalar.PrimaryCodeBits): void {
    const { codes, step, offset } = quantise(p, bits);
    const expected = scalar.primaryQuery(p, bits);
    expectSame(codes, expected.codes, `codes of ${p.length} slots`);
    expectSame([step, offset], [expected.step, expected.offset], `${p.length} slots`);
  }

  describe.each([2, 4, 7] as const)('%s bits', (bits) => {
    test('codes, step and offset are the twin’s for records of 64 … 1024 bytes', () => {
      const random = new Random(bits);
      for (let bytes = 64; bytes <= 1024; bytes += 64) {
        const slots = scalar.primarySlots(bytes, bits);
        expectTwin(gaussians(random, slots, 10 ** (bytes / 64 - 8)), bits);
      }
    });

    test('the largest number, wherever it is, becomes 127 or −127', () => {
      for (let at = 0; at < 64; at++) {
        const p = gaussians(new Random(at), 64);
        p[at] = at % 2 === 0 ? 9 : -9;
        expect(quantise(p, bits).codes[at]).toBe(at % 2 === 0 ? 127 : -127);
        expectTwin(p, bits);
      }
    });

    test('all largest: the offset is exact', () => {
      const slots = scalar.primarySlots(1024, bits);
      for (const sign of [1, -1]) {
        const { codes, offset } = quantise(new Float32Array(slots).fill(sign * 0.7), bits);
        expect(codes.every((c) => c === sign * 127)).toBe(true);
        expect(offset).toBe((sign * slots * 127 * (2 ** bits - 1)) / 2);
      }
    });

    test('ties round to even', () => {
      const p = new Float32Array(64);
      p.set([127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5]);
      expect([...quantise(p, bits).codes.subarray(0, 7)]).toEqual([127, 0, 2, 2, 0, -2, -2]);
    });

    test('zeros have codes 0', () => {
      const { codes, step, offset } = quantise(new Float32Array(256), bits);
      expect(codes.every((c) => c === 0)).toBe(true);
      expect([step, offset]).toEqual([1, 0]);
    });
  });
});
