import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32 } from '../../src/format/checksum.js';
import { readContainer, writeContainer } from '../../src/format/container.js';
import { isBoundedMsgpack } from '../../src/format/msgpack-bounds.js';

const value = fc.object({
  maxDepth: 4,
  values: [
    fc.integer(),
    fc.double(),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(fc.integer(), { maxLength: 40 }),
  ],
});

test('what an encoder writes is bounded, and no part of it is', () => {
  fc.assert(
    fc.property(value, fc.double({ min: 0, max: 0.999, noNaN: true }), (content, share) => {
      const bytes = encode(content);
      expect(isBoundedMsgpack(bytes)).toBe(true);
      expect(isBoundedMsgpack(bytes.subarray(0, Math.floor(share * bytes.length)))).toBe(false);
      expect(isBoundedMsgpack(Uint8Array.of(...bytes, 1))).toBe(false);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test.each([
  ['an array of more items than there are bytes', [0xdd, 2, 0, 0, 0]],
  ['a map of more items than there are bytes', [0xdf, 2, 0, 0, 0]],
  ['text that goes on behind the end', [0xdb, 0, 0, 1, 0, 65]],
  ['arrays in arrays, 40 deep', Array(40).fill(0x91)],
  ['a length cut short', [0xdc, 1]],
  ['the byte that means nothing', [0xc1]],
  ['nothing', []],
])('%s is not', (_, bytes) => {
  expect(isBoundedMsgpack(Uint8Array.from(bytes))).toBe(false);
});

test('a container whose header claims gigabytes is refused before it is decoded', () => {
  const head = Uint8Array.from(Array(40).fill([0xdd, 2, 0, 0, 0]).flat());
  const bytes = new Uint8Array(64 + Math.ceil(head.length / 64) * 64);
  bytes.set(writeContainer({ kind: 'thing', header: {}, sections: {} }).subarray(0, 12));
  bytes.set(head, 64);
  const view = new DataView(bytes.buffer);
  view.setUint32(12, head.length, true);
  view.setUint32(16, crc32(head), true);
  view.setUint32(20, crc32(bytes.subarray(0, 20)), true);
  expect(() => readContainer(bytes, 'thing')).toThrow(
    expect.objectContaining({ code: 'CORRUPT', message: expect.stringMatching(/not msgpack/) }),
  );
});
