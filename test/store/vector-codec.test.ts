import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Originals, StoredField } from '../../src/store/types.js';
import { decodeVectors, encodeVectors, vectorBytes } from '../../src/store/vector-codec.js';

const fieldOf = (originals: Originals, size: number): StoredField => ({
  name: '',
  size,
  originals,
});

function roundTrip(originals: Originals, vector: Float32Array): Float32Array {
  const field = fieldOf(originals, vector.length);
  const data = Buffer.from(encodeVectors(field, vector));
  expect(data).toHaveLength(vectorBytes(field));
  const decoded = new Float32Array(vector.length);
  decodeVectors(field, data, decoded);
  return decoded;
}

const vectors = (options: fc.FloatConstraints) =>
  fc.float32Array({
    minLength: 1,
    maxLength: 40,
    noNaN: true,
    noDefaultInfinity: true,
    ...options,
  });

describe('a vector comes back', () => {
  test('as it was from float32, to the last bit', () => {
    fc.assert(
      fc.property(vectors({}), (vector) => {
        expect(Buffer.from(roundTrip('float32', vector).buffer)).toEqual(
          Buffer.from(vector.slice().buffer),
        );
      }),
      { seed: 1 },
    );
  });

  test('from float16, off by 2^-11 of each number at most', () => {
    fc.assert(
      fc.property(vectors({ min: -65504, max: 65504 }), (vector) => {
        roundTrip('float16', vector).forEach((x, i) => {
          const bound = Math.max(Math.abs(vector[i]!) * 2 ** -11, 2 ** -25);
          expect(Math.abs(x - vector[i]!)).toBeLessThanOrEqual(bound);
        });
      }),
      { seed: 2 },
    );
  });

  test('from 8-bit codes, off by half a step at most', () => {
    fc.assert(
      fc.property(vectors({}), (vector) => {
        const interval = Math.max(...vector) - Math.min(...vector);
        const largest = Math.max(...vector.map(Math.abs));
        // The step itself is rounded to float32, 255 times, and so is the result.
        const rounding = 2 ** -23 * largest + 2 ** -24 * interval + 256 * 2 ** -149;
        roundTrip('none', vector).forEach((x, i) => {
          expect(Math.abs(x - vector[i]!)).toBeLessThanOrEqual(interval / 510 + rounding);
        });
      }),
      { seed: 3 },
    );
  });

  test('from 8-bit codes as it was where all its numbers are one', () => {
    expect(roundTrip('none', Float32Array.of(1.1, 1.1))).toEqual(Float32Array.of(1.1, 1.1));
    expect(roundTrip('none', new Float32Array(3))).toEqual(new Float32Array(3));
  });
});

test('sizes in bytes', () => {
  expect(vectorBytes(fieldOf('float32', 10))).toBe(40);
  expect(vectorBytes(fieldOf('float16', 10))).toBe(20);
  expect(vectorBytes(fieldOf('none', 10))).toBe(18);
});

test('float16 refuses what it cannot hold, naming the place', () => {
  const encode = () => encodeVectors(fieldOf('float16', 2), Float32Array.of(0, -65520));
  expect(encode).toThrow(/column 1 .*65504.*-65520/);
});

test('the largest numbers of all', () => {
  const most = 3.4028234663852886e38;
  const [a, b] = roundTrip('none', Float32Array.of(-most, most));
  expect(a).toBe(Math.fround(-most));
  expect(Math.abs(b! - most)).toBeLessThanOrEqual(most * 2 ** -20);
});

test('the smallest intervals of all, whose step is rounded most', () => {
  const least = 2 ** -149;
  const [, b] = roundTrip('none', Float32Array.of(0, 300 * least));
  expect(b! / least).toBeGreaterThanOrEqual(255);
});
