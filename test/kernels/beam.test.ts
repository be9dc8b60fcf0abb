import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Kernels } from '../../src/kernels/index.js';
import {
  compareEntries,
  type Entry,
  offered,
  type Ranked,
  topK,
} from '../../src/kernels/scalar/beam.js';
import { borrowing, describeBinaries, gaussians, place, Random } from './support.js';

/** The k nearest, offered in parts of at most `part` distances. */
function kernelTopK(
  kernels: Kernels,
  distances: Float32Array,
  first: number,
  k: number,
  part = distances.length,
): Ranked {
  return borrowing(kernels, () => {
    const source = place(kernels, distances);
    const list = kernels.alloc((k + 1) * 8);
    let size = 0;
    for (let at = 0; at < distances.length; at += part) {
      const n = Math.min(part, distances.length - at);
      size = kernels.call.topK(source + at * 4, n, first + at, k, list, size);
    }
    const ids = kernels.alloc(size * 4);
    const out = kernels.alloc(size * 4);
    kernels.call.readKeys(list, size, ids, out);
    return { ids: [...kernels.u32(ids, size)], distances: [...kernels.f32(out, size)] };
  });
}

describeBinaries('top-k', (kernels) => {
  test.each([1, 2, 3, 7, 16, 100])('k = %s of 0 … 60 random distances', (k) => {
    const random = new Random(k);
    for (let n = 0; n <= 60; n++) {
      const distances = gaussians(random, n);
      expect(kernelTopK(kernels, distances, 5, k)).toEqual(topK(distances, 5, k));
    }
  });

  test('parts give what the whole gives', () => {
    const distances = gaussians(new Random(1), 1000);
    for (const part of [1, 7, 64, 999]) {
      expect(kernelTopK(kernels, distances, 0, 50, part)).toEqual(topK(distances, 0, 50));
    }
  });

  test('ties go to the lower id, and −0 equals 0', () => {
    const distances = Float32Array.of(1, 0, -0, 1, -0, 0, -1, 1);
    expect(kernelTopK(kernels, distances, 10, 6).ids).toEqual([16, 11, 12, 14, 15, 10]);
  });

  test('orders numbers of all sizes and signs, infinities included', () => {
    const sorted = [
      -Infinity,
      -(2 ** 127),
      -1,
      -(2 ** -149),
      0,
      2 ** -149,
      1e-3,
      1,
      2 ** 127,
      Infinity,
    ];
    const order = [3, 7, 0, 9, 4, 1, 8, 2, 6, 5];
    const distances = Float32Array.from(order, (i) => sorted[i]!);
    expect(kernelTopK(kernels, distances, 0, 10).distances).toEqual([...Float32Array.from(sorted)]);
  });

  test('ids up to 2^31 − 1', () => {
    const distances = Float32Array.of(3, -2, 1);
    expect(kernelTopK(kernels, distances, 2 ** 31 - 3, 3).ids).toEqual([
      2 ** 31 - 2,
      2 ** 31 - 1,
      2 ** 31 - 3,
    ]);
  });

  test('nothing is written behind k + 1 keys', () => {
    borrowing(kernels, () => {
      const source = place(kernels, gaussians(new Random(2), 500));
      const list = kernels.alloc(9 * 8 + 16);
      kernels.u8(list + 72, 16).fill(0xaa);
      kernels.call.topK(source, 500, 0, 8, list, 0);
      expect(kernels.u8(list + 72, 16).every((byte) => byte === 0xaa)).toBe(true);
    });
  });
});

const floats = new Float32Array(1);
const bits = new Int32Array(floats.buffer);

/** The 64 bits of an entry: an integer that orders like the distance, id · 2 + expanded. */
function keyOf({ distance, id, expanded }: Entry): bigint {
  floats[0] = distance === 0 ? 0 : distance;
  const ordered = bits[0]! < 0 ? bits[0]! ^ 0x7fff_ffff : bits[0]!;
  return (BigInt(ordered) << 32n) | BigInt(id * 2 + Number(expanded));
}

/** A sorted list of `size` entries of few distances, so that many tie; some expanded. */
function sortedList(random: Random, size: number, distances: number): Entry[] {
  const ids = random.permutation(2 * size + 1);
  return Array.from({ length: size }, (_, i) => ({
    distance: (random.below(distances) - distances / 2) / 4,
    id: ids[i]!,
    expanded: random.below(2) === 1,
  })).sort(compareEntries);
}

/** Offers one entry to a list by the kernel and returns the list's keys. */
function kernelOffer(kernels: Kernels, list: Entry[], capacity: number, entry: Entry): bigint[] {
  return borrowing(kernels, () => {
    const distance = place(kernels, Float32Array.of(entry.distance));
    // A key before the list and one behind its room: both must be left alone.
    const keys = new BigInt64Array(capacity + 3).fill(-1n);
    list.forEach((each, i) => {
      keys[i + 1] = keyOf(each);
    });
    const pointer = place(kernels, keys) + 8;
    const size = kernels.call.topK(distance, 1, entry.id, capacity, pointer, list.length);
    expect([kernels.i64(pointer - 8, 1)[0], kernels.i64(pointer, capacity + 2).at(-1)]).toEqual([
      -1n,
      -1n,
    ]);
    return [...kernels.i64(pointer, size)];
  });
}

describeBinaries('insertion into a sorted list', (kernels) => {
  function check(list: Entry[], capacity: number, entry: Entry): void {
    const actual = kernelOffer(kernels, list, capacity, entry);
    const expected = offered(list, capacity, entry).map(keyOf);
    expect(actual.length).toBe(expected.length);
    const wrong = actual.findIndex((key, i) => key !== expected[i]);
    if (wrong >= 0) expect.fail(`size ${list.length}, capacity ${capacity}: place ${wrong}`);
  }

  test('into every size 0 … 600, with room and without', () => {
    const random = new Random(1);
    for (let size = 0; size <= 600; size++) {
      const list = sortedList(random, size, size % 3 === 0 ? 3 : 1000);
      for (const capacity of size === 0 ? [1, 5] : [size, size + 1, size + 40]) {
        const distance = (random.below(1000) - 500) / 4;
        check(list, capacity, { distance, id: random.below(1000), expanded: false });
      }
    }
  });

  test('at every place of lists of 0 … 40', () => {
    for (let size = 0; size <= 40; size++) {
      const list = Array.from({ length: size }, (_, i) => ({
        distance: i,
        id: 7,
        expanded: i % 3 === 0,
      }));
      for (let at = -1; at < size; at++) {
        for (const capacity of [size, size + 1]) {
          if (capacity > 0) check(list, capacity, { distance: at + 0.5, id: 7, expanded: false });
        }
      }
    }
  });

  test('ties at every place: behind the lower ids, before the higher', () => {
    for (let size = 1; size <= 24; size++) {
      const list = Array.from({ length: size }, (_, i) => ({
        distance: 1,
        id: 2 * i + 1,
        expanded: i % 2 === 0,
      }));
      for (let id = 0; id <= 2 * size + 1; id++) {
        check(list, size + 1, { distance: 1, id, expanded: false });
        check(list, size, { distance: 1, id, expanded: false });
      }
    }
  });

  test('any list: property', () => {
    const cases = fc.record({
      seed: fc.integer({ min: 0, max: 2 ** 31 }),
      size: fc.integer({ min: 0, max: 600 }),
      room: fc.integer({ min: 0, max: 9 }),
      distances: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(cases, ({ seed, size, room, distances }) => {
        const random = new Random(seed);
        const list = sortedList(random, size, distances);
        const entry = {
          distance: (random.below(distances) - distances / 2) / 4,
          id: random.below(2 * size + 2),
          expanded: false,
        };
        check(list, Math.max(1, size + room), entry);
      }),
      { numRuns: 400, seed: 1 },
    );
  });

  test('what is expanded stays so while others are inserted', () => {
    const list = sortedList(new Random(3), 200, 20);
    const expanded = new Set(list.filter((entry) => entry.expanded).map(keyOf));
    const after = kernelOffer(kernels, list, 201, { distance: -100, id: 1, expanded: false });
    expect(after.filter((key) => (key & 1n) === 1n)).toEqual([...expanded]);
  });
});

describeBinaries('streams of distances', (kernels) => {
  test.each([1, 4, 63, 300, 600])('k = %s of 3,000 with many ties', (k) => {
    const random = new Random(k);
    const distances = Float32Array.from({ length: 3000 }, () => random.below(40) - 20);
    expect(kernelTopK(kernels, distances, 3, k, 250)).toEqual(topK(distances, 3, k));
  });

  test.each(['ascending', 'descending'])('%s', (order) => {
    const distances = Float32Array.from({ length: 700 }, (_, i) => i / 8);
    if (order === 'descending') distances.reverse();
    expect(kernelTopK(kernels, distances, 0, 600)).toEqual(topK(distances, 0, 600));
  });
});
