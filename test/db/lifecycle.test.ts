import {
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import type { Collection } from '../../src/db/collection.js';
import type { Point } from '../../src/db/types.js';
import {
  emptyFolder,
  flipped,
  gaussians,
  idsOf,
  nearestIds,
  openLogged,
  somePoints,
} from './support.js';

const SIZE = 16;
const VECTORS = {
  vectors: { size: SIZE, distance: 'Euclid' as const, index: { exactBelow: 200 } },
};

/** Files of saved indexes in a folder. */
function savedFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.leandex'))
    .map((name) => join(folder, name));
}

async function recallOf(docs: Collection, points: readonly Point[], seed = 3): Promise<number> {
  let found = 0;
  const queries = gaussians(new Random(seed), 30, SIZE);
  for (const vector of queries) {
    const wanted = new Set(nearestIds(points, vector, 10));
    const hits = await docs.query({ vector, limit: 10, withPayload: false });
    found += hits.filter(({ id }) => wanted.has(id)).length;
  }
  return found / (10 * queries.length);
}

/** A folder with a closed database whose collection has a saved graph. */
async function closedFolder(points: readonly Point[]): Promise<string> {
  const folder = emptyFolder();
  const { db } = await openLogged(folder);
  const docs = await db.createCollection('docs', VECTORS);
  await docs.upsert(points);
  await docs.optimize();
  await db.close();
  return folder;
}

describe('the index of a collection', () => {
  test('that was built anew without any write is saved', async () => {
    const folder = await closedFolder(somePoints(600, SIZE));
    for (const file of savedFiles(folder)) rmSync(file);
    const { db } = await openLogged(folder);
    const docs = await db.collection('docs');
    while ((await docs.info()).vectors['']!.indexed < 600) await new Promise(setImmediate);
    await db.close();
    expect(savedFiles(folder)).toHaveLength(1);
  });

  test('becomes a graph by itself, while reads and writes go on', async () => {
    const { db, log } = await openLogged();
    const docs = await db.createCollection('docs', VECTORS);
    const points = somePoints(6_000, SIZE);
    let isDone = false;
    const reading = (async () => {
      while (!isDone) {
        const count = await docs.count();
        const hits = await docs.query({ vector: points[0]!.vector, limit: 10, withPayload: false });
        expect(hits.length).toBeGreaterThanOrEqual(Math.min(10, count));
        if (count > 0) expect(hits[0]).toMatchObject({ id: 0 });
      }
    })();
    for (let from = 0; from < points.length; from += 500) {
      await docs.upsert(points.slice(from, from + 500));
    }
    const deleted = new Set([5, 100, 2_500, 5_999]);
    await docs.delete([...deleted] as number[]);
    await docs.optimize();
    isDone = true;
    await reading;
    const info = await docs.info();
    expect(info.status).toBe('ready');
    expect(info.vectors['']).toMatchObject({ count: 5_996, indexed: 5_996 });
    const left = points.filter(({ id }) => !deleted.has(id));
    expect(await recallOf(docs, left)).toBeGreaterThan(0.95);
    expect(idsOf(await docs.query({ vector: points[5]!.vector, limit: 20 }))).not.toContain(5);
    expect(log).toEqual([]);
  });

  test('is trained anew where the data move away from what it was trained on', async () => {
    const { db } = await openLogged();
    const size = 64;
    const docs = await db.createCollection('docs', {
      vectors: {
        size,
        distance: 'Euclid',
        index: { exactBelow: 1_000, primaryDimensions: 8, primaryBits: 7 },
      },
    });
    // All energy in the first 8 coordinates, then all of it in 8 others.
    const rows = (count: number, first: number, seed: number) => {
      const random = new Random(seed);
      return Array.from({ length: count }, (_, i) => {
        const vector = new Array<number>(size).fill(0);
        for (let j = 0; j < 8; j++) vector[first + j] = random.gaussian();
        return { id: first * 100_000 + i, vector };
      });
    };
    const before = rows(3_000, 0, 1);
    const after = rows(3_000, 32, 2);
    await docs.upsert(before);
    await docs.optimize();
    const first = (await docs.info()).vectors['']!;
    expect(first.indexed).toBe(3_000);
    expect(first.energyMissed).toBeLessThan(0.05);
    await docs.upsert(after);
    await docs.optimize();
    const second = (await docs.info()).vectors['']!;
    expect(second.indexed).toBe(6_000);
    // Eight dimensions hold at most about half of both; the old ones held nothing of the new.
    const all = [...before, ...after];
    const query = after[17]!.vector;
    const hits = await docs.query({ vector: query, limit: 10, ef: 200 });
    const wanted = new Set(nearestIds(all, query, 10));
    expect(hits.filter(({ id }) => wanted.has(id)).length).toBeGreaterThanOrEqual(6);
    expect(second.graph?.energyKept).not.toBe(first.graph?.energyKept);
  });

  test('is trained anew after that was aborted', async () => {
    const { db } = await openLogged();
    const index = { exactBelow: 200, primaryDimensions: 4 };
    const docs = await db.createCollection('docs', { vectors: { size: SIZE, index } });
    // Four dimensions of sixteen vary, then four others.
    const some = (count: number, first: number, at: number) =>
      gaussians(new Random(first + 1), count, 4).map((numbers, i) => {
        const vector = new Float32Array(SIZE).fill(0.001 * (i % 7));
        vector.set(numbers, at);
        return { id: first + i, vector };
      });
    await docs.upsert(some(1_000, 0, 0));
    await docs.optimize();
    // Fewer than are moved in the background.
    await docs.upsert(some(1_500, 10_000, 8));
    const abort = new AbortController();
    const phases = new Set<string>();
    const onProgress = ({ phase }: { phase: string }) => {
      if (phase === 'build' && phases.has('train')) abort.abort();
      phases.add(phase);
    };
    const aborted = docs.optimize({ signal: abort.signal, onProgress });
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
    expect(phases).toContain('train');
    phases.clear();
    await docs.optimize({ onProgress });
    expect(phases).toContain('train');
  });

  test('is optimized while a stream of writes does not end', async () => {
    const { db } = await openLogged();
    const docs = await db.createCollection('docs', VECTORS);
    const points = somePoints(500, SIZE);
    await docs.upsert(points);
    let isOver = false;
    const writing = (async () => {
      for (let i = 0; !isOver; i++) await docs.upsert([{ ...points[i % 500]!, id: i % 2_000 }]);
    })();
    await docs.optimize();
    isOver = true;
    await writing;
    expect((await docs.info()).vectors['']!.indexed).toBeGreaterThan(0);
  });

  test('is not trained anew by data like those it was trained on', async () => {
    const { db } = await openLogged();
    const docs = await db.createCollection('docs', VECTORS);
    await docs.upsert(somePoints(2_000, SIZE, 1));
    await docs.optimize();
    const kept = (await docs.info()).vectors['']!.graph?.energyKept;
    const more = somePoints(2_000, SIZE, 2).map((point) => ({ ...point, id: point.id + 10_000 }));
    await docs.upsert(more);
    await docs.optimize();
    expect((await docs.info()).vectors['']!.graph?.energyKept).toBe(kept);
  });

  test('keeps vectors beside it that its codes cannot hold', async () => {
    const { db, log } = await openLogged();
    const docs = await db.createCollection('docs', {
      vectors: { size: SIZE, distance: 'Dot', index: { exactBelow: 100 } },
    });
    await docs.upsert(somePoints(300, SIZE));
    await docs.optimize();
    const far = Array.from({ length: SIZE }, () => 1e9);
    await docs.upsert([{ id: 1_000, vector: far }, ...somePoints(50, SIZE, 7)]);
    await docs.optimize();
    expect(idsOf(await docs.query({ vector: far, limit: 1 }))).toEqual([1_000]);
    expect((await docs.query({ vector: far, limit: 1_000 })).length).toBe(301);
    await docs.delete([1_000]);
    expect(idsOf(await docs.query({ vector: far, limit: 301, ef: 400 }))).not.toContain(1_000);
    expect(log).toEqual([]);
  });
});

describe('what close() saves', () => {
  const points = somePoints(1_000, SIZE);

  test('is loaded again, and nothing is built', async () => {
    const folder = await closedFolder(points);
    const { db, log } = await openLogged(folder);
    const phases = new Set<string>();
    const docs = await db.collection('docs', { onProgress: ({ phase }) => phases.add(phase) });
    expect((await docs.info()).vectors['']).toMatchObject({ count: 1_000, indexed: 1_000 });
    expect([...phases]).toContain('load');
    expect(log).toEqual([]);
    expect(await recallOf(docs, points)).toBeGreaterThan(0.95);
  });

  test('is not written again where nothing was', async () => {
    const folder = await closedFolder(points);
    const [file] = savedFiles(folder) as [string];
    const { ino } = statSync(file);
    const { db } = await openLogged(folder);
    await db.collection('docs');
    await db.close();
    expect(statSync(file).ino).toBe(ino);
    const { db: again } = await openLogged(folder);
    await (await again.collection('docs')).delete([1]);
    await again.close();
    expect(statSync(file).ino).not.toBe(ino);
  });

  test('goes with a copy of the folder', async () => {
    const folder = await closedFolder(points);
    const other = join(emptyFolder(), 'copy');
    cpSync(folder, other, { recursive: true });
    const { db, log } = await openLogged(other);
    const docs = await db.collection('docs');
    expect((await docs.info()).vectors['']).toMatchObject({ indexed: 1_000 });
    expect(log).toEqual([]);
  });

  test('goes with the folder when that is moved', async () => {
    const folder = await closedFolder(points);
    const other = join(emptyFolder(), 'moved');
    renameSync(folder, other);
    const { db, log } = await openLogged(other);
    const docs = await db.collection('docs');
    expect((await docs.info()).vectors['']).toMatchObject({ indexed: 1_000 });
    expect(log).toEqual([]);
  });

  test('is brought up to what was written since', async () => {
    const folder = await closedFolder(points);
    const [file] = savedFiles(folder) as [string];
    const old = readFileSync(file);
    {
      const { db } = await openLogged(folder);
      const docs = await db.collection('docs');
      await docs.delete([1, 2, 3]);
      await docs.upsert(somePoints(40, SIZE, 9).map((point) => ({ ...point, id: point.id + 900 })));
      await docs.optimize();
      await db.close();
    }
    writeFileSync(file, old);
    const { db, log } = await openLogged(folder);
    const docs = await db.collection('docs');
    const all = await docs.query({ vector: points[0]!.vector, limit: 2_000, ef: 2_000 });
    const expected = points.map(({ id }) => id).filter((id) => ![1, 2, 3].includes(id));
    expect(new Set(idsOf(all))).toEqual(new Set(expected));
    const moved = somePoints(40, SIZE, 9)[7]!;
    expect(await docs.query({ vector: moved.vector, limit: 1 })).toMatchObject([{ id: 907 }]);
    expect(log).toEqual([]);
  });

  test.each([
    ['altered', (file: string) => writeFileSync(file, flipped(readFileSync(file)))],
    ['cut short', (file: string) => truncateSync(file, statSync(file).size - 100)],
    ['empty', (file: string) => truncateSync(file, 0)],
    ['something else', (file: string) => writeFileSync(file, 'no index')],
  ])('is built anew where it is %s, with a line in the log', async (_, damage) => {
    const folder = await closedFolder(points);
    const [file] = savedFiles(folder) as [string];
    damage(file);
    const { db, log } = await openLogged(folder);
    const docs = await db.collection('docs');
    expect(log).toHaveLength(1);
    expect(log[0]).toContain('vectors-0.leandex');
    // Nothing is missing while the graph is built in the background.
    expect(await docs.query({ vector: points[3]!.vector, limit: 2_000 })).toHaveLength(1_000);
    await docs.optimize();
    expect((await docs.info()).vectors['']).toMatchObject({ count: 1_000, indexed: 1_000 });
    expect(await recallOf(docs, points)).toBeGreaterThan(0.95);
    await db.close();
    const again = await openLogged(folder);
    await again.db.collection('docs');
    expect(again.log).toEqual([]);
  });

  test('of another collection is not taken for its own', async () => {
    const folder = await closedFolder(points);
    const other = await closedFolder(somePoints(1_000, SIZE, 5));
    writeFileSync(savedFiles(folder)[0]!, readFileSync(savedFiles(other)[0]!));
    const { db, log } = await openLogged(folder);
    const docs = await db.collection('docs');
    expect(log).toHaveLength(1);
    expect(await recallOf(docs, points)).toBeGreaterThan(0.95);
  });
});

describe('payload indexes', () => {
  test('are saved and brought up to what was written since', async () => {
    const folder = emptyFolder();
    const count = 6_000;
    {
      const { db } = await openLogged(folder, { durability: 'process' });
      const docs = await db.createCollection('docs', {
        vectors: { size: 2, distance: 'Euclid', index: { exactBelow: 1_000_000 } },
      });
      await docs.createPayloadIndex('n', 'integer');
      await docs.createPayloadIndex('color', 'keyword');
      await docs.upsert(somePoints(count, 2));
      await db.close();
    }
    const file = savedFiles(folder).find((name) => name.endsWith('payload.leandex'))!;
    const old = readFileSync(file);
    {
      const { db } = await openLogged(folder, { durability: 'process' });
      const docs = await db.collection('docs');
      await docs.setPayload([10, 11], { n: -1 });
      await docs.delete([12]);
      await docs.upsert([{ id: 13, vector: [0, 0], payload: { n: -1 } }]);
      await db.close();
    }
    writeFileSync(file, old);
    const { db, log } = await openLogged(folder);
    const docs = await db.collection('docs');
    const countWhere = (condition: object) => docs.count({ filter: { must: condition } });
    expect(await countWhere({ key: 'n', match: { value: -1 } })).toBe(3);
    expect(await countWhere({ key: 'n', match: { any: [10, 11, 12, 13] } })).toBe(0);
    expect(await countWhere({ key: 'n', range: { gte: 0 } })).toBe(count - 4);
    expect(await countWhere({ is_empty: { key: 'color' } })).toBe(1);
    expect((await docs.info()).payloadIndexes).toEqual({
      n: { schema: 'integer', points: count - 1 },
      color: { schema: 'keyword', points: count - 2 },
    });
    expect(log).toEqual([]);
  });

  test('are loaded again after one was replaced by another schema', async () => {
    const folder = emptyFolder();
    const { db } = await openLogged(folder);
    const docs = await db.createCollection('docs', VECTORS);
    await docs.createPayloadIndex('n', 'integer');
    await docs.createPayloadIndex('color', 'keyword');
    await docs.createPayloadIndex('n', 'float');
    await docs.upsert(somePoints(5_000, SIZE));
    await db.close();
    const { db: again, log } = await openLogged(folder);
    await again.collection('docs');
    expect(log.filter((line) => line.includes('payload'))).toEqual([]);
  });

  test('are created once, changed by another schema, and given up', async () => {
    const folder = emptyFolder();
    const { db } = await openLogged(folder);
    const docs = await db.createCollection('docs', { vectors: { size: 2, distance: 'Euclid' } });
    await docs.upsert(somePoints(50, 2));
    await docs.createPayloadIndex('n', 'integer');
    await docs.createPayloadIndex('n', 'integer');
    await docs.createPayloadIndex('n', 'float');
    await docs.createPayloadIndex('color', 'keyword');
    expect(await docs.deletePayloadIndex('color')).toBe(true);
    expect(await docs.deletePayloadIndex('color')).toBe(false);
    await db.close();
    const again = await openLogged(folder);
    const same = await again.db.collection('docs');
    expect((await same.info()).payloadIndexes).toEqual({ n: { schema: 'float', points: 50 } });
    expect(await same.count({ filter: { must: { key: 'n', range: { lt: 10 } } } })).toBe(10);
  });
});
