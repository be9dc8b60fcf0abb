import { expect, test } from 'vitest';
import type { PointId } from '../../src/base/point-id.js';
import { Random } from '../../src/base/random.js';
import { drain } from '../../src/base/steps.js';
import { page } from '../../src/store/page.js';
import { upsert } from '../../src/store/point-writes.js';
import { batchOf, memoryCollection, write } from './support.js';

/** Ids in their order: integers, UUIDs, other strings. */
const IDS: PointId[] = [
  ...Array.from({ length: 3000 }, (_, i) => i * 3),
  2n ** 63n,
  2n ** 64n - 1n,
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  'a',
  'b',
];

function shuffled() {
  const file = memoryCollection([]);
  const order = new Random(1).permutation(IDS.length);
  const ids = Array.from(order, (i) => IDS[i]!);
  write(file, () => upsert(file, { ...batchOf(ids, new Float32Array()), columns: [] }));
  const rowOf = new Map(ids.map((id, row) => [id, row]));
  return { file, ids, rows: IDS.map((id) => rowOf.get(id)!) };
}

const { file, ids, rows: ordered } = shuffled();

test('all points in the order of their ids', () => {
  expect([...drain(page(file, undefined, 10_000))]).toEqual(ordered);
  expect([...drain(page(file, undefined, 7))]).toEqual(ordered.slice(0, 7));
  expect([...drain(page(file, undefined, 1))]).toEqual(ordered.slice(0, 1));
});

test.each<[PointId, number]>([
  [0, 0],
  [3, 1],
  [4, 2],
  [9000, 3000],
  [2n ** 64n - 1n, 3001],
  ['00000000-0000-0000-0000-000000000001', 3003],
  ['a', 3004],
  ['c', 3006],
])('from the id %s on, whether it is there or not', (from, start) => {
  expect([...drain(page(file, from, 5))]).toEqual(ordered.slice(start, start + 5));
});

test.each([
  ['few', 0.01],
  ['some', 0.1],
  ['most', 0.9],
])('only %s of the rows', (_, share) => {
  const random = new Random(2);
  const some = Uint32Array.from(ids.keys()).filter(() => random.uniform() < share);
  const withGhosts = Uint32Array.of(...some, 1_000_000);
  const wanted = new Set(some);
  const expected = ordered.filter((row) => wanted.has(row));
  for (const limit of [1, 3, 100, 10_000]) {
    expect([...drain(page(file, undefined, limit, withGhosts))]).toEqual(expected.slice(0, limit));
  }
  const later = ordered.slice(1500).filter((row) => wanted.has(row));
  expect([...drain(page(file, 4500, 4, withGhosts))]).toEqual(later.slice(0, 4));
});

test('no rows at all', () => {
  expect(drain(page(file, undefined, 5, new Uint32Array()))).toHaveLength(0);
});
