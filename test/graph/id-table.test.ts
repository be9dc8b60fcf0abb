import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { IdTable, type Place } from '../../src/graph/id-table.js';
import { errorOf } from '../datasets/support.js';

const FREE = 0xffff_ffff;

/** A table of `count` ids, each in the slot of its number. */
function inOrder(count: number): IdTable {
  const table = new IdTable();
  for (let slot = 0; slot < count; slot++) table.assign(slot);
  return table;
}

const exported = (table: IdTable) => Array.from({ length: table.shards }, (_, s) => table.idsOf(s));

/** Compares every answer of a table with a map from id to place. */
function expectEqual(table: IdTable, model: ReadonlyMap<number, Place>, nextId: number): void {
  expect([table.size, table.nextId]).toEqual([model.size, nextId]);
  for (const [id, { shard, slot }] of model) {
    expect(table.place(id)).toEqual({ shard, slot });
    expect([table.slotOf(id), table.shardOf(id)]).toEqual([slot, shard]);
    expect(table.idAt(shard, slot)).toBe(id);
  }
  const inOrder = [...model.keys()].sort((a, b) => a - b);
  expect([...table.liveIds()]).toEqual(inOrder);
  const found = exported(table).flatMap((ids) => [...ids].filter((id) => id !== FREE));
  expect(found.sort((a, b) => a - b)).toEqual(inOrder);
}

describe('ids', () => {
  test('count from 0 and say where they live', () => {
    const table = new IdTable();
    expect([table.size, table.nextId, table.shards]).toEqual([0, 0, 0]);
    expect([table.assign(7), table.assign(0, 2), table.assign(2 ** 31 - 1)]).toEqual([0, 1, 2]);
    expect(table.place(0)).toEqual({ shard: 0, slot: 7 });
    expect(table.place(1)).toEqual({ shard: 2, slot: 0 });
    expect(table.slotOf(2)).toBe(2 ** 31 - 1);
    expect([table.idAt(2, 0), table.idAt(0, 0), table.idAt(9, 0)]).toEqual([1, -1, -1]);
    expect([table.size, table.nextId, table.shards]).toEqual([3, 3, 3]);
  });

  test('that do not live are nowhere', () => {
    const table = inOrder(3);
    for (const id of [3, -1, 0.5, Number.NaN, 2 ** 32, 2 ** 40]) {
      expect([table.place(id), table.slotOf(id), table.shardOf(id)]).toEqual([undefined, -1, -1]);
      expect(table.remove(id)).toBe(false);
    }
  });

  test('are never used twice, their slots are', () => {
    const table = inOrder(3);
    expect(table.remove(1)).toBe(true);
    expect(table.remove(1)).toBe(false);
    expect([table.slotOf(1), table.idAt(0, 1), table.size]).toEqual([-1, -1, 2]);
    expect(table.assign(1)).toBe(3);
    expect(table.idAt(0, 1)).toBe(3);
  });

  test('stay when they move', () => {
    const table = inOrder(3);
    table.move(2, 1, 40);
    expect(table.place(2)).toEqual({ shard: 1, slot: 40 });
    expect([table.idAt(0, 2), table.idAt(1, 40)]).toEqual([-1, 2]);
    table.move(2, 0, 2);
    expect(table.place(2)).toEqual({ shard: 0, slot: 2 });
  });

  test('do not share a slot', () => {
    const table = inOrder(3);
    const taken = { code: 'INTERNAL', message: 'slot 1 of shard 0 holds id 1' };
    expect(errorOf(() => table.assign(1))).toMatchObject(taken);
    expect(errorOf(() => table.move(0, 0, 1))).toMatchObject(taken);
    expect(errorOf(() => table.move(5, 0, 9))).toMatchObject({ message: 'id 5 does not live' });
    expect(errorOf(() => table.assign(9, 0, 1))).toMatchObject({ message: 'id 1 lives already' });
    expectEqual(table, new Map([0, 1, 2].map((id) => [id, { shard: 0, slot: id }])), 3);
  });

  test('live in slots and shards that exist', () => {
    const table = new IdTable();
    for (const slot of [-1, 0.5, 2 ** 31]) {
      expect(errorOf(() => table.assign(slot)).code).toBe('INVALID_ARGUMENT');
    }
    expect(errorOf(() => table.assign(0, 256)).code).toBe('INVALID_ARGUMENT');
    expect(table.nextId).toBe(0);
  });

  test('end after 2^32 - 1 of them', () => {
    const table = IdTable.from([], 2 ** 32 - 2);
    expect(table.assign(5)).toBe(2 ** 32 - 2);
    expect(table.idAt(0, 5)).toBe(2 ** 32 - 2);
    const error = errorOf(() => table.assign(6));
    expect([error.code, table.nextId, table.size]).toEqual(['RESOURCE_EXHAUSTED', 2 ** 32 - 1, 1]);
    expect(table.remove(2 ** 32 - 2)).toBe(true);
  });
});

/** What may happen to a table, as numbers that the state gives a meaning. */
const actions = fc.array(
  fc.record({
    kind: fc.constantFrom('assign', 'assign', 'give', 'give', 'move', 'remove', 'remove', 'save'),
    pick: fc.nat(1_000_000),
    slot: fc.oneof(fc.nat(60), fc.nat(20_000)),
    shard: fc.nat(2),
  }),
  { maxLength: 200 },
);

describe('any history', () => {
  test('gives what a map gives', () => {
    // Several starts: an empty table, and ones where a page of ids or slots is about to begin.
    const start = fc.constantFrom(0, 4000, 4095, 4096, 2 ** 32 - 4300);
    fc.assert(
      fc.property(start, actions, (first, history) => {
        let table = IdTable.from([], first);
        let nextId = first;
        const model = new Map<number, Place>();
        const isFree = ({ shard, slot }: Place) =>
          ![...model.values()].some((other) => other.shard === shard && other.slot === slot);
        for (const { kind, pick, slot, shard } of history) {
          const id = [...model.keys()][pick % Math.max(1, model.size)];
          if (kind === 'assign' && isFree({ shard, slot })) {
            expect(table.assign(slot, shard)).toBe(nextId);
            model.set(nextId++, { shard, slot });
          } else if (kind === 'give' && isFree({ shard, slot })) {
            const given = pick % 2 === 0 ? pick % 5000 : pick * 4000;
            if (model.has(given)) continue;
            expect(table.assign(slot, shard, given)).toBe(given);
            model.set(given, { shard, slot });
            nextId = Math.max(nextId, given + 1);
          } else if (kind === 'move' && id !== undefined && isFree({ shard, slot })) {
            table.move(id, shard, slot);
            model.set(id, { shard, slot });
          } else if (kind === 'remove' && id !== undefined) {
            expect(table.remove(id)).toBe(true);
            expect(table.slotOf(id)).toBe(-1);
            model.delete(id);
          } else if (kind === 'save') {
            table = IdTable.from(exported(table), table.nextId);
          }
        }
        expectEqual(table, model, nextId);
      }),
      { numRuns: 150 },
    );
  });

  test('of pages that thin out gives what a map gives', () => {
    const random = new Random(1);
    const count = 20_000;
    let table = inOrder(count);
    const model = new Map<number, Place>();
    for (let id = 0; id < count; id++) model.set(id, { shard: 0, slot: id });
    const order = random.permutation(count);
    order.forEach((id, i) => {
      table.remove(id);
      model.delete(id);
      // Some survivors move, across shards too, while pages are dense and sparse.
      const other = order[count - 1 - random.below(200)]!;
      if (model.has(other) && i % 50 === 0) {
        const place = { shard: i % 3, slot: count + i };
        table.move(other, place.shard, place.slot);
        model.set(other, place);
      }
      if (i % 4000 === 0) table = IdTable.from(exported(table), table.nextId);
      if (i % 2500 === 0 || i > count - 20) expectEqual(table, model, count);
    });
    expect([table.size, table.byteLength]).toEqual([0, 0]);
  });
});

describe('memory', () => {
  test('is about 8 bytes a vector', () => {
    const count = 200_000;
    expect(inOrder(count).byteLength / count).toBeLessThan(8.4);
  });

  test('follows the live ids through turnovers', () => {
    const random = new Random(3);
    const live = 20_000;
    const table = inOrder(live);
    for (let turn = 0; turn < 12 * live; turn++) {
      const slot = random.below(live);
      table.remove(table.idAt(0, slot));
      table.assign(slot);
    }
    expect([table.size, table.nextId]).toEqual([live, 13 * live]);
    expect(table.byteLength / live).toBeLessThan(14);
  });

  test('stays small where few of many ids survive', () => {
    const table = new IdTable();
    const pages = 200;
    for (let id = 0; id < pages * 4096; id++) {
      const survives = id % 4096 === 77;
      table.assign(survives ? Math.floor(id / 4096) : 4095);
      if (!survives) table.remove(id);
    }
    expect(table.size).toBe(pages);
    // A page of slots and a few bytes an id; dense pages of ids would take 3 MB.
    expect(table.byteLength).toBeLessThan(20_000);
  });

  test('is the same whatever the order in which a page fills', () => {
    const random = new Random(4);
    const table = new IdTable();
    const order = random.permutation(3 * 4096);
    for (const [slot, id] of order.entries()) table.assign(slot, 0, id);
    expect(table.byteLength).toBe(inOrder(3 * 4096).byteLength);
    for (const [slot, id] of order.entries()) expect(table.idAt(0, slot)).toBe(id);
    expect([...table.liveIds()]).toEqual([...order].sort((a, b) => a - b));
  });

  test('stays small where a file has few ids far apart', () => {
    const ids = Uint32Array.from({ length: 10_000 }, (_, i) => i * 400_000);
    const table = IdTable.from([ids], 2 ** 32 - 1);
    expect(table.byteLength / 10_000).toBeLessThan(12);
    expect(table.slotOf(9_999 * 400_000)).toBe(9_999);
  });
});

describe('ids by slot', () => {
  test('come back as they were', () => {
    const table = IdTable.from(
      [Uint32Array.of(4, FREE, 2), Uint32Array.of(), Uint32Array.of(0)],
      9,
    );
    expect(exported(table)).toEqual([
      Uint32Array.of(4, FREE, 2),
      Uint32Array.of(),
      Uint32Array.of(0),
    ]);
    expect([table.size, table.nextId, table.assign(1)]).toEqual([3, 9, 9]);
  });

  test('end at the last used slot', () => {
    const table = inOrder(5);
    table.remove(4);
    table.remove(2);
    expect(table.idsOf(0)).toEqual(Uint32Array.of(0, 1, FREE, 3));
    expect(table.idsOf(1)).toEqual(new Uint32Array(0));
  });

  test('are refused where an id occurs twice', () => {
    const twice: Uint32Array[][] = [
      [Uint32Array.of(1, 1)],
      [Uint32Array.of(0, 5), Uint32Array.of(5)],
      // Out of order in a sparse page, and more than a page can hold.
      [Uint32Array.of(9, 3, 7, 9)],
      [new Uint32Array(5000).fill(3)],
      [Uint32Array.from({ length: 4000 }, (_, i) => (i === 3999 ? 17 : i))],
    ];
    for (const shards of twice) {
      const error = errorOf(() => IdTable.from(shards, 100_000));
      expect(error.message).toMatch(
        /^the ids in all slots must be different from each other, received "\d+ twice"$/,
      );
      expect(errorOf(() => IdTable.from(shards, 10_000)).code).toBe('INVALID_ARGUMENT');
    }
  });

  test('are refused from nextId on, like other wrong arguments', () => {
    const error = errorOf(() => IdTable.from([Uint32Array.of(0, 7)], 7));
    expect(error.message).toBe('the id in a slot must be below 7, received 7');
    for (const nextId of [-1, 0.5, 2 ** 32]) {
      expect(errorOf(() => IdTable.from([], nextId)).code).toBe('INVALID_ARGUMENT');
    }
    const many = Array.from({ length: 257 }, () => new Uint32Array(0));
    expect(errorOf(() => IdTable.from(many, 0)).message).toMatch(/number of shards/);
    expect(errorOf(() => IdTable.from([[1] as never], 5)).name).toBe('TypeError');
  });
});

describe('changes', () => {
  test('are told by slot while they are recent', () => {
    const table = inOrder(10);
    const since = table.version;
    table.remove(3);
    table.assign(3);
    table.move(4, 1, 8);
    const seen: string[] = [];
    expect(table.replay(since, (shard, slot) => seen.push(`${shard}/${slot}`))).toBe(true);
    expect(seen).toEqual(['0/3', '0/3', '0/4', '1/8']);
    for (let slot = 100; slot < 2000; slot++) table.assign(slot);
    expect(table.replay(since, () => expect.fail())).toBe(false);
    expect(table.replay(table.version, () => expect.fail())).toBe(true);
  });
});
