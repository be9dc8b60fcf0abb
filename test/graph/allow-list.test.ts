import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { AllowList } from '../../src/graph/allow-list.js';
import type { AllowedIds } from '../../src/graph/id-set.js';
import { IdTable } from '../../src/graph/id-table.js';
import { errorOf } from '../datasets/support.js';

/** A table of `count` ids, each in the slot of its number plus `shift`. */
function inOrder(count: number, shift = 0): IdTable {
  const table = new IdTable();
  for (let slot = 0; slot < count; slot++) table.assign(slot + shift);
  return table;
}

/** A table after many deletions, insertions and moves, in three shards. */
function churned(count: number, seed: number): IdTable {
  const random = new Random(seed);
  const table = inOrder(count);
  for (let step = 0; step < 2 * count; step++) {
    const [shard, slot] = [random.below(3), random.below(count)];
    const id = table.idAt(shard, slot);
    if (id < 0) table.assign(slot, shard);
    else if (step % 3 > 0) table.remove(id);
    else if (table.idAt(2, slot) < 0) table.move(id, 2, slot);
  }
  return table;
}

/** Ids with gaps, some of them replaced by later ones: few moves of many bits, whatever the order. */
function withGaps(count: number, seed: number): IdTable {
  const random = new Random(seed);
  const table = new IdTable();
  let id = 0;
  for (let slot = 0; slot < count; slot++, id++) {
    while (random.uniform() < 0.1) id += 1 + random.below(40);
    table.assign(slot, 0, id);
  }
  for (let i = 0; i < count / 10; i++) {
    const slot = random.below(count);
    table.remove(table.idAt(0, slot));
    table.assign(slot);
  }
  return table;
}

/** Ids in the reverse order of their slots, and at random: each bit lies elsewhere. */
function backwards(count: number, seed: number): IdTable {
  const table = new IdTable();
  const mixed = new Random(seed).permutation(count);
  for (let slot = 0; slot < count; slot++) table.assign(slot, 0, 2 * count - slot);
  mixed.forEach((id, slot) => {
    table.assign(slot, 1, id);
  });
  return table;
}

function bitmapOf(ids: Iterable<number>, bytes: number): Uint8Array {
  const bitmap = new Uint8Array(bytes);
  for (const id of ids) bitmap[id >> 3]! |= 1 << (id & 7);
  return bitmap;
}

/** Looks at every slot: its bit is set exactly if an allowed id lives there. */
function expectExact(list: AllowList, table: IdTable, allowed: ReadonlySet<number>): void {
  let total = 0;
  for (let shard = 0; shard < table.shards; shard++) {
    const ids = table.idsOf(shard);
    const bits = list.slotsOf(shard);
    expect(bits.length * 8).toBeGreaterThanOrEqual(ids.length);
    let count = 0;
    for (let slot = 0; slot < bits.length * 8; slot++) {
      const expected = slot < ids.length && allowed.has(ids[slot]!);
      if (expected) count++;
      const found = ((bits[slot >> 3]! >> (slot & 7)) & 1) === 1;
      if (found !== expected) expect.fail(`shard ${shard}, slot ${slot} should be ${expected}`);
    }
    expect(list.countOf(shard)).toBe(count);
    total += count;
  }
  expect(list.count).toBe(total);
}

/** The same ids in every form that is taken. */
function forms(ids: ReadonlySet<number>, nextId: number, random: Random): AllowedIds[] {
  const ascending = [...ids].sort((a, b) => a - b);
  const mixed = Array.from(random.permutation(ids.size), (i) => ascending[i]!);
  const bytes = Math.ceil(nextId / 8);
  const end = (ascending.at(-1) ?? -1) + 1;
  return [
    bitmapOf(ids, bytes),
    bitmapOf(ids, Math.ceil(end / 8)),
    bitmapOf([...ids, nextId, nextId + 40], bytes + 6),
    Uint32Array.from(mixed),
    [...mixed, ...mixed.slice(0, 3)],
    new Set(mixed),
  ];
}

describe('an allow list', () => {
  test('golden: a bitmap and a list of the same ids', () => {
    const table = inOrder(20);
    for (const allowed of [Uint8Array.of(0b0000_0101, 0b1000_0000), [0, 15, 2]]) {
      const list = new AllowList(allowed, table);
      expect([...list.slotsOf(0).subarray(0, 4)]).toEqual([5, 128, 0, 0]);
      expect([list.count, list.countOf(0), list.countOf(1)]).toEqual([3, 3, 0]);
      expect([list.has(2), list.has(3), list.has(99), list.has(-1)]).toEqual([
        ...[true, false, false, false],
      ]);
    }
  });

  test('is the same from every form, whatever lies where', () => {
    const random = new Random(2);
    const tables = [
      inOrder(0),
      inOrder(1),
      inOrder(4096),
      inOrder(9000),
      inOrder(9000, 4096),
      inOrder(9000, 37),
      churned(6000, 1),
      churned(200, 2),
      withGaps(9000, 3),
      backwards(5000, 4),
    ];
    for (const table of tables) {
      for (const share of [0, 0.001, 0.1, 0.7, 1]) {
        const ids = new Set<number>();
        for (let id = 0; id < table.nextId; id++) if (random.uniform() < share) ids.add(id);
        for (const allowed of forms(ids, table.nextId, random)) {
          expectExact(new AllowList(allowed, table), table, ids);
        }
      }
    }
  });

  test('reads runs of ids that start anywhere, with gaps', () => {
    const random = new Random(3);
    for (const shift of [1, 31, 32, 33, 4095, 5000]) {
      // Ids lie behind their slots, as after the first ids of a collection were deleted.
      const table = inOrder(shift);
      for (let id = 0; id < shift; id++) table.remove(id);
      for (let slot = 0; slot < 5000; slot++) table.assign(slot);
      for (let i = 0; i < 300; i++) table.remove(shift + random.below(5000));
      const ids = new Set(Array.from({ length: 2500 }, () => random.below(table.nextId)));
      const bytes = Math.ceil(table.nextId / 8);
      expectExact(new AllowList(bitmapOf(ids, bytes), table), table, ids);
    }
  });

  test('takes a copy of what it is given', () => {
    const table = inOrder(16);
    const bitmap = Uint8Array.of(1, 0);
    const ids = Uint32Array.of(3);
    const lists = [new AllowList(bitmap, table), new AllowList(ids, table)];
    bitmap.fill(255);
    ids.fill(4);
    table.remove(15);
    expect(lists.map((list) => list.slotsOf(0)[0])).toEqual([1, 8]);
  });

  test('knows its table', () => {
    const table = inOrder(3);
    const list = new AllowList([1], table);
    expect([list.belongsTo(table), list.belongsTo(inOrder(3))]).toEqual([true, false]);
  });
});

describe('a kept allow list', () => {
  test('follows deletions, reused slots and moves', () => {
    const table = inOrder(100);
    const list = new AllowList([5, 6, 7], table);
    table.remove(5);
    expect([list.count, list.has(5)]).toEqual([2, false]);
    // Another vector in the slot of an allowed one is not allowed.
    expect(table.assign(5)).toBe(100);
    expect(list.count).toBe(2);
    table.move(6, 1, 4097);
    expect([list.countOf(0), list.countOf(1)]).toEqual([1, 1]);
    expect(list.slotsOf(1)[4097 >> 3]).toBe(2);
    expectExact(list, table, new Set([6, 7]));
  });

  test('never holds vectors that were added after it was made', () => {
    const table = inOrder(10);
    const list = new AllowList(new Uint8Array(100).fill(255), table);
    for (let slot = 10; slot < 5000; slot++) table.assign(slot);
    expect(list.count).toBe(10);
    expectExact(list, table, new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });

  test('after any changes is what a new one is', () => {
    const change = fc.record({
      kind: fc.constantFrom('assign', 'remove', 'move', 'look'),
      slot: fc.oneof(fc.nat(80), fc.nat(9000)),
      shard: fc.nat(2),
    });
    const history = fc.array(change, { maxLength: 60 });
    fc.assert(
      fc.property(history, fc.integer(), fc.boolean(), fc.boolean(), (changes, seed, few, long) => {
        const random = new Random(seed);
        const table = inOrder(60);
        const ids = new Set(Array.from({ length: few ? 1 : 30 }, () => random.below(60)));
        const list = new AllowList(few ? ids : bitmapOf(ids, 8), table);
        for (const { kind, slot, shard } of changes) {
          const id = table.idAt(0, slot % 60);
          const isFree = table.idAt(shard, slot) < 0;
          if (kind === 'assign' && isFree) table.assign(slot, shard);
          else if (kind === 'remove') table.remove(id);
          else if (kind === 'move' && id >= 0 && isFree) table.move(id, shard, slot);
          else if (kind === 'look') expectExact(list, table, ids);
        }
        // More changes than are remembered.
        for (let i = 0; long && i < 600; i++) table.remove(table.assign(9001));
        expectExact(list, table, ids);
      }),
      { numRuns: 100 },
    );
  });

  test('has a revision that changes with its bits only', () => {
    const table = inOrder(100);
    const list = new AllowList([5, 6], table);
    const first = list.revisionOf(0);
    table.assign(100);
    table.remove(50);
    expect(list.revisionOf(0)).toBe(first);
    table.remove(5);
    expect(list.revisionOf(0)).not.toBe(first);
    expect(list.revisionOf(3)).toBe(0);
  });
});

describe('an allow list refuses', () => {
  const table = inOrder(10);
  const failure = (allowed: unknown) => errorOf(() => new AllowList(allowed as AllowedIds, table));

  test.each<[string, AllowedIds]>([
    ['an array', [3, 10]],
    ['a Uint32Array', Uint32Array.of(10)],
    ['a Set', new Set([10])],
  ])('an id that was never assigned in %s', (_, allowed) => {
    const error = failure(allowed);
    expect([error.name, error.code]).toEqual(['RangeError', 'INVALID_ARGUMENT']);
    expect(error.message).toBe(
      'an id in allow must be one that was assigned (0 to 9), received 10',
    );
  });

  test('what is no id', () => {
    expect(failure([-1]).name).toBe('RangeError');
    expect(failure([1.5]).name).toBe('RangeError');
    expect(failure(['1']).message).toBe('an id in allow must be a number, received "1"');
    expect(failure(new Array(2)).name).toBe('TypeError');
    expect(errorOf(() => new AllowList([0], new IdTable())).message).toMatch(/there are none/);
  });

  test.each([
    [undefined],
    [null],
    ['abc'],
    [{}],
    [5],
    [Int32Array.of(1)],
    [new Map([[1, 1]])],
    [new ArrayBuffer(2)],
  ])('%s', (allowed) => {
    expect(failure(allowed).name).toBe('TypeError');
    expect(failure(allowed).message).toMatch(/allow must be a Uint8Array bitmap, or/);
  });
});
