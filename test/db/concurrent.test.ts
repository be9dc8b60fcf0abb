import { expect, test } from 'vitest';
import type { Collection } from '../../src/db/collection.js';
import type { Point } from '../../src/db/types.js';
import { coreOf, emptyFolder, idsOf, openHere, somePoints } from './support.js';

const SIZE = 8;
const GREEN = { must: { key: 'color', match: { value: 'green' } } };

async function indexed(points: readonly Point[], path?: string): Promise<Collection> {
  const db = await openHere(path);
  const index = { exactBelow: 200 };
  const docs = await db.createCollection('points', {
    vectors: { size: SIZE, distance: 'Euclid', index },
  });
  await docs.upsert(points);
  await docs.optimize();
  return docs;
}

/** Writes the same points again and again while it reads. */
async function whileRewriting(
  docs: Collection,
  points: readonly Point[],
  read: () => Promise<void>,
): Promise<void> {
  let isOver = false;
  const writing = (async () => {
    while (!isOver) {
      // Several at once, so that memory is always some writes behind.
      const parts = [0, 1, 2, 3].map((part) => points.filter((_, i) => i % 4 === part));
      await Promise.all(parts.map((part) => docs.upsert(part)));
    }
  })();
  try {
    await read();
  } finally {
    isOver = true;
    await writing;
  }
}

test('every search finds a point that is being written anew', async () => {
  const points = somePoints(1_000, SIZE);
  const docs = await indexed(points);
  const target = points[7]!;
  const { vector } = target;
  await whileRewriting(docs, [target], async () => {
    for (let i = 0; i < 20; i++) {
      const query = { vector, limit: 1, withPayload: false };
      expect(idsOf(await docs.query(query))).toEqual([7]);
      expect(idsOf(await docs.query({ ...query, filter: GREEN }))).toEqual([7]);
      expect(idsOf(await docs.query({ ...query, rescore: 'exact' }))).toEqual([7]);
      expect(idsOf(await docs.query({ ...query, exact: true }))).toEqual([7]);
      const both = await docs.queryBatch([query, { ...query, vector: vector.slice() }]);
      expect(both.map(idsOf)).toEqual([[7], [7]]);
    }
  });
});

test('a point is no result of its own query while it is being written anew', async () => {
  const points = somePoints(300, SIZE);
  const docs = await indexed(points);
  await whileRewriting(docs, [points[7]!], async () => {
    const others = points.slice(10, 40).map(({ id }) => ({ id, limit: 1, withPayload: false }));
    for (let i = 0; i < 10; i++) {
      const [hits] = await docs.queryBatch([{ id: 7, limit: 299, withPayload: false }, ...others]);
      const ids = idsOf(hits!).toSorted((a, b) => Number(a) - Number(b));
      expect(ids).toEqual(idsOf(points).filter((id) => id !== 7));
    }
  });
});

test('pages hold every point while all are being written anew', async () => {
  const points = somePoints(1_000, SIZE);
  const docs = await indexed(points, emptyFolder());
  await whileRewriting(docs, points, async () => {
    for (const filter of [undefined, GREEN]) {
      const ids: unknown[] = [];
      for (let next: Point['id'] | null | undefined; next !== null; ) {
        const page = await docs.scroll({
          limit: 400,
          ...(filter && { filter }),
          ...(next !== undefined && { offset: next }),
        });
        ids.push(...idsOf(page.points));
        next = page.next;
      }
      const wanted = filter ? points.filter(({ payload }) => payload.color === 'green') : points;
      expect(ids).toEqual(idsOf(wanted));
      expect(await docs.count(filter && { filter })).toBe(wanted.length);
    }
  });
});

test('a change of which nobody knew is known after the loss, whatever was written since', async () => {
  const docs = await indexed(somePoints(10, SIZE), emptyFolder());
  await docs.createPayloadIndex('n', 'integer');
  const core = coreOf(docs);
  // Committed, but the answer is lost.
  await core.stored.changePayload({ ids: [3] }, { kind: 'set', payload: { n: 77 } });
  core.noteLoss();
  await docs.upsert(somePoints(1, SIZE));
  await core.recover();
  expect(await docs.count({ filter: { must: { key: 'n', match: { value: 77 } } } })).toBe(1);
});

test('a stream ends when its collection is closed, and writes nothing more', async () => {
  const path = emptyFolder();
  const db = await openHere(path);
  const docs = await db.createCollection('points', { vectors: { size: SIZE } });
  let closing: Promise<void> | undefined;
  async function* source() {
    for (const [i, point] of somePoints(5_000, SIZE).entries()) {
      if (i === 2_500) closing = db.close();
      yield point;
    }
  }
  await expect(docs.upsert(source())).rejects.toMatchObject({ code: 'CLOSED' });
  await closing;
  const again = await (await openHere(path)).collection('points');
  expect(await again.count()).toBe(2_500);
});

test('a change of many payloads lets the event loop turn, and is seen wholly or not at all', async () => {
  const docs = await indexed(somePoints(20_000, SIZE));
  await docs.createPayloadIndex('color', 'keyword');
  let isOver = false;
  const changing = docs.setPayload({ filter: {} }, { color: 'grey' }).finally(() => {
    isOver = true;
  });
  const grey = { must: { key: 'color', match: { value: 'grey' } } };
  const counts = new Set<number>();
  const { changePayloads } = coreOf(docs).state;
  let turns = 0;
  coreOf(docs).state.changePayloads = async function (changed) {
    const change = changePayloads.call(this, changed);
    for (; this.changing !== undefined; turns++) await new Promise(setImmediate);
    return change;
  };
  while (!isOver) {
    counts.add(await docs.count({ filter: grey }));
    await new Promise(setImmediate);
  }
  await changing;
  counts.add(await docs.count({ filter: grey }));
  expect(turns).toBeGreaterThan(1);
  expect([...counts]).toEqual([0, 20_000]);
});
