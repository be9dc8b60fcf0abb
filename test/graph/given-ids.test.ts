import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LeanIndex } from '../../src/graph/lean-index.js';
import type { LeanIndexOptions } from '../../src/graph/options.js';
import { gaussianRows, rowOf, scoreOf } from './oracle.js';
import { Mirror, upTo } from './support.js';

const D = 8;
const rows = gaussianRows(400, D, 1);
/** Float32 throughout, so that scores can be compared with the model's. */
const float = { dimensions: D, primaryBits: 32, secondaryBits: 32, efConstruction: 40 } as const;
const misuse = (message: RegExp) =>
  expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) });

/** Whether the index holds what the mirror does, by its ids and by what a search returns. */
function expectEqual(index: LeanIndex, { rows: model }: Mirror, query: Float32Array): void {
  const ids = [...model.keys()].sort((a, b) => a - b);
  expect([...index.ids()]).toEqual(ids);
  expect(index.count).toBe(ids.length);
  const found = index.search(query, 500);
  expect([...found.ids].sort((a, b) => a - b)).toEqual(ids);
  found.ids.forEach((id, i) => {
    expect(found.scores[i]).toBeCloseTo(scoreOf(query, model.get(id)!, index.distance), 4);
  });
  const allowed = ids.filter((_, i) => i % 3 === 0);
  const bitmap = new Uint8Array(
    (ids.at(-1) ?? 0) < 1e6 ? Math.ceil(((ids.at(-1) ?? 0) + 1) / 8) : 0,
  );
  for (const id of allowed) if (id >> 3 < bitmap.length) bitmap[id >> 3]! |= 1 << (id & 7);
  for (const allow of bitmap.length > 0 ? [allowed, bitmap] : [allowed]) {
    const some = index.search(query, 500, { allow });
    expect([...some.ids].sort((a, b) => a - b)).toEqual(allowed);
  }
}

const id = fc.oneof(
  fc.nat(60),
  fc.nat(20_000),
  fc.integer({ min: 2 ** 32 - 5000, max: 2 ** 32 - 2 }),
);
const ids = fc.oneof(
  fc.uniqueArray(id, { maxLength: 40 }),
  // A run, whose ids share their pages.
  fc
    .record({ first: fc.nat(9000), length: fc.nat(60) })
    .map(({ first, length }) => upTo(first + length, first)),
);
const actions = fc.array(
  fc.record({
    kind: fc.constantFrom('add', 'add', 'add', 'addNext', 'update', 'delete', 'compact', 'load'),
    ids,
    pick: fc.nat(1000),
  }),
  { maxLength: 14, size: 'max' },
);

/** Adds rows under these ids, which fails as a whole where one is in use. */
async function add(
  index: LeanIndex,
  mirror: Mirror,
  wanted: number[],
  from: number,
): Promise<void> {
  const part = rows.subarray(from * D, (from + wanted.length) * D);
  const adding = index.add(part, { ids: Uint32Array.from(wanted) });
  const taken = wanted.find((one) => mirror.rows.has(one));
  if (taken !== undefined) {
    await expect(adding).rejects.toEqual(misuse(/not in use, received \d+/));
    return;
  }
  expect([...(await adding)]).toEqual(wanted);
  mirror.set(wanted, part);
}

describe('any history with given ids', () => {
  test.each<[string, Partial<LeanIndexOptions>]>([
    ['exact', {}],
    ['a graph from the start', { exactBelow: 0 }],
    ['exact, then a graph', { exactBelow: 50 }],
    ['a graph of three shards', { exactBelow: 50, shards: 3 }],
  ])('gives what a map gives: %s', async (_, options) => {
    await fc.assert(
      fc.asyncProperty(actions, ids, async (history, first) => {
        const mirror = new Mirror(D);
        const start = rows.subarray(0, first.length * D);
        const given = { ...float, ...options, ids: Uint32Array.from(first) };
        let index = await LeanIndex.build(start, given);
        mirror.set(first, start);
        let nextId = Math.max(-1, ...first) + 1;
        for (const { kind, ids: wanted, pick } of history) {
          const from = pick % 300;
          const live = [...mirror.rows.keys()];
          const one = live[pick % Math.max(1, live.length)];
          if (kind === 'add') {
            await add(index, mirror, wanted, from);
            if (wanted.every((next) => mirror.rows.has(next))) {
              nextId = Math.max(nextId, ...wanted.map((next) => next + 1));
            }
          } else if (kind === 'addNext' && nextId + 3 < 2 ** 32) {
            const part = rows.subarray(from * D, (from + 3) * D);
            expect([...(await index.add(part))]).toEqual(upTo(nextId + 3, nextId));
            mirror.set(upTo(nextId + 3, nextId), part);
            nextId += 3;
          } else if (kind === 'update' && one !== undefined) {
            await index.update(one, rowOf(rows, D, from));
            mirror.set([one], rowOf(rows, D, from));
          } else if (kind === 'delete') {
            const some = live.filter((_, i) => (i + pick) % 3 === 0);
            expect(await index.delete(some)).toBe(some.length);
            mirror.delete(some);
          } else if (kind === 'compact') {
            await index.compact();
          } else if (kind === 'load') {
            const bytes = index.toBytes();
            index = LeanIndex.fromBytes(bytes);
            expect(Buffer.compare(index.toBytes(), bytes)).toBe(0);
          }
        }
        expectEqual(index, mirror, rowOf(rows, D, 399));
      }),
      { numRuns: 60, seed: 5 },
    );
  });
});

describe('given ids', () => {
  const refusals: [string, unknown, RegExp][] = [
    ['a list', [1, 2], /ids must be a Uint32Array/],
    ['too few', Uint32Array.of(1), /one for each of the 2 rows/],
    ['one twice', Uint32Array.of(9, 9), /different from each other, received "9 twice"/],
    ['the number that stands for none', Uint32Array.of(1, 2 ** 32 - 1), /to 4294967294, received/],
    ['one in use', Uint32Array.of(8, 3), /not in use, received 3/],
  ];
  test.each(refusals)('are refused, nothing changed: %s', async (_, wrong, message) => {
    const index = await LeanIndex.build(rows.subarray(0, 4 * D), float);
    const bytes = index.toBytes();
    const options = { ids: wrong as Uint32Array };
    await expect(index.add(rows.subarray(0, 2 * D), options)).rejects.toEqual(misuse(message));
    expect(Buffer.compare(index.toBytes(), bytes)).toBe(0);
  });

  test('are no option of training', async () => {
    const options = { ...float, ids: Uint32Array.of(1) };
    await expect(LeanIndex.train(rows, options)).rejects.toEqual(misuse(/"ids"/));
  });

  test('may end with the last id, after which others must be given', async () => {
    for (const exactBelow of [0, 5, 1000]) {
      const last = 2 ** 32 - 2;
      const options = { ...float, exactBelow };
      const index = await LeanIndex.build(rowOf(rows, D, 0), {
        ...options,
        ids: Uint32Array.of(last),
      });
      const more = rows.subarray(0, 8 * D);
      await expect(index.add(more)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
      expect([...index.ids()]).toEqual([last]);
      await index.add(more, { ids: Uint32Array.from(upTo(8)) });
      expect([...index.ids()]).toEqual([...upTo(8), last]);
    }
  });

  test('far apart take little memory', async () => {
    const count = 5000;
    const spread = Uint32Array.from({ length: count }, (_, i) => 800_000 * i);
    const small = gaussianRows(count, 2, 1);
    const options = { dimensions: 2, exactBelow: 1e6 };
    const index = await LeanIndex.build(small, { ...options, ids: spread });
    const dense = await LeanIndex.build(small, options);
    const { other } = index.stats().bytesPerVector;
    expect(other - dense.stats().bytesPerVector.other).toBeLessThan(16);
  });

  test.each([
    ['an exact index', 1000],
    ['one that becomes a graph', 150],
    ['a graph', 0],
  ])('can be deleted from the call of add() on: %s', async (_, exactBelow) => {
    for (const turns of [0, 1, 3]) {
      const options = { ...float, exactBelow };
      const index = await LeanIndex.build(rows.subarray(0, 100 * D), options);
      const added = upTo(1100, 1000);
      const adding = index.add(rows.subarray(100 * D, 200 * D), { ids: Uint32Array.from(added) });
      for (let i = 0; i < turns; i++) await new Promise(setImmediate);
      expect(await index.delete([1003, 1050, 7])).toBe(3);
      expect(await index.delete([1003, 1050, 7])).toBe(0);
      await adding;
      const mirror = new Mirror(D);
      mirror.set([...upTo(100), ...added], rows.subarray(0, 200 * D));
      mirror.delete([1003, 1050, 7]);
      expectEqual(index, mirror, rowOf(rows, D, 300));
      // And they may come back.
      await index.add(rowOf(rows, D, 301), { ids: Uint32Array.of(1050) });
      mirror.set([1050], rowOf(rows, D, 301));
      expectEqual(index, mirror, rowOf(rows, D, 300));
    }
  });

  test('of an addition that was aborted are free', async () => {
    for (const exactBelow of [0, 150, 1000]) {
      const index = await LeanIndex.build(rows.subarray(0, 100 * D), { ...float, exactBelow });
      const wanted = Uint32Array.from(upTo(50), (i) => 7 * (200 - i));
      const part = rows.subarray(100 * D, 150 * D);
      const stop = new AbortController();
      const options = { ids: wanted, signal: stop.signal, onProgress: () => stop.abort() };
      const adding = index.add(part, options);
      if (exactBelow === 1000) stop.abort();
      await expect(adding).rejects.toMatchObject({ code: 'ABORTED' });
      expect([...index.ids()]).toEqual(upTo(100));
      await index.add(part, { ids: wanted });
      const mirror = new Mirror(D);
      mirror.set([...upTo(100), ...wanted], rows.subarray(0, 150 * D));
      expectEqual(index, mirror, rowOf(rows, D, 300));
    }
  });
});

describe('ids()', () => {
  test('leaves out what is still being added', async () => {
    const index = await LeanIndex.build(rows.subarray(0, 100 * D), { ...float, exactBelow: 0 });
    const seen = new Set<number>();
    await index.add(rows.subarray(100 * D), {
      onProgress: () => seen.add(index.ids().length).add(index.count),
    });
    expect([...seen]).toEqual([100]);
    expect([...index.ids()]).toEqual(upTo(400));
  });

  test('is a copy', async () => {
    const index = await LeanIndex.build(rows, float);
    index.ids().fill(0);
    expect([...index.ids()]).toEqual(upTo(400));
  });
});
