import { describe, expect, test } from 'vitest';
import type { Collection } from '../../src/db/collection.js';
import type { Database } from '../../src/db/database.js';
import { codeOf, emptyFolder, openHere, somePoints } from './support.js';

const SIZE = 8;
const VECTORS = {
  vectors: { size: SIZE, distance: 'Euclid' as const, index: { exactBelow: 100 } },
};
const points = somePoints(3_000, SIZE);
const [{ vector }] = points as [(typeof points)[number]];

/** Every method, with arguments that are fine. */
const READS: Readonly<Record<string, (docs: Collection) => Promise<unknown>>> = {
  query: (docs) => docs.query({ vector }),
  'query, exact': (docs) => docs.query({ vector, exact: true }),
  queryBatch: (docs) => docs.queryBatch([{ vector }, { id: 3 }]),
  'query, fused': (docs) => docs.query({ prefetch: [{ vector }, { id: 3 }], fusion: 'rrf' }),
  'query, diverse': (docs) => docs.query({ vector, mmr: {} }),
  queryGroups: (docs) => docs.queryGroups({ vector, groupBy: 'color' }),
  retrieve: (docs) => docs.retrieve([1]),
  scroll: (docs) => docs.scroll(),
  count: (docs) => docs.count({ filter: { must: { key: 'half', match: { value: 1 } } } }),
  facet: (docs) => docs.facet('color'),
  info: (docs) => docs.info(),
};
const WRITES: Readonly<Record<string, (docs: Collection) => Promise<unknown>>> = {
  upsert: (docs) => docs.upsert(points.slice(0, 3)),
  'upsert of a stream': (docs) => docs.upsert(points.slice(0, 3).values()),
  delete: (docs) => docs.delete([2_999]),
  updateVectors: (docs) => docs.updateVectors([{ id: 4, vector }]),
  setPayload: (docs) => docs.setPayload([4], { a: 1 }),
  overwritePayload: (docs) => docs.overwritePayload([4], { a: 1 }),
  deletePayload: (docs) => docs.deletePayload([4], ['a']),
  clearPayload: (docs) => docs.clearPayload([4]),
  createPayloadIndex: (docs) => docs.createPayloadIndex('n', 'integer'),
  deletePayloadIndex: (docs) => docs.deletePayloadIndex('n'),
  createTextIndex: (docs) => docs.createTextIndex('color'),
  deleteTextIndex: (docs) => docs.deleteTextIndex('color'),
  optimize: (docs) => docs.optimize(),
};
const DATABASE_READS: Readonly<Record<string, (db: Database) => Promise<unknown>>> = {
  listCollections: (db) => db.listCollections(),
  collection: (db) => db.collection('docs'),
  verify: (db) => db.verify(),
};
const DATABASE_WRITES: Readonly<Record<string, (db: Database) => Promise<unknown>>> = {
  createCollection: (db) => db.createCollection('more', VECTORS),
  deleteCollection: (db) => db.deleteCollection('more'),
};

type State = [name: string, enter: (db: Database, docs: Collection) => Promise<unknown>];

/** States of an open collection, in all of which everything is possible. */
const BUSY_STATES: readonly State[] = [
  ['open', async () => {}],
  // Enough new points for a graph: it is being trained and built when the next calls are made.
  [
    'building',
    (_, docs) => docs.upsert(points.map((point) => ({ ...point, id: point.id + 10_000 }))),
  ],
  ['optimizing', async (_, docs) => void docs.optimize().catch(() => {})],
  ['writing', async (_, docs) => void docs.upsert(points).catch(() => {})],
];

async function filled(folder: string): Promise<{ db: Database; docs: Collection }> {
  const db = await openHere(folder);
  const docs = await db.createCollection('docs', VECTORS);
  await docs.upsert(points);
  return { db, docs };
}

describe.each(BUSY_STATES)('while it is %s', (_, enter) => {
  test('a collection answers every method', async () => {
    const { db, docs } = await filled(emptyFolder());
    for (const [name, call] of [...Object.entries(READS), ...Object.entries(WRITES)]) {
      await enter(db, docs);
      expect([name, await codeOf(call(docs))]).toEqual([name, 'no error']);
    }
    for (const [name, call] of [
      ...Object.entries(DATABASE_READS),
      ...Object.entries(DATABASE_WRITES),
    ]) {
      await enter(db, docs);
      expect([name, await codeOf(call(db))]).toEqual([name, 'no error']);
    }
  });
});

describe.each<[string, (db: Database) => Promise<void>]>([
  ['closing', async (db) => void db.close()],
  ['closed', (db) => db.close()],
])('when it is %s', (_, close) => {
  test('every method says CLOSED, and close() itself is no error', async () => {
    const { db, docs } = await filled(emptyFolder());
    await close(db);
    for (const [name, call] of [...Object.entries(READS), ...Object.entries(WRITES)]) {
      expect([name, await codeOf(call(docs))]).toEqual([name, 'CLOSED']);
    }
    for (const [name, call] of [
      ...Object.entries(DATABASE_READS),
      ...Object.entries(DATABASE_WRITES),
    ]) {
      expect([name, await codeOf(call(db))]).toEqual([name, 'CLOSED']);
    }
    expect(await codeOf(db.close())).toBe('no error');
  });
});

describe('when it was opened to be read only', () => {
  test('every write says READ_ONLY, and every read answers', async () => {
    const folder = emptyFolder();
    const { db: writer } = await filled(folder);
    await writer.createCollection('more', VECTORS);
    await writer.close();
    const db = await openHere(folder, { readOnly: true });
    const docs = await db.collection('docs');
    for (const [name, call] of Object.entries(WRITES)) {
      expect([name, await codeOf(call(docs))]).toEqual([name, 'READ_ONLY']);
    }
    for (const [name, call] of Object.entries(DATABASE_WRITES)) {
      expect([name, await codeOf(call(db))]).toEqual([name, 'READ_ONLY']);
    }
    for (const [name, call] of Object.entries(READS)) {
      expect([name, await codeOf(call(docs))]).toEqual([name, 'no error']);
    }
    for (const [name, call] of Object.entries(DATABASE_READS)) {
      expect([name, await codeOf(call(db))]).toEqual([name, 'no error']);
    }
  });
});

/** Ends a thread of the store as a fault would. */
async function loseThread(db: Database, which: 'writer' | 'reader'): Promise<void> {
  type Threads = Record<'writer' | 'reader', { worker: { terminate(): Promise<number> } }>;
  const { threads } = (db as unknown as { store: { threads: Threads } }).store;
  await threads[which].worker.terminate();
}

/** Calls until it is answered: while the thread is being replaced calls end with INTERNAL. */
async function untilAnswered(call: () => Promise<unknown>): Promise<string> {
  for (;;) {
    const code = await codeOf(call());
    if (code !== 'INTERNAL') return code;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe.each(['writer', 'reader'] as const)('when its %s was lost', (which) => {
  test('what was under way is INTERNAL or done, and every method works again', async () => {
    const { db, docs } = await filled(emptyFolder());
    const underWay = [codeOf(docs.upsert([{ id: 77_777, vector }])), codeOf(docs.retrieve([1]))];
    await loseThread(db, which);
    for (const code of await Promise.all(underWay)) {
      expect(['INTERNAL', 'no error']).toContain(code);
    }
    for (const [name, call] of [...Object.entries(READS), ...Object.entries(WRITES)]) {
      expect([name, await untilAnswered(() => call(docs))]).toEqual([name, 'no error']);
    }
    // Done or not, memory agrees with the store.
    const stored = await docs.retrieve([77_777]);
    const found = await docs.query({ vector, limit: 4_000, ef: 4_000, withPayload: false });
    expect(found.filter(({ id }) => id === 77_777)).toHaveLength(stored.length);
    expect(found).toHaveLength(await docs.count());
    for (const [name, call] of [
      ...Object.entries(DATABASE_READS),
      ...Object.entries(DATABASE_WRITES),
    ]) {
      expect([name, await untilAnswered(() => call(db))]).toEqual([name, 'no error']);
    }
  });

  test('a database in memory says that it is gone', async () => {
    const { db, docs } = await filled(':memory:');
    await loseThread(db, which);
    expect(await codeOf(docs.upsert(points.slice(0, 3)))).toBe('INTERNAL');
    expect(await codeOf(docs.query({ vector }))).toBe('INTERNAL');
    expect(await codeOf(db.close())).toBe('no error');
  });
});
