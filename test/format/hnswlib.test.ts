import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import hnswlib, { type SpaceName } from 'hnswlib-node';
import { afterAll, describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { readHnswlib } from '../../src/format/hnswlib.js';
import { errorOf, unaligned } from '../datasets/support.js';
import { gaussianRows, rowOf } from '../graph/oracle.js';

const folder = mkdtempSync(join(tmpdir(), 'leandex-hnswlib-'));
afterAll(() => rmSync(folder, { recursive: true }));

const D = 6;
const M = 5;
const HEADER_BYTES = 96;
const SLOT_BYTES = 4 + 8 * M + 4 * D + 8;

interface Made {
  index: hnswlib.HierarchicalNSW;
  rows: Float32Array;
  /** The bytes of the index as it is now. */
  save: () => Uint8Array;
}

/** An index of hnswlib-node with `count` rows, labelled 1000, 1001, … */
function makeIndex(count: number, space: SpaceName = 'l2', dimensions = D): Made {
  const rows = gaussianRows(count, dimensions, 3);
  const index = new hnswlib.HierarchicalNSW(space, dimensions);
  const sizes = { maxElements: count + 7, m: M, efConstruction: 40 };
  index.initIndex({ ...sizes, randomSeed: 1, allowReplaceDeleted: true });
  for (let row = 0; row < count; row++) {
    index.addPoint([...rowOf(rows, dimensions, row)], 1000 + row);
  }
  const save = () => {
    const path = join(folder, 'index.bin');
    index.writeIndexSync(path);
    return new Uint8Array(readFileSync(path));
  };
  return { index, rows, save };
}

const small = makeIndex(200).save();

/** A copy of `small` with one field of the header or a list changed. */
function altered(change: (view: DataView) => void): Uint8Array {
  const copy = small.slice();
  change(new DataView(copy.buffer));
  return copy;
}

describe('readHnswlib', () => {
  test.each<SpaceName>(['l2', 'ip', 'cosine'])('%s: vectors and labels as written', (space) => {
    const { index, save } = makeIndex(300, space);
    const content = readHnswlib(save(), D);
    expect(content).toMatchObject({ count: 300, m: M, efConstruction: 40, deleted: 0 });
    expect([...content.labels].sort()).toEqual(index.getIdsList().map(BigInt).sort());
    content.labels.forEach((label, row) => {
      expect([...rowOf(content.vectors, D, row)]).toEqual(index.getPoint(Number(label)));
    });
    if (space !== 'cosine') return;
    for (let row = 0; row < 300; row++) {
      expect(Math.hypot(...rowOf(content.vectors, D, row))).toBeCloseTo(1, 6);
    }
  });

  test('leaves out what is marked as deleted, and keeps what was unmarked', () => {
    const { index, rows, save } = makeIndex(100);
    for (let row = 0; row < 100; row += 3) index.markDelete(1000 + row);
    index.unmarkDelete(1003);
    const live = Array.from({ length: 100 }, (_, row) => row).filter((r) => r % 3 !== 0 || r === 3);
    const { count, deleted, labels, vectors } = readHnswlib(save(), D);
    expect([count, deleted]).toEqual([live.length, 33]);
    expect([...labels]).toEqual(live.map((row) => BigInt(1000 + row)));
    expect(vectors).toEqual(Float32Array.from(live.flatMap((row) => [...rowOf(rows, D, row)])));
  });

  test('reads slots that were given to other vectors', () => {
    const { index, save } = makeIndex(150);
    for (let row = 0; row < 150; row += 2) index.markDelete(1000 + row);
    for (let row = 0; row < 60; row++) {
      index.addPoint([...gaussianRows(1, D, row)], 2000 + row, true);
    }
    const { count, deleted, labels, vectors } = readHnswlib(save(), D);
    expect([count, deleted, new Set(labels).size]).toEqual([135, 15, 135]);
    const row = labels.indexOf(2042n);
    expect(rowOf(vectors, D, row)).toEqual(gaussianRows(1, D, 42));
  });

  test('keeps both vectors where hnswlib gave a label twice', () => {
    const { index, save } = makeIndex(20);
    index.markDelete(1004);
    index.addPoint([...gaussianRows(1, D, 9)], 1007, true);
    const { labels } = readHnswlib(save(), D);
    expect(labels.filter((label) => label === 1007n)).toHaveLength(2);
  });

  test('reads an index that hnswlib-node resized, saved and loaded', () => {
    const { index, save } = makeIndex(50);
    index.resizeIndex(500);
    const loaded = new hnswlib.HierarchicalNSW('l2', D);
    save();
    loaded.readIndexSync(join(folder, 'index.bin'));
    loaded.writeIndexSync(join(folder, 'again.bin'));
    expect(readHnswlib(readFileSync(join(folder, 'again.bin')), D).count).toBe(50);
  });

  test.each([0, 1, 2])('reads an index of %i vectors', (count) => {
    const { rows, save } = makeIndex(count);
    expect(readHnswlib(save(), D)).toEqual({
      ...{ count, m: M, efConstruction: 40, deleted: 0, vectors: rows },
      labels: BigUint64Array.from({ length: count }, (_, row) => BigInt(1000 + row)),
    });
  });

  test('reads labels of 64 bits', () => {
    const label = 2n ** 64n - 2n;
    const bytes = altered((view) =>
      view.setBigUint64(HEADER_BYTES + 4 * SLOT_BYTES - 8, label, true),
    );
    expect(readHnswlib(bytes, D).labels[3]).toBe(label);
  });

  test('reads bytes at any alignment', () => {
    expect(readHnswlib(unaligned(small), D)).toEqual(readHnswlib(small, D));
  });

  test('names the dimensions that the file has', () => {
    const error = errorOf(() => readHnswlib(small, D + 1));
    expect([error.name, error.code]).toEqual(['RangeError', 'DIMENSION_MISMATCH']);
    expect(error.message).toBe('each vector of the hnswlib file has 6 numbers, expected 7');
  });

  test('refuses arguments of another kind', () => {
    expect(errorOf(() => readHnswlib([1] as never, D)).name).toBe('TypeError');
    expect(errorOf(() => readHnswlib(small.buffer as never, D)).name).toBe('TypeError');
    for (const dimensions of [0, 1.5, '6', undefined]) {
      expect(errorOf(() => readHnswlib(small, dimensions as never)).code).toBe('INVALID_ARGUMENT');
    }
  });
});

describe('a damaged file is refused', () => {
  const firstList = HEADER_BYTES;
  const upper = HEADER_BYTES + 200 * SLOT_BYTES;
  const set64 = (offset: number, value: bigint) =>
    altered((view) => view.setBigUint64(offset, value, true));
  const set32 = (offset: number, value: number) =>
    altered((view) => view.setUint32(offset, value, true));

  test.each<[string, Uint8Array, RegExp]>([
    ['no bytes', new Uint8Array(0), /it has 0 bytes, and its header alone needs 96/],
    ['half a header', small.slice(0, 95), /it has 95 bytes/],
    ['a layer 0 that starts elsewhere', set64(0, 8n), /offset of layer 0 is 8, expected 0/],
    ['too small a capacity', set64(8, 199n), /capacity is 199, expected 200 to/],
    ['fewer elements', set64(16, 199n), /upper links of slot/],
    ['more elements', set64(16, 201n), /./],
    ['far more elements', set64(16, 2n ** 40n), /number of elements in \d+ bytes is 1099511/],
    ['another element size', set64(24, 75n), /size of an element is 75, expected 76/],
    ['a vector of part of a number', set64(32, 67n), /vector has 23 bytes, expected a multiple/],
    ['no vector', set64(32, 44n), /offset of a label is 44, expected 48 to/],
    ['a huge vector', set64(32, 2n ** 63n), /offset of a label is 9223372036854775808/],
    ['a vector elsewhere', set64(40, 48n), /offset of a vector for M 5 is 48, expected 44/],
    ['too high a layer', set32(48, 9), /entry point is on layer \d, the highest is 9/],
    ['a negative layer', set32(48, 0xffff_ffff), /highest layer of 200 elements is -1/],
    ['an entry point out of range', set32(52, 200), /entry point among 200 elements is 200/],
    ['another limit of links', set64(56, 6n), /limit of links for M 5 is 6, expected 5/],
    ['another limit on layer 0', set64(64, 5n), /limit of links on layer 0 for M 5 is 5/],
    ['M 0', set64(72, 0n), /M is 0, expected 2 to 32767/],
    ['another M', set64(72, 4n), /limit of links for M 4 is 5, expected 4/],
    ['another multiplier', set64(80, 0n), /level multiplier is 0, expected 1 \/ ln 5/],
    ['efConstruction below M', set64(88, 4n), /efConstruction is 4, expected 5 to/],
    ['too many links', set32(firstList, 11), /slot 0, layer 0 has 11 links, at most 10 fit/],
    ['an unknown mark', set32(firstList, 0x0002_0003), /slot 0, layer 0 has unknown marks: 2/],
    ['a mark in the fourth byte', set32(firstList, 0x0100_0003), /unknown marks: 256/],
    ['a link out of range', set32(firstList + 4, 200), /slot 0, layer 0 links to 200/],
    ['a link to itself', set32(firstList + 4, 0), /slot 0, layer 0 links to 0/],
    ['upper links of a wrong size', set32(upper, 23), /upper links of slot 0 have 23 bytes/],
    ['a byte too many', Uint8Array.of(...small, 0), /1 bytes follow its end/],
    ['a byte too few', small.slice(0, -1), /cut short in the upper links of slot 199/],
    [
      'a number that is not finite',
      set32(HEADER_BYTES + SLOT_BYTES + 44 + 8, 0x7fc0_0000),
      /number 2 of the vector in slot 1 is NaN \(offset 224\)/,
    ],
  ])('%s', (_, bytes, message) => {
    const error = errorOf(() => readHnswlib(bytes, D));
    expect([error.name, error.code]).toEqual(['LeandexError', 'CORRUPT']);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^not a usable hnswlib index file: /);
  });

  test('links of upper layers to vectors that are not there', () => {
    const view = new DataView(small.buffer);
    let at = upper;
    let slot = 0;
    while (view.getUint32(at, true) === 0 || view.getUint16(at + 4, true) === 0) {
      at += 4 + view.getUint32(at, true);
      slot++;
    }
    const missing = slot === 0 ? 1 : 0;
    const pattern = new RegExp(`slot ${slot}, layer 1 links to ${missing}`);
    expect(errorOf(() => readHnswlib(set32(at + 8, missing), D)).message).toMatch(pattern);
    const marked = altered((copy) => copy.setUint8(at + 6, 1));
    expect(errorOf(() => readHnswlib(marked, D)).message).toMatch(/unknown marks: 1/);
  });

  test('a number of a deleted vector does not matter', () => {
    const bytes = altered((view) => {
      view.setUint8(firstList + 2, 1);
      view.setUint32(firstList + 44, 0x7fc0_0000, true);
    });
    expect(readHnswlib(bytes, D)).toMatchObject({ count: 199, deleted: 1 });
  });
});

describe('any damage ends in a clean error or a valid result', () => {
  const bytes = makeIndex(40).save();

  /** Reads; on success the result must be consistent, on failure the error must be ours. */
  const readSafely = (damaged: Uint8Array): boolean => {
    try {
      const { count, deleted, vectors, labels } = readHnswlib(damaged, D);
      expect(count + deleted).toBe(40);
      expect([vectors.length, labels.length]).toEqual([count * D, count]);
      expect(vectors.every(Number.isFinite)).toBe(true);
      return true;
    } catch (error) {
      expect(['CORRUPT', 'DIMENSION_MISMATCH']).toContain((error as { code: string }).code);
      return false;
    }
  };

  test('cut short at every length', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(readSafely(bytes.slice(0, length)), `${length} bytes`).toBe(false);
    }
  });

  test('every bit of the header altered', () => {
    for (let bit = 0; bit < HEADER_BYTES * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      // Capacity and efConstruction may be anything from some number on, and the logarithm in the
      // multiplier may differ in its last bits.
      const isFree = bit >> 6 === 1 || bit >> 6 >= 10;
      if (readSafely(damaged)) expect(isFree, `bit ${bit}`).toBe(true);
    }
  });

  test('bytes altered at random', () => {
    const random = new Random(5);
    for (let round = 0; round < 4000; round++) {
      const damaged = bytes.slice();
      const places = 1 + random.below(4);
      // Half of the damage is done to the header and the lists at the end, which are small.
      const spans = [
        [0, HEADER_BYTES],
        [HEADER_BYTES + 40 * SLOT_BYTES, bytes.length],
        [0, bytes.length],
        [0, bytes.length],
      ] as const;
      for (let i = 0; i < places; i++) {
        const [from, to] = spans[random.below(4)]!;
        damaged[from + random.below(to - from)] = random.below(256);
      }
      readSafely(damaged);
    }
  });
});
