import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Distance } from '../../src/base/distance.js';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';
import { dot, norm, squaredL2 } from '../../src/kernels/scalar/float.js';
import { codePosition, unpackCodes } from '../../src/kernels/scalar/pack.js';
import { primaryHalfNorm, primaryScale } from '../../src/kernels/scalar/primary.js';
import {
  gaussianDistortion,
  LINE_BYTES,
  PRIMARY_CODE_BITS,
  type PrimaryCodeBits,
  primaryBytes,
  primaryCapacity,
  primaryConstants,
  primarySlots,
} from '../../src/quant/layout.js';
import { borrowing, gaussians, place, readF32 } from '../kernels/support.js';

/** What summing the squares of up to 256 numbers in float32 may cost, relative to the sum. */
const SUM_EPSILON = 2e-5;
const kernels = new Kernels();
const { call } = kernels;

type Interval = 'optimised' | 'min-max';

/** Width, and whether records hold a half norm (Euclid) or coordinates in its place. */
const CODECS = PRIMARY_CODE_BITS.flatMap((bits) =>
  (['Dot', 'Euclid'] as const).map((distance): Codec => ({ bits, distance })),
);

interface Codec {
  bits: PrimaryCodeBits;
  distance: Distance;
}

function slotOrder(bytes: number, { bits, distance }: Codec): Uint32Array {
  return borrowing(kernels, () => {
    const out = kernels.alloc(primarySlots(bytes, bits) * 4);
    const count = call.primarySlotOrder(bytes, bits, primaryConstants(distance), out);
    return kernels.u32(out, count).slice();
  });
}

/** The coordinates in slot order, zero where there is none. */
function inSlots(coordinates: Float32Array, bytes: number, codec: Codec): Float32Array {
  const slots = new Float32Array(primarySlots(bytes, codec.bits));
  const order = slotOrder(bytes, codec);
  coordinates.forEach((x, j) => {
    slots[order[j]!] = x;
  });
  return slots;
}

interface Coded {
  record: Uint8Array;
  /** ẑ of the coordinates, in their order. */
  decoded: Float32Array;
  /** Their levels: code − (2^bits − 1) / 2. */
  levels: Float64Array;
}

function code(
  z: Float32Array,
  bytes: number,
  codec: Codec,
  interval: Interval,
  halfNorm = 0,
): Coded {
  const { bits, distance } = codec;
  const slots = primarySlots(bytes, bits);
  return borrowing(kernels, () => {
    const source = place(kernels, inSlots(z, bytes, codec));
    const pointer = kernels.alloc(bytes);
    const out = kernels.alloc(slots * 4);
    const kind = interval === 'optimised' ? 0 : 1;
    const constants = primaryConstants(distance);
    call.primaryEncode(source, bytes, bits, z.length, kind, constants, halfNorm, pointer);
    call.primaryDecode(pointer, bytes, bits, out);
    const record = kernels.u8(pointer, bytes).slice();
    const all = readF32(kernels, out, slots);
    const codes = unpackCodes(record, slots, bits);
    const order = slotOrder(bytes, codec).subarray(0, z.length);
    return {
      record,
      decoded: Float32Array.from(order, (slot) => all[slot]!),
      levels: Float64Array.from(order, (slot) => codes[slot]! - (2 ** bits - 1) / 2),
    };
  });
}

/** ‖z − s l‖² / ‖z‖² with the scale s that makes it smallest. */
function fittedError(z: Float32Array, levels: Float64Array): number {
  return 1 - dot(z, levels) ** 2 / (dot(levels, levels) * dot(z, z));
}

/** Traversal distance of a query to a record, and the query as its signed bytes have it. */
function score(query: Float32Array, record: Uint8Array, codec: Codec) {
  const { bits, distance } = codec;
  const bytes = record.length;
  return borrowing(kernels, () => {
    const slots = primarySlots(bytes, bits);
    const codes = kernels.alloc(slots);
    const constants = kernels.alloc(8);
    call.primaryQuery(place(kernels, inSlots(query, bytes, codec)), slots, bits, codes, constants);
    const group = place(kernels, new Uint32Array(4).fill(place(kernels, record)));
    const out = kernels.alloc(16);
    const kernel = { 2: call.scoreRecords2, 4: call.scoreRecords4, 7: call.scoreRecords7 }[bits];
    kernel(codes, constants, distance === 'Euclid' ? 1 : 0, group, 1, bytes, out);
    const step = readF32(kernels, constants, 1)[0]!;
    const order = slotOrder(bytes, codec).subarray(0, query.length);
    const quantised = kernels.i8(codes, slots);
    return {
      distance: readF32(kernels, out, 1)[0]!,
      rounded: Float64Array.from(order, (slot) => step * quantised[slot]!),
    };
  });
}

/** Vectors with the outliers, few values and sizes that random ones rarely have. */
function vectorsFor({ bits, distance }: Codec): fc.Arbitrary<Float32Array> {
  const capacity = primaryCapacity(1, bits, distance);
  const gaussian = fc
    .record({
      n: fc.integer({ min: 1, max: capacity }),
      seed: fc.integer({ min: 0, max: 2 ** 31 }),
      exponent: fc.integer({ min: -6, max: 6 }),
      outlier: fc.integer({ min: 1, max: 30 }),
    })
    .map(({ n, seed, exponent, outlier }) => {
      const z = gaussians(new Random(seed), n, 10 ** exponent);
      z[0]! *= outlier;
      return z;
    });
  const integers = fc
    .array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: capacity })
    .map((values) => Float32Array.from(values));
  return fc.oneof(gaussian, integers);
}

describe.each(CODECS)('primary codes of $bits bits, $distance', (codec) => {
  const { bits, distance } = codec;
  const hasNorm = distance === 'Euclid';

  test('the optimised interval never errs more than symmetric min–max', () => {
    fc.assert(
      fc.property(vectorsFor(codec), (z) => {
        if (norm(z) === 0) return;
        const [best, plain] = (['optimised', 'min-max'] as const).map((interval) =>
          fittedError(z, code(z, LINE_BYTES, codec, interval).levels),
        );
        expect(best).toBeLessThanOrEqual(plain! + 1e-6);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('the scale is unbiased: <z, ẑ> = <z, z>', () => {
    fc.assert(
      fc.property(vectorsFor(codec), (z) => {
        for (const interval of ['optimised', 'min-max'] as const) {
          const { decoded } = code(z, LINE_BYTES, codec, interval);
          const energy = dot(z, z);
          expect(Math.abs(dot(z, decoded) - energy)).toBeLessThanOrEqual(energy * SUM_EPSILON);
        }
      }),
      { numRuns: 200, seed: 2 },
    );
  });

  test('coordinates take the slots in order, but those of the constants', () => {
    for (const bytes of [64, 128, 192]) {
      const order = slotOrder(bytes, codec);
      const free = Array.from({ length: primarySlots(bytes, bits) }, (_, slot) => slot).filter(
        (slot) => codePosition(slot, bits).byte < bytes - (hasNorm ? 8 : 4),
      );
      expect([...order]).toEqual(free);
      expect(order.length).toBe(primaryCapacity(bytes / LINE_BYTES, bits, distance));
    }
  });

  test('the constants survive beside the codes, as float32', () => {
    const random = new Random(3);
    const capacity = primaryCapacity(2, bits, distance);
    for (const halfNorm of [0, 1e-10, 0.5, 123.456, 1e20]) {
      const z = gaussians(random, capacity);
      const { record, levels } = code(z, 128, codec, 'optimised', halfNorm);
      if (hasNorm) expect(primaryHalfNorm(record)).toBe(Math.fround(halfNorm));
      const scale = dot(z, z) / dot(z, levels);
      expect(Math.abs(primaryScale(record) / scale - 1)).toBeLessThan(SUM_EPSILON);
    }
  });

  test('the constants of a full record leave the codes of its last coordinates alone', () => {
    const top = (2 ** bits - 1) / 2;
    for (const lines of [1, 2, 4]) {
      const capacity = primaryCapacity(lines, bits, distance);
      for (const sign of [1, -1]) {
        const z = new Float32Array(capacity).fill(sign, capacity - 20);
        const { levels } = code(z, lines * LINE_BYTES, codec, 'min-max', 3.75);
        expect([...levels.subarray(capacity - 20)]).toEqual(new Array(20).fill(sign * top));
      }
    }
  });

  test('empty slots do not matter: a longer record codes a vector alike', () => {
    const random = new Random(4);
    for (let n = 1; n <= primaryCapacity(1, bits, distance); n += 7) {
      const z = gaussians(random, n);
      const query = gaussians(random, n);
      const [short, long] = [64, 192].map((bytes) => code(z, bytes, codec, 'optimised', 2));
      expect([...long!.levels]).toEqual([...short!.levels]);
      expect(primaryScale(long!.record)).toBe(primaryScale(short!.record));
      expect(score(query, long!.record, codec).distance).toBe(
        score(query, short!.record, codec).distance,
      );
    }
  });

  test('what the codes of empty slots are does not matter to a distance', () => {
    const random = new Random(5);
    const n = 20;
    const [z, query] = [gaussians(random, n), gaussians(random, n)];
    const { record } = code(z, 64, codec, 'optimised');
    const taken = new Set(slotOrder(64, codec).subarray(0, n));
    const before = score(query, record, codec).distance;
    for (const slot of slotOrder(64, codec)) {
      const { byte, shift } = codePosition(slot, bits);
      if (!taken.has(slot)) record[byte]! ^= (2 ** bits - 1) << shift;
    }
    expect(score(query, record, codec).distance).toBe(before);
  });

  test('the traversal distance is half norm − <q̃, ẑ>, q̃ the query as signed bytes', () => {
    const random = new Random(6);
    for (const [bytes, halfNorm] of [
      [64, 0],
      [64, 7.5],
      [256, 0],
      [256, 40],
    ] as const) {
      const n = primaryCapacity(bytes / LINE_BYTES, bits, distance);
      for (let round = 0; round < 20; round++) {
        const [z, query] = [gaussians(random, n), gaussians(random, n, 3)];
        const { record, decoded } = code(z, bytes, codec, 'optimised', halfNorm);
        const scored = score(query, record, codec);
        const expected = (hasNorm ? halfNorm : 0) - dot(scored.rounded, decoded);
        expect(Math.abs(scored.distance - expected)).toBeLessThan(
          1e-5 * norm(scored.rounded) * norm(decoded),
        );
        const largest = query.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        scored.rounded.forEach((x, j) => {
          expect(Math.abs(x - query[j]!)).toBeLessThanOrEqual((largest / 254) * 1.0001);
        });
      }
    }
  });

  test('gaussian coordinates are distorted as much as theory says', () => {
    const random = new Random(7);
    const bytes = 4096;
    const n = primaryCapacity(bytes / LINE_BYTES, bits, distance);
    let total = 0;
    for (let r = 0; r < 20; r++) {
      const z = gaussians(random, n);
      total += fittedError(z, code(z, bytes, codec, 'optimised').levels);
    }
    // Below 1 where the interval ends at the largest of n numbers, a little above where three
    // rounds stop short of the best step.
    const ratio = total / 20 / gaussianDistortion(bits);
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(1.04);
  });
});

test('the error that the unbiased scale adds is the distortion over one less it', () => {
  const random = new Random(8);
  const z = gaussians(random, 240);
  const { decoded, levels } = code(z, 64, { bits: 2, distance: 'Dot' }, 'optimised');
  const fitted = fittedError(z, levels);
  expect(squaredL2(z, decoded) / dot(z, z)).toBeCloseTo(fitted / (1 - fitted), 3);
});

describe('the layout’s arithmetic', () => {
  test.each(['Cosine', 'Dot'] as const)('%s: a record gives up four bytes', (distance) => {
    expect(primaryConstants(distance)).toBe(4);
    expect(PRIMARY_CODE_BITS.map((bits) => primaryCapacity(1, bits, distance))).toEqual([
      240, 120, 60,
    ]);
    expect(PRIMARY_CODE_BITS.map((bits) => primaryBytes(240, bits, distance))).toEqual([
      64, 128, 256,
    ]);
    expect(primaryBytes(241, 2, distance)).toBe(128);
  });

  test('Euclid: eight, as it needs the half norm too', () => {
    expect(primaryConstants('Euclid')).toBe(8);
    expect(PRIMARY_CODE_BITS.map((bits) => primaryCapacity(1, bits, 'Euclid'))).toEqual([
      224, 112, 56,
    ]);
    expect(PRIMARY_CODE_BITS.map((bits) => primaryBytes(224, bits, 'Euclid'))).toEqual([
      64, 128, 256,
    ]);
    expect(primaryBytes(225, 2, 'Euclid')).toBe(128);
  });

  test('slots', () => {
    expect(PRIMARY_CODE_BITS.map((bits) => primarySlots(64, bits))).toEqual([256, 128, 64]);
  });

  test.each(CODECS)('$bits bits, $distance: bytes and capacity are inverse', (codec) => {
    const { bits, distance } = codec;
    for (let lines = 1; lines <= 20; lines++) {
      const capacity = primaryCapacity(lines, bits, distance);
      expect(primaryBytes(capacity, bits, distance)).toBe(lines * LINE_BYTES);
      expect(primaryBytes(capacity + 1, bits, distance)).toBe((lines + 1) * LINE_BYTES);
    }
  });
});
