import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  parseFbin,
  parseI8bin,
  parseIbin,
  parseU8bin,
  readFbin,
  readI8bin,
  readIbin,
  readU8bin,
} from '../../datasets/bigann.js';
import { errorOf, folderWith, unaligned } from './support.js';

const HEADER = [2, 0, 0, 0, 1, 0, 0, 0];
const FBIN = Uint8Array.from([...HEADER, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]);
const BYTES = Uint8Array.from([...HEADER, 0x80, 0x7f]);
const IBIN = Uint8Array.from([...HEADER, 0xfe, 0xff, 0xff, 0xff, 1, 1, 0, 0]);

describe('big-ann formats', () => {
  test('golden bytes, aligned and not', () => {
    const shape = { count: 2, dimensions: 1 };
    for (const place of [(bytes: Uint8Array) => bytes, unaligned]) {
      expect(parseFbin(place(FBIN), 'a')).toEqual({ ...shape, data: Float32Array.of(1, -2) });
      expect(parseU8bin(place(BYTES), 'a')).toEqual({ ...shape, data: Uint8Array.of(128, 127) });
      expect(parseI8bin(place(BYTES), 'a')).toEqual({ ...shape, data: Int8Array.of(-128, 127) });
      expect(parseIbin(place(IBIN), 'a')).toEqual({ ...shape, data: Int32Array.of(-2, 257) });
    }
  });

  test('files', () => {
    const folder = folderWith({ f: FBIN, b: BYTES, i: IBIN });
    expect(readFbin(join(folder, 'f'))).toEqual(parseFbin(FBIN, 'f'));
    expect(readU8bin(join(folder, 'b'))).toEqual(parseU8bin(BYTES, 'b'));
    expect(readI8bin(join(folder, 'b'))).toEqual(parseI8bin(BYTES, 'b'));
    expect(readIbin(join(folder, 'i'))).toEqual(parseIbin(IBIN, 'i'));
  });

  test('no rows are allowed, no dimensions are not', () => {
    const none = Uint8Array.from([0, 0, 0, 0, 7, 0, 0, 0]);
    expect(parseFbin(none, 'a')).toEqual({ count: 0, dimensions: 7, data: new Float32Array(0) });
    const error = errorOf(() => parseFbin(Uint8Array.from([2, 0, 0, 0, 0, 0, 0, 0]), 'a'));
    expect(error).toMatchObject({ code: 'CORRUPT', details: { offset: 4 } });
  });

  test('refuses the file cut off at every length, and a byte too many', () => {
    for (const [bytes, parse] of [
      [FBIN, parseFbin],
      [BYTES, parseU8bin],
      [BYTES, parseI8bin],
      [IBIN, parseIbin],
    ] as const) {
      for (let length = 0; length < bytes.length; length++) {
        const error = errorOf(() => parse(bytes.subarray(0, length), 'a'));
        expect(error).toMatchObject({ code: 'CORRUPT', details: { file: 'a', offset: length } });
      }
      const error = errorOf(() => parse(Uint8Array.from([...bytes, 0]), 'a'));
      expect(error).toMatchObject({ code: 'CORRUPT', details: { offset: bytes.length } });
    }
  });

  test('a header that claims more than memory holds is refused before it is believed', () => {
    const bytes = Uint8Array.from(new Array(8).fill(0xff));
    expect(errorOf(() => parseFbin(bytes, 'a')).code).toBe('CORRUPT');
  });
});
