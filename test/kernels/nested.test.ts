import { expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import * as scalar from '../../src/kernels/scalar/nested.js';
import { unpackCodes } from '../../src/kernels/scalar/pack.js';
import {
  borrowing,
  describeBinaries,
  expectSame,
  gaussians,
  place,
  Random,
  testBothBinaries,
} from './support.js';

interface Shape {
  primaryBytes: number;
  /** Bytes of the primary's constants. */
  constants: number;
  /** Coordinates in the primary. */
  used: number;
  bits: number[];
}

const SHAPES: readonly Shape[] = [
  { primaryBytes: 64, constants: 4, used: 240, bits: [4, 2, 1] },
  { primaryBytes: 64, constants: 8, used: 224, bits: [4, 4, 2, 1, 1] },
  { primaryBytes: 64, constants: 4, used: 1, bits: [] },
  { primaryBytes: 64, constants: 8, used: 33, bits: [1] },
  { primaryBytes: 128, constants: 4, used: 300, bits: [2] },
  { primaryBytes: 256, constants: 8, used: 992, bits: [4] },
];

interface Vector {
  z: Float32Array;
  primary: Uint8Array;
  record: Uint8Array;
}

/** The slots that hold coordinates. */
function slotOrder(kernels: Kernels, { primaryBytes, constants, used }: Shape): number[] {
  return borrowing(kernels, () => {
    const out = kernels.alloc(primaryBytes * 16);
    kernels.call.primarySlotOrder(primaryBytes, 2, constants, out);
    return [...kernels.u32(out, used)];
  });
}

function maskOf(order: readonly number[], slots: number): Uint8Array {
  const mask = new Uint8Array(slots);
  for (const slot of order) mask[slot] = 255;
  return mask;
}

function codeBytes({ primaryBytes, bits }: Shape): number {
  return 2 * primaryBytes + 16 * bits.reduce((sum, width) => sum + width, 0);
}

/** The structure `Nested` in kernel memory. */
function placeNested(kernels: Kernels, shape: Shape, mask: Uint8Array): number {
  const bits = place(kernels, Uint32Array.from(shape.bits));
  const words = [shape.bits.length, bits, place(kernels, mask), codeBytes(shape)];
  return place(kernels, Uint32Array.from(words));
}

/** Gaussians in the slots of the order and in the blocks, 0 elsewhere. */
function randomVector(random: Random, shape: Shape, order: readonly number[], size: number) {
  const slots = shape.primaryBytes * 4;
  const z = new Float32Array(slots + shape.bits.length * scalar.BLOCK);
  for (const slot of order) z[slot] = size * random.gaussian();
  for (let i = slots; i < z.length; i++) z[i] = size * random.gaussian() * 0.3;
  return z;
}

function encode(
  kernels: Kernels,
  shape: Shape,
  mask: Uint8Array,
  z: Float32Array,
  norm: number,
): Vector {
  const { primaryBytes, constants, used, bits } = shape;
  return borrowing(kernels, () => {
    const primary = kernels.alloc(primaryBytes);
    const byteLength = codeBytes(shape) + 6 + 2 * bits.length;
    const record = kernels.alloc(byteLength);
    kernels.u8(record, byteLength).fill(0xaa);
    const at = place(kernels, z);
    kernels.call.primaryEncode(at, primaryBytes, 2, used, 0, constants, 7, primary);
    const nested = placeNested(kernels, shape, mask);
    expect(kernels.call.nestedEncode(nested, at, primary, primaryBytes, norm, record)).toBe(1);
    return {
      z,
      primary: kernels.u8(primary, primaryBytes).slice(),
      record: kernels.u8(record, byteLength).slice(),
    };
  });
}

/** The blocks of the twin. */
function twin({ z, primary }: Vector, shape: Shape, mask: Uint8Array): scalar.CodedBlock[] {
  const slots = shape.primaryBytes * 4;
  const cells = unpackCodes(primary, slots, 2);
  return [
    scalar.encodeCells(z.subarray(0, slots), cells, (slot) => mask[slot] !== 0),
    ...shape.bits.map((width, b) => {
      const from = slots + b * scalar.BLOCK;
      return scalar.encodeBlock(z.subarray(from, from + scalar.BLOCK), width);
    }),
  ];
}

/** A query as searches have it: zero where no coordinate is, of length 32,767 at the most. */
function randomQuery(random: Random, z: Float32Array, mask: Uint8Array): Int16Array {
  const floats = gaussians(random, z.length).map((x, i) => (mask[i] === 0 ? 0 : x));
  const length = Math.sqrt(floats.reduce((squares, x) => squares + x * x, 0));
  return Int16Array.from(floats, (x) => Math.round((x / length) * 32_766));
}

/** What the kernel makes of a query and a vector. */
function kernelDot(kernels: Kernels, shape: Shape, mask: Uint8Array, q: Int16Array, v: Vector) {
  return borrowing(kernels, () => {
    const query = place(kernels, new Uint8Array(q.buffer));
    const [primary, record] = [place(kernels, v.primary), place(kernels, v.record)];
    const nested = placeNested(kernels, shape, mask);
    return kernels.call.nestedDot(nested, query, primary, shape.primaryBytes, record);
  });
}

describeBinaries('nested secondary codes', (kernels) => {
  test.each(
    SHAPES,
  )('$used in $primaryBytes bytes, then $bits: record and dot are the twin’s', (shape) => {
    const random = new Random(shape.used);
    const order = slotOrder(kernels, shape);
    const mask = maskOf(order, shape.primaryBytes * 4);
    for (let round = 0; round < 30; round++) {
      const z = randomVector(random, shape, order, 10 ** (random.below(9) - 4));
      const vector = encode(kernels, shape, mask, z, round);
      const blocks = twin(vector, shape, mask);
      expectSame(vector.record, scalar.nestedRecord(blocks, shape.bits, round));
      const q = randomQuery(random, z, mask);
      const dot = kernelDot(kernels, shape, mask, q, vector);
      expect(dot).toBe(scalar.nestedDot(q, blocks));
    }
  });

  test.each(SHAPES)('$used in $primaryBytes bytes: dots of two vectors', (shape) => {
    const random = new Random(7);
    const order = slotOrder(kernels, shape);
    const mask = maskOf(order, shape.primaryBytes * 4);
    for (let round = 0; round < 10; round++) {
      const [a, b] = [0, 1].map(() =>
        encode(kernels, shape, mask, randomVector(random, shape, order, 1), 0),
      ) as [Vector, Vector];
      const [la, lb] = [a, b].map((v) => twin(v, shape, mask)[0]!.levels) as [Int8Array, Int8Array];
      borrowing(kernels, () => {
        const [pa, ra] = [place(kernels, a.primary), place(kernels, a.record)];
        const [pb, rb] = [place(kernels, b.primary), place(kernels, b.record)];
        const at = place(kernels, mask);
        const dot = kernels.call.dotCellPair(pa, ra, pb, rb, shape.primaryBytes, at);
        expect(dot).toBe(la.reduce((sum, level, i) => sum + level * lb[i]!, 0));
      });
    }
  });

  test('zeros: scales 0, so that every product is 0', () => {
    const shape = SHAPES[0]!;
    const order = slotOrder(kernels, shape);
    const mask = maskOf(order, 256);
    const vector = encode(kernels, shape, mask, new Float32Array(640), 0);
    expectSame(vector.record, scalar.nestedRecord(twin(vector, shape, mask), shape.bits, 0));
    const q = randomQuery(new Random(1), new Float32Array(640), mask);
    expect(kernelDot(kernels, shape, mask, q, vector)).toBe(0);
  });

  test('products are unbiased, and err as the docs say', () => {
    const shape = SHAPES[0]!;
    const order = slotOrder(kernels, shape);
    const mask = maskOf(order, 256);
    const random = new Random(2);
    const lost = [0, 0, 0, 0];
    const rounds = 200;
    for (let round = 0; round < rounds; round++) {
      const z = randomVector(random, shape, order, 1);
      const blocks = twin(encode(kernels, shape, mask, z, 0), shape, mask);
      let from = 0;
      blocks.forEach(({ levels, scale }, b) => {
        const part = z.subarray(from, from + levels.length);
        const own = part.reduce((sum, x) => sum + x * x, 0);
        const product = part.reduce((sum, x, i) => sum + x * scale * levels[i]!, 0);
        expect(product / own).toBeCloseTo(1, 5);
        const error = part.reduce((sum, x, i) => sum + (x - scale * levels[i]!) ** 2, 0);
        lost[b]! += error / own / rounds;
        from += levels.length;
      });
    }
    // Block 0: 2 and 4 bits. The others: a gaussian's best uniform grids of 4, 2 and 1 bits, with
    // the scale 1 / (1 − D) that makes them unbiased, so D / (1 − D) instead of D.
    const bounds = [0.0007, 0.0118, 0.137, 0.58];
    lost.forEach((share, b) => {
      expect(share).toBeLessThan(bounds[b]!);
      expect(share).toBeGreaterThan(bounds[b]! * 0.8);
    });
  });
});

testBothBinaries('both binaries write the same nested records', (simd, relaxed) => {
  const shape = SHAPES[0]!;
  const order = slotOrder(simd, shape);
  const mask = maskOf(order, 256);
  const random = new Random(3);
  for (let round = 0; round < 50; round++) {
    const z = randomVector(random, shape, order, 1);
    const [a, b] = [simd, relaxed].map((kernels) => encode(kernels, shape, mask, z, 1));
    expectSame(a!.record, b!.record);
    const q = randomQuery(random, z, mask);
    expect(kernelDot(simd, shape, mask, q, a!)).toBe(kernelDot(relaxed, shape, mask, q, b!));
  }
});

/** Levels of Lloyd and Max for a gaussian above `from`, by their fixed point (Max 1960). */
function gaussianLevelsAbove(from: number, count: number): number[] {
  const steps = 40_000;
  const width = (8 - from) / steps;
  // Σ of density and moment up to the end of each step; between these they are interpolated.
  const mass = new Float64Array(steps + 1);
  const moment = new Float64Array(steps + 1);
  for (let i = 0; i < steps; i++) {
    const x = from + (i + 0.5) * width;
    mass[i + 1] = mass[i]! + Math.exp((-x * x) / 2);
    moment[i + 1] = moment[i]! + x * Math.exp((-x * x) / 2);
  }
  const upTo = (sums: Float64Array, x: number) => {
    const at = Math.min(steps - 1e-9, (x - from) / width);
    const i = Math.floor(at);
    return sums[i]! + (at - i) * (sums[i + 1]! - sums[i]!);
  };
  let levels = Array.from({ length: count }, (_, i) => from + ((i + 0.5) * (5 - from)) / count);
  for (let change = 1; change > 1e-9; ) {
    const ends = [from, ...levels.slice(1).map((x, i) => (x + levels[i]!) / 2), 8];
    const share = (sums: Float64Array, i: number) =>
      upTo(sums, ends[i + 1]!) - upTo(sums, ends[i]!);
    const next = levels.map((_, i) => share(moment, i) / share(mass, i));
    change = Math.max(...next.map((x, i) => Math.abs(x - levels[i]!)));
    levels = next;
  }
  return levels;
}

test('the outer levels are those of Lloyd and Max, to the nearest 1/32 of the step', () => {
  const step = 0.9957;
  const levels = gaussianLevelsAbove(step, 16).map((x) => (x / step) * 32);
  levels.forEach((level, i) => {
    expect(Math.abs(level - scalar.OUTER_LEVELS[i]!)).toBeLessThan(0.51);
  });
});
