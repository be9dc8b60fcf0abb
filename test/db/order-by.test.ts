import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Point } from '../../src/db/types.js';
import { codeOf, idsOf, newCollection } from './support.js';

const aPayload = fc.oneof(
  fc.constant(null),
  fc.record({
    n: fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constant('text'), fc.constant(null)),
  }),
  fc.record({ n: fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 3 }) }),
);

/** Ids by the first of their values, equal values in the order of ids, which is that of writing. */
function inOrder(
  payloads: readonly ({ n: unknown } | null)[],
  isDescending: boolean,
  from?: number,
) {
  const pairs = payloads.flatMap((payload, id) => {
    const values = [payload?.n].flat().filter((value) => typeof value === 'number');
    return values.map((value) => ({ id, value }));
  });
  const kept = pairs.filter(({ value }) =>
    from === undefined ? true : isDescending ? value <= from : value >= from,
  );
  kept.sort((a, b) => a.value - b.value || a.id - b.id);
  if (isDescending) kept.reverse();
  const seen = new Map(kept.toReversed().map((pair) => [pair.id, pair.value]));
  return [...new Set(kept.map(({ id }) => id))].map((id) => ({ id, orderValue: seen.get(id)! }));
}

describe('the order of a payload field', () => {
  test('is that of its values, whatever they are', async () => {
    const docs = await newCollection(1);
    await docs.createPayloadIndex('n', 'integer');
    await fc.assert(
      fc.asyncProperty(
        fc.array(aPayload, { minLength: 1, maxLength: 30 }),
        fc.boolean(),
        fc.option(fc.integer({ min: -9, max: 9 }), { nil: undefined }),
        fc.integer({ min: 1, max: 35 }),
        async (payloads, isDescending, startFrom, limit) => {
          await docs.delete({ filter: {} });
          await docs.upsert(payloads.map((payload, id) => ({ id, vector: [id], payload })));
          const direction = isDescending ? ('desc' as const) : ('asc' as const);
          const orderBy = { field: 'n', direction, startFrom };
          const expected = inOrder(payloads, isDescending, startFrom).slice(0, limit);
          const hits = await docs.query({ orderBy, limit, withPayload: false });
          expect(hits).toEqual(expected.map((one) => ({ score: 0, ...one })));
          const page = await docs.scroll({ orderBy, limit, withPayload: false });
          expect(page).toEqual({ points: expected, next: null });
        },
      ),
      { seed: 3, numRuns: 40 },
    );
  });

  test('follows writes, filters and offsets', async () => {
    const docs = await newCollection(1);
    const points: Point[] = Array.from({ length: 5_000 }, (_, id) => ({
      id,
      vector: [id],
      payload: { n: (id * 7919) % 5_000, half: id % 2 },
    }));
    await docs.upsert(points);
    await docs.createPayloadIndex('n', 'float');
    const idOf = (n: number) =>
      points.findIndex(({ payload }) => (payload as { n: number }).n === n);
    const orderBy = { field: 'n', startFrom: 2_000.5 };
    expect(idsOf(await docs.query({ orderBy, limit: 3, offset: 2 }))).toEqual(
      [2_003, 2_004, 2_005].map(idOf),
    );
    await docs.delete([idOf(2_001)]);
    await docs.setPayload([idOf(2_002)], { n: -1 });
    await docs.upsert([{ id: 'new', vector: [0], payload: { n: 2_002.5, half: 0 } }]);
    expect(idsOf(await docs.query({ orderBy, limit: 2 }))).toEqual(['new', idOf(2_003)]);
    expect(idsOf(await docs.query({ orderBy: 'n', limit: 1 }))).toEqual([idOf(2_002)]);
    const filter = { must: { key: 'half', match: { value: 0 } } };
    const even = [...Array(5_000).keys()].filter((n) => n > 2_002 && idOf(n) % 2 === 0);
    expect(idsOf(await docs.query({ orderBy, filter, limit: 4 }))).toEqual([
      'new',
      ...even.slice(0, 3).map(idOf),
    ]);
  });

  test('of instants begins with one as text', async () => {
    const docs = await newCollection(1);
    await docs.createPayloadIndex('at', 'datetime');
    await docs.upsert(
      ['2024-01-01', '2023-05-01T12:00:00Z', '2025-02-03'].map((at, id) => ({
        id,
        vector: [id],
        payload: { at },
      })),
    );
    expect(idsOf(await docs.query({ orderBy: 'at' }))).toEqual([1, 0, 2]);
    const [first, second] = await docs.query({ orderBy: { field: 'at', startFrom: '2024-01-01' } });
    expect([first!.id, second!.id]).toEqual([0, 2]);
    expect(first!.orderValue).toBe(Date.UTC(2024, 0, 1) * 1000);
    const startFrom = 5;
    expect(await codeOf(docs.query({ orderBy: { field: 'at', startFrom } }))).toBe(
      'INVALID_ARGUMENT',
    );
  });

  test.each([
    [{ orderBy: 'm' }],
    [{ orderBy: 'word' }],
    [{ orderBy: 7 }],
    [{ orderBy: { field: 'n', direction: 'up' } }],
    [{ orderBy: { field: 'n', startFrom: '1' } }],
    [{ orderBy: { field: 'n', startFrom: Number.NaN } }],
    [{ orderBy: { key: 'n' } }],
    [{ orderBy: 'n', scoreThreshold: 1 }],
    [{ orderBy: 'n', exact: true }],
    [{ orderBy: 'n', vector: [1] }],
    [{ orderBy: 'n', mmr: {} }],
  ])('%j is refused', async (query) => {
    const docs = await newCollection(1);
    await docs.createPayloadIndex('n', 'integer');
    await docs.createPayloadIndex('word', 'keyword');
    expect(await codeOf(docs.query(query as never))).toBe('INVALID_ARGUMENT');
  });

  test('has no offset in pages', async () => {
    const docs = await newCollection(1);
    await docs.createPayloadIndex('n', 'integer');
    expect(await codeOf(docs.scroll({ orderBy: 'n', offset: 1 }))).toBe('INVALID_ARGUMENT');
  });
});
