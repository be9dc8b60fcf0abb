import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Bitmap } from '../../src/filter/bitmap.js';
import { errorOf } from '../datasets/support.js';

/** Sparse, dense and full stretches, in several chunks of 65,536 and at their ends. */
const stretch = fc
  .record({
    start: fc.constantFrom(0, 1, 65_000, 65_536, 131_071, 700_000, 2 ** 32 - 6000),
    length: fc.integer({ min: 0, max: 6000 }),
    step: fc.constantFrom(1, 2, 7, 600),
  })
  .map(({ start, length, step }) =>
    Array.from({ length: Math.ceil(length / step) }, (_, i) => start + i * step),
  );
const rowList = fc.array(stretch, { maxLength: 4 }).map((parts) => parts.flat());
const nearRows = fc
  .uint8Array({ minLength: 1, maxLength: 9000 })
  .map((bytes) => [...bytes.keys()].filter((row) => bytes[row]! % 3 > 0));

const ascending = (rows: Iterable<number>) => [...new Set(rows)].sort((a, b) => a - b);
const bitmapOf = (rows: Iterable<number>) => Bitmap.from(Uint32Array.from(rows));

function bytesOf(rows: Iterable<number>, length: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(length / 8));
  for (const row of rows) if (row < length) bits[row >> 3]! |= 1 << (row & 7);
  return bits;
}

describe('a set of rows', () => {
  test('golden: bits, and what is past the length', () => {
    const rows = bitmapOf([0, 2, 15, 20]);
    expect([...rows.toBits(21)]).toEqual([5, 128, 16]);
    expect([...rows.toBits(20)]).toEqual([5, 128, 0]);
    expect([...rows.toBits(0)]).toEqual([]);
  });

  test('joins, as sets do', () => {
    fc.assert(
      fc.property(fc.oneof(rowList, nearRows), fc.oneof(rowList, nearRows), (first, second) => {
        const [a, b] = [bitmapOf(first), bitmapOf(second)];
        const [inA, inB] = [new Set(first), new Set(second)];
        const both = ascending(first).filter((row) => inB.has(row));
        const onlyA = ascending(first).filter((row) => !inB.has(row));
        const onlyB = ascending(second).filter((row) => !inA.has(row));
        const all = ascending([...first, ...second]);
        expect([...a.and(b).toUint32Array()]).toEqual(both);
        expect([...a.or(b).toUint32Array()]).toEqual(all);
        expect([...a.andNot(b).toUint32Array()]).toEqual(onlyA);
        expect([...a.xor(b).toUint32Array()]).toEqual(ascending([...onlyA, ...onlyB]));
        expect([...Bitmap.union([a, b, a]).toUint32Array()]).toEqual(all);
        expect(Bitmap.union([]).isEmpty).toBe(true);
        expect([a.size, a.isEmpty, a.andSize(b)]).toEqual([inA.size, inA.size === 0, both.length]);
        expect([...a.toUint32Array()]).toEqual(ascending(first));
        expect(a.equals(b)).toBe(onlyA.length + onlyB.length === 0);
        const inPlace = [a.clone(), a.clone(), a.clone()] as const;
        inPlace[0].andInPlace(b);
        inPlace[1].orInPlace(b);
        inPlace[2].andNotInPlace(b);
        expect(inPlace.map((set) => [...set.toUint32Array()])).toEqual([both, all, onlyA]);
      }),
      { seed: 8, numRuns: 150 },
    );
  });

  test('turns into bits and bytes and back', () => {
    fc.assert(
      fc.property(fc.oneof(rowList, nearRows), fc.nat(140_000), (rows, length) => {
        const set = bitmapOf(rows);
        const near = rows.filter((row) => row < 2 ** 20);
        expect(Buffer.compare(set.toBits(length), bytesOf(near, length))).toBe(0);
        expect(Bitmap.fromBytes(set.toBytes()).equals(set)).toBe(true);
        const words = new Uint32Array(bytesOf(near, Math.ceil((length + 1) / 32) * 32).buffer);
        const shown = near.filter((row) => row < words.length * 32);
        expect([...Bitmap.fromBits(words).toUint32Array()]).toEqual(ascending(shown));
        const isIn = set.lookup();
        const asked = [...rows, ...rows.map((row) => (row + 1) % 2 ** 32), length];
        expect(asked.map(isIn)).toEqual(asked.map((row) => set.has(row)));
      }),
      { seed: 9, numRuns: 150 },
    );
  });

  test('changes row by row', () => {
    const set = Bitmap.empty();
    for (const row of [5, 4_294_967_295, 0, 5]) set.add(row);
    set.addMany(Uint32Array.of(9, 1, 9));
    expect([set.remove(5), set.remove(6), set.has(5), set.has(0)]).toEqual([
      true,
      false,
      false,
      true,
    ]);
    const seen: number[] = [];
    set.forEach((row) => {
      seen.push(row);
    });
    expect(seen).toEqual([0, 1, 9, 4_294_967_295]);
  });

  test('frees its memory: a million temporary ones, of 8 GB in all', () => {
    const chunk = Bitmap.fromBits(new Uint32Array(2048).fill(0x5555_5555));
    for (let i = 0; i < 1_000_000; i++) chunk.clone().dispose();
    expect(chunk.size).toBe(32_768);
  });
});

describe('bytes that are no set of rows', () => {
  const sets = {
    empty: bitmapOf([]),
    array: bitmapOf([1, 5, 65_535, 65_536, 70_000]),
    bits: Bitmap.fromBits(new Uint32Array(2048).fill(0x7fff_ffff)),
  };

  test('are refused when cut short or continued', () => {
    for (const set of Object.values(sets)) {
      const bytes = set.toBytes();
      for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / 100)) {
        expect(errorOf(() => Bitmap.fromBytes(bytes.subarray(0, length))).code).toBe('CORRUPT');
      }
      expect(errorOf(() => Bitmap.fromBytes(Uint8Array.of(...bytes, 0))).code).toBe('CORRUPT');
    }
  });

  test('never give an inconsistent set, whichever bit is flipped', () => {
    for (const set of Object.values(sets)) {
      const bytes = set.toBytes();
      for (let bit = 0; bit < bytes.length * 8; bit += bytes.length > 100 ? 97 : 1) {
        const flipped = bytes.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        expectSoundOrCorrupt(flipped);
      }
    }
  });

  test('never give one, whatever they are', () => {
    // Cookie, chunks, key and count are often right, so that the rest is reached.
    const head = fc.constantFrom([0x3a, 0x30, 0, 0, 1, 0, 0, 0], [0x3b, 0x30, 0, 0, 1]);
    const tail = fc.array(fc.constantFrom(0, 1, 2, 16, 255), { maxLength: 24 });
    fc.assert(
      fc.property(head, tail, (start, end) => {
        expectSoundOrCorrupt(Uint8Array.of(...start, ...end));
      }),
      { seed: 10, numRuns: 5000 },
    );
  });

  test.each<[string, number[]]>([
    ['runs that overlap', [0, 0, 5, 0, 2, 0, 0, 0, 3, 0, 2, 0, 1, 0]],
    ['runs that touch', [0, 0, 4, 0, 2, 0, 0, 0, 2, 0, 3, 0, 1, 0]],
    ['a run past the end', [0, 0, 1, 0, 1, 0, 255, 255, 1, 0]],
    ['a wrong count', [0, 0, 9, 0, 1, 0, 0, 0, 2, 0]],
  ])('refuses %s', (_, chunk) => {
    const bytes = Uint8Array.of(0x3b, 0x30, 0, 0, 1, ...chunk);
    expect(errorOf(() => Bitmap.fromBytes(bytes)).code).toBe('CORRUPT');
  });

  test('runs are read', () => {
    const bytes = Uint8Array.of(0x3b, 0x30, 0, 0, 1, 2, 0, 5, 0, 2, 0, 0, 0, 2, 0, 40, 0, 2, 0);
    const set = Bitmap.fromBytes(bytes);
    expect([...set.toUint32Array()]).toEqual([0, 1, 2, 40, 41, 42].map((low) => 131_072 + low));
    expect([...set.toBits(131_072 + 48).subarray(16_384)]).toEqual([7, 0, 0, 0, 0, 7]);
  });
});

/** Either an error, or a set whose every view agrees with the others. */
function expectSoundOrCorrupt(bytes: Uint8Array): void {
  let set: Bitmap;
  try {
    set = Bitmap.fromBytes(bytes);
  } catch (error) {
    expect(error).toMatchObject({ code: 'CORRUPT' });
    return;
  }
  const rows = set.toUint32Array();
  expect(set.size).toBe(rows.length);
  expect(Bitmap.from(rows).equals(set)).toBe(true);
  expect(rows.every((row, i) => set.has(row) && (i === 0 || row > rows[i - 1]!))).toBe(true);
  set.dispose();
}
