import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  encodeFvecs,
  parseBvecs,
  parseFvecs,
  parseIvecs,
  readBvecs,
  readFvecs,
  readIvecs,
} from '../../datasets/vecs.js';
import { errorOf, folderWith, unaligned } from './support.js';

/** Two rows of two: (1, -2) and (.5, 0). */
const FVECS = Uint8Array.from([
  ...[2, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0],
  ...[2, 0, 0, 0, 0, 0, 0, 0x3f, 0, 0, 0, 0],
]);
const IVECS = Uint8Array.from([1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 1, 0, 0, 0, 1, 1, 0, 0]);
const BVECS = Uint8Array.from([3, 0, 0, 0, 1, 2, 255, 3, 0, 0, 0, 4, 5, 6]);

describe('vecs', () => {
  test('golden bytes, aligned and not', () => {
    for (const place of [(bytes: Uint8Array) => bytes, unaligned]) {
      expect(parseFvecs(place(FVECS), 'a')).toEqual({
        count: 2,
        dimensions: 2,
        data: Float32Array.of(1, -2, 0.5, 0),
      });
      expect(parseIvecs(place(IVECS), 'a')).toEqual({
        count: 2,
        dimensions: 1,
        data: Int32Array.of(-2, 257),
      });
      expect(parseBvecs(place(BVECS), 'a')).toEqual({
        count: 2,
        dimensions: 3,
        data: Uint8Array.of(1, 2, 255, 4, 5, 6),
      });
    }
    expect(encodeFvecs(Float32Array.of(1, -2, 0.5, 0), 2)).toEqual(FVECS);
  });

  test('files', () => {
    const folder = folderWith({ f: FVECS, i: IVECS, b: BVECS });
    expect(readFvecs(join(folder, 'f'))).toEqual(parseFvecs(FVECS, 'f'));
    expect(readIvecs(join(folder, 'i'))).toEqual(parseIvecs(IVECS, 'i'));
    expect(readBvecs(join(folder, 'b'))).toEqual(parseBvecs(BVECS, 'b'));
    expect(errorOf(() => readFvecs(join(folder, 'none'))).code).toBe('NOT_FOUND');
  });

  test('a file cut off inside a row is refused; between rows it cannot be told', () => {
    for (const [bytes, stride, parse] of [
      [FVECS, 12, parseFvecs],
      [IVECS, 8, parseIvecs],
      [BVECS, 7, parseBvecs],
    ] as const) {
      for (let length = 0; length < bytes.length; length++) {
        const cut = bytes.subarray(0, length);
        if (length === stride) {
          expect(parse(cut, 'a').count).toBe(1);
          continue;
        }
        const row = length < stride ? 0 : 1;
        const error = errorOf(() => parse(cut, 'a'));
        expect(error).toMatchObject({ code: 'CORRUPT', details: { file: 'a', offset: length } });
        expect(error.message).toContain(`row ${row}`);
      }
    }
  });

  test('a row of other dimensions is refused with its row and offset', () => {
    const bytes = FVECS.slice();
    bytes[12] = 3;
    expect(errorOf(() => parseFvecs(bytes, 'a.fvecs'))).toMatchObject({
      code: 'CORRUPT',
      message: 'a.fvecs at byte 12: expected 2 dimensions in row 1, as in row 0, received 3',
    });
  });

  test('dimensions of 0 and below are refused', () => {
    for (const first of [0, -1]) {
      const bytes = FVECS.slice();
      new DataView(bytes.buffer).setInt32(0, first, true);
      expect(errorOf(() => parseFvecs(bytes, 'a')).message).toContain(`received ${first}`);
    }
  });

  test('an absurd first dimension is a truncated row, not an allocation', () => {
    const bytes = FVECS.slice();
    new DataView(bytes.buffer).setInt32(0, 2 ** 31 - 1, true);
    expect(errorOf(() => parseFvecs(bytes, 'a'))).toMatchObject({ code: 'CORRUPT' });
  });

  test('what is encoded is parsed back, bit for bit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.uint32Array({ minLength: 6, maxLength: 40 }),
        (dimensions, bits) => {
          const count = Math.floor(bits.length / dimensions);
          const rows = new Float32Array(bits.slice(0, count * dimensions).buffer);
          const parsed = parseFvecs(encodeFvecs(rows, dimensions), 'a');
          expect([parsed.count, parsed.dimensions]).toEqual([count, dimensions]);
          expect(new Uint32Array(parsed.data.buffer)).toEqual(new Uint32Array(rows.buffer));
        },
      ),
    );
  });

  test('encodeFvecs refuses rows that do not fit', () => {
    expect(errorOf(() => encodeFvecs(new Float32Array(5), 2)).code).toBe('DIMENSION_MISMATCH');
    expect(errorOf(() => encodeFvecs(new Float32Array(0), 2)).code).toBe('DIMENSION_MISMATCH');
    expect(errorOf(() => encodeFvecs(new Float32Array(4), 0)).code).toBe('INVALID_ARGUMENT');
  });
});
