import { crc32 as zlibCrc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../src/format/checksum.js';
import { readContainer, writeContainer } from '../../src/format/container.js';

const container = {
  kind: 'thing',
  header: { name: 'x', numbers: [1, 2.5, -3], flag: true },
  sections: {
    first: Uint8Array.from({ length: 100 }, (_, i) => i),
    empty: new Uint8Array(0),
    last: Uint8Array.of(9, 8, 7),
  },
};
const bytes = writeContainer(container);

const reading = (altered: Uint8Array) => () => readContainer(altered, 'thing');
const withCode = (code: string) => expect.objectContaining({ name: 'LeandexError', code });

describe('a container', () => {
  test('comes back as it was written', () => {
    expect(readContainer(bytes, 'thing')).toEqual(container);
  });

  test('has the same bytes each time, sections at multiples of 64', () => {
    expect(writeContainer(container)).toEqual(bytes);
    const { first, last } = readContainer(bytes, 'thing').sections;
    expect(first!.byteOffset % 64).toBe(0);
    expect(last!.byteOffset % 64).toBe(0);
  });

  test('may have no sections', () => {
    const bare = { kind: 'thing', header: {}, sections: {} };
    expect(readContainer(writeContainer(bare), 'thing')).toEqual(bare);
  });

  test('is refused with any one bit altered', () => {
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const altered = bytes.slice();
        altered[at]! ^= 1 << bit;
        expect(reading(altered), `byte ${at}, bit ${bit}`).toThrow(withCode('CORRUPT'));
      }
    }
  });

  test('is refused when cut short anywhere, or longer', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(reading(bytes.slice(0, length)), `${length} bytes`).toThrow(withCode('CORRUPT'));
    }
    expect(reading(Uint8Array.of(...bytes, 0))).toThrow(withCode('CORRUPT'));
  });

  test('of a newer version is named as such', () => {
    const newer = bytes.slice();
    const view = new DataView(newer.buffer);
    view.setUint32(8, 3, true);
    view.setUint32(20, crc32(newer.subarray(0, 20)), true);
    expect(reading(newer)).toThrow(withCode('UNSUPPORTED_VERSION'));
    expect(reading(newer)).toThrow(/format version 3; this leandex reads 2/);
  });

  test('of another kind is refused', () => {
    expect(() => readContainer(bytes, 'index')).toThrow(withCode('CORRUPT'));
  });

  test('is read from the middle of a larger buffer', () => {
    const larger = new Uint8Array(bytes.length + 20);
    larger.set(bytes, 7);
    expect(readContainer(larger.subarray(7, 7 + bytes.length), 'thing')).toEqual(container);
  });

  test.each([null, 'text', new ArrayBuffer(64), [1, 2]])('needs bytes, not %s', (value) => {
    expect(() => readContainer(value, 'thing')).toThrow(TypeError);
  });
});

test('checksums of long input are those of zlib', () => {
  const long = Uint8Array.from({ length: 1_000_003 }, (_, i) => (i * 2654435761) >>> 24);
  expect(crc32(long)).toBe(zlibCrc32(long));
});
