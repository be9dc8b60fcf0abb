import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { Kernels } from '../../src/kernels/index.js';
import { dot, norm, squaredL2 } from '../../src/kernels/scalar/float.js';
import { codePosition, unpackCodes } from '../../src/kernels/scalar/pack.js';
import { primaryConstants } from '../../src/kernels/scalar/primary.js';
import {
  gaussianDistortion,
  LINE_BYTES,
  PRIMARY_BITS,
  type PrimaryBits,
  primaryBytes,
  primaryCapacity,
  primarySlots,
} from '../../src/quant/layout.js';
import { borrowing, gaussians, place, readF32 } from '../kernels/support.js';

/** What rounding to bfloat16, which has 8 significant bits, may cost relative to the number. */
const BFLOAT_EPSILON = 2 ** -8;
const kernels = new Kernels();
const { call } = kernels;

type Interval = 'optimised' | 'min-max';

function slotOrder(bytes: number, bits: PrimaryBits): Uint32Array {
  return borrowing(kernels, () => {
    const out = kernels.alloc(primarySlots(bytes, bits) * 4);
    return kernels.u32(out, call.primarySlotOrder(bytes, bits, out)).slice();
  });
}

/** The coordinates in slot order, zero where there is none. */
function inSlots(coordinates: Float32Array, bytes: number, bits: PrimaryBits): Float32Array {
  const slots = new Float32Array(primarySlots(bytes, bits));
  const order = slotOrder(bytes, bits);
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

function code(z: Float32Array, bytes: number, bits: PrimaryBits, interval: Interval, halfNorm = 0) {
  return borrowing(kernels, (): Coded => {
    const source = place(kernels, inSlots(z, bytes, bits));
    const pointer = kernels.alloc(bytes);
    const out = kernels.alloc(primarySlots(bytes, bits) * 4);
    const kind = interval === 'optimised' ? 0 : 1;
    call.primaryEncode(source, bytes, bits, z.length, kind, halfNorm, pointer);
    call.primaryDecode(pointer, bytes, bits, out);
    const record = kernels.u8(pointer, bytes).slice();
    const all = readF32(kernels, out, primarySlots(bytes, bits));
    const codes = unpackCodes(record, all.length, bits);
    const order = slotOrder(bytes, bits).subarray(0, z.length);
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

/** Traversal distance of a query to a record. */
function score(query: Float32Array, record: Uint8Array, bits: PrimaryBits) {
  return borrowing(kernels, () => {
    const slots = primarySlots(record.length, bits);
    const codes = kernels.alloc(slots);
    const constants = kernels.alloc(8);
    const source = place(kernels, inSlots(query, record.length, bits));
    call.primaryQuery(source, slots, bits, codes, constants);
    const [step, offset] = readF32(kernels, constants, 2);
    const pointer = place(kernels, record);
    const distance = call.primaryScore(codes, pointer, record.length, bits, step!, offset!);
    const order = slotOrder(record.length, bits).subarray(0, query.length);
    const bytes = kernels.i8(codes, slots);
    return { distance, rounded: Float64Array.from(order, (slot) => step! * bytes[slot]!) };
  });
}

/** Vectors with the outliers, few values and sizes that random ones rarely have. */
function vectorsFor(bits: PrimaryBits): fc.Arbitrary<Float32Array> {
  const capacity = primaryCapacity(1, bits);
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

describe.each(PRIMARY_BITS)('primary codes of %s bits', (bits) => {
  test('the optimised interval never errs more than symmetric min–max', () => {
    fc.assert(
      fc.property(vectorsFor(bits), (z) => {
        if (norm(z) === 0) return;
        const [best, plain] = (['optimised', 'min-max'] as const).map((interval) =>
          fittedError(z, code(z, LINE_BYTES, bits, interval).levels),
        );
        expect(best).toBeLessThanOrEqual(plain! + 1e-6);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test('the scale is unbiased: <z, ẑ> = <z, z> as far as bfloat16 goes', () => {
    fc.assert(
      fc.property(vectorsFor(bits), (z) => {
        for (const interval of ['optimised', 'min-max'] as const) {
          const { decoded } = code(z, LINE_BYTES, bits, interval);
          const energy = dot(z, z);
          expect(Math.abs(dot(z, decoded) - energy)).toBeLessThanOrEqual(
            energy * BFLOAT_EPSILON * 1.01,
          );
        }
      }),
      { numRuns: 300, seed: 2 },
    );
  });

  test('coordinates take the slots in order, but those of the constants', () => {
    for (const bytes of [64, 128, 192]) {
      const order = slotOrder(bytes, bits);
      const free = Array.from({ length: primarySlots(bytes, bits) }, (_, slot) => slot).filter(
        (slot) => codePosition(slot, bits).byte < bytes - 4,
      );
      expect([...order]).toEqual(free);
      expect(order.length).toBe(primaryCapacity(bytes / LINE_BYTES, bits));
    }
  });

  test('the constants survive beside the codes', () => {
    const random = new Random(3);
    const capacity = primaryCapacity(2, bits);
    for (const halfNorm of [0, 1e-10, 0.5, 123.456, 1e20]) {
      const z = gaussians(random, capacity);
      const { record, levels } = code(z, 128, bits, 'optimised', halfNorm);
      const constants = primaryConstants(record);
      expect(Math.abs(constants.halfNorm - halfNorm)).toBeLessThanOrEqual(
        halfNorm * BFLOAT_EPSILON,
      );
      const scale = dot(z, z) / dot(z, levels);
      expect(Math.abs(constants.scale / scale - 1)).toBeLessThan(BFLOAT_EPSILON);
    }
  });

  test('empty slots do not matter: a longer record codes a vector alike', () => {
    const random = new Random(4);
    for (let n = 1; n <= primaryCapacity(1, bits); n += 7) {
      const z = gaussians(random, n);
      const query = gaussians(random, n);
      const [short, long] = [64, 192].map((bytes) => code(z, bytes, bits, 'optimised', 2));
      expect([...long!.levels]).toEqual([...short!.levels]);
      expect(primaryConstants(long!.record)).toEqual(primaryConstants(short!.record));
      expect(score(query, long!.record, bits).distance).toBe(
        score(query, short!.record, bits).distance,
      );
    }
  });

  test('what the codes of empty slots are does not matter to a score', () => {
    const random = new Random(5);
    const n = 20;
    const [z, query] = [gaussians(random, n), gaussians(random, n)];
    const { record } = code(z, 64, bits, 'optimised');
    const taken = new Set(slotOrder(64, bits).subarray(0, n));
    const before = score(query, record, bits).distance;
    for (let slot = 0; slot < primarySlots(64, bits); slot++) {
      const { byte, shift } = codePosition(slot, bits);
      if (!taken.has(slot) && byte < 60) record[byte]! ^= (2 ** bits - 1) << shift;
    }
    expect(score(query, record, bits).distance).toBe(before);
  });

  test('the traversal distance is half norm − <q̃, ẑ>, q̃ the query as signed bytes', () => {
    const random = new Random(6);
    for (const [bytes, halfNorm] of [
      [64, 0],
      [64, 7.5],
      [256, 0],
      [256, 40],
    ] as const) {
      const n = primaryCapacity(bytes / LINE_BYTES, bits);
      for (let round = 0; round < 20; round++) {
        const [z, query] = [gaussians(random, n), gaussians(random, n, 3)];
        const { record, decoded } = code(z, bytes, bits, 'optimised', halfNorm);
        const { distance, rounded } = score(query, record, bits);
        const expected = primaryConstants(record).halfNorm - dot(rounded, decoded);
        expect(Math.abs(distance - expected)).toBeLessThan(1e-5 * norm(rounded) * norm(decoded));
        const largest = query.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
        rounded.forEach((x, j) => {
          expect(Math.abs(x - query[j]!)).toBeLessThanOrEqual((largest / 254) * 1.0001);
        });
      }
    }
  });

  test('gaussian coordinates are distorted as much as theory says', () => {
    const random = new Random(7);
    const bytes = 4096;
    const n = primaryCapacity(bytes / LINE_BYTES, bits);
    let total = 0;
    for (let r = 0; r < 20; r++) {
      const z = gaussians(random, n);
      total += fittedError(z, code(z, bytes, bits, 'optimised').levels);
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
  const { decoded, levels } = code(z, 64, 2, 'optimised');
  const fitted = fittedError(z, levels);
  expect(squaredL2(z, decoded) / dot(z, z)).toBeCloseTo(fitted / (1 - fitted), 2);
});

test('the layout’s arithmetic', () => {
  expect(PRIMARY_BITS.map((bits) => primaryCapacity(1, bits))).toEqual([240, 120, 60]);
  expect(PRIMARY_BITS.map((bits) => primarySlots(64, bits))).toEqual([256, 128, 64]);
  expect(PRIMARY_BITS.map((bits) => primaryBytes(240, bits))).toEqual([64, 128, 256]);
  expect(primaryBytes(241, 2)).toBe(128);
});
