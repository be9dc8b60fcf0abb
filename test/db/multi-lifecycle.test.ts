import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Collection } from '../../src/db/collection.js';
import { type Document, multi, numbersOf, ranking, someDocuments } from './multi-support.js';
import { codeOf, coreOf, emptyFolder, idsOf, openHere, openLogged } from './support.js';

const SIZE = 8;
const CONFIG = { vectors: multi(SIZE, { index: { exactBelow: 100, tokenBits: 32 } }) };
const documents = someDocuments(400, SIZE);
const query = { vector: documents[3]!.vector, limit: 1_000, ef: 1_000, withPayload: false };

/** Files of a name in a folder. */
function filesOf(folder: string, name: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => name.test(file))
    .map((file) => join(folder, file));
}

/** A folder with a closed database whose collection has a saved graph. */
async function closedFolder(): Promise<string> {
  const folder = emptyFolder();
  const { db } = await openLogged(folder);
  const docs = await db.createCollection('docs', CONFIG);
  await docs.upsert(documents);
  await docs.optimize();
  await db.close();
  return folder;
}

async function expectAll(docs: Collection, all: readonly Document[]): Promise<void> {
  expect(idsOf(await docs.query(query))).toEqual(idsOf(ranking(all, query.vector)));
  const { points } = await docs.scroll({ limit: 1_000, withVector: true });
  const sorted = [...all].sort((a, b) => a.id - b.id);
  expect(points.map(({ vector }) => numbersOf(vector))).toEqual(sorted.map(({ vector }) => vector));
  const tokens = all.reduce((sum, { vector }) => sum + vector.length, 0);
  const info = (await docs.info()).vectors[''];
  expect(info).toMatchObject({ count: all.length, multivector: { tokens } });
}

/** Counts the rows that are read from the store. */
function countReads(docs: Collection): { rows: number } {
  const { stored } = coreOf(docs);
  const counted = { rows: 0 };
  const read = stored.readVectors.bind(stored);
  stored.readVectors = (field, rows) => {
    counted.rows += rows.length;
    return read(field, rows);
  };
  return counted;
}

describe('what close() saves', () => {
  test('is loaded again, tokens and graph, and nothing is built', async () => {
    const folder = await closedFolder();
    expect(filesOf(folder, /\.leandex$/).length).toBe(2);
    const { db, log } = await openLogged(folder);
    const docs = await db.collection('docs');
    expect((await docs.info()).vectors['']).toMatchObject({ count: 400, indexed: 400 });
    const counted = countReads(docs);
    await expectAll(docs, documents);
    await docs.optimize();
    expect(counted.rows).toBe(0);
    expect(log).toEqual([]);
  });

  test.each([
    ['the tokens are damaged', /^.*tokens-0\.leandex$/, 'flip'],
    ['the tokens are missing', /^.*tokens-0\.leandex$/, 'remove'],
    ['the graph is damaged', /^.*vectors-0\.leandex$/, 'flip'],
    ['the graph is missing', /^.*vectors-0\.leandex$/, 'remove'],
    ['both are missing', /\.leandex$/, 'remove'],
  ])('is made anew where %s', async (_, name, what) => {
    const folder = await closedFolder();
    for (const file of filesOf(folder, name)) {
      const bytes = readFileSync(file);
      bytes[bytes.length - 5]! ^= 1;
      if (what === 'flip') writeFileSync(file, bytes);
      else rmSync(file);
    }
    const { db, log } = await openLogged(folder);
    const docs = await db.collection('docs');
    await expectAll(docs, documents);
    if (what === 'flip') expect(log.join()).toContain('is not used and made anew');
    await docs.optimize();
    await expectAll(docs, documents);
    await db.close();
    const again = await openLogged(folder);
    await expectAll(await again.db.collection('docs'), documents);
    expect(again.log).toEqual([]);
  });

  test('any byte of the tokens may change: they are thrown away, never used', async () => {
    const folder = await closedFolder();
    const [file] = filesOf(folder, /tokens-0/);
    const bytes = readFileSync(file!);
    const step = Math.floor(bytes.length / 12);
    for (let at = 3; at < bytes.length; at += step) {
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 0x10;
      writeFileSync(file!, damaged);
      const { db, log } = await openLogged(folder);
      const docs = await db.collection('docs');
      expect(log.join()).toContain('tokens-0.leandex is not used');
      await expectAll(docs, documents);
      await db.close();
    }
  });

  test('is brought up to what was written since, whichever of both files is older', async () => {
    const folder = await closedFolder();
    const old = filesOf(folder, /\.leandex$/).map((file) => ({ file, bytes: readFileSync(file) }));
    const { db } = await openLogged(folder);
    const docs = await db.collection('docs');
    const other = someDocuments(450, SIZE, 9, 2).slice(200);
    await docs.upsert(other);
    await docs.delete([0, 1, 2]);
    const now = [...documents.slice(3, 200), ...other];
    await docs.optimize();
    await expectAll(docs, now);
    await db.close();
    const young = old.map(({ file }) => ({ file, bytes: readFileSync(file) }));
    for (const ages of [
      [old, old],
      [old, young],
      [young, old],
    ] as const) {
      for (const [i, name] of ['tokens', 'vectors'].entries()) {
        const { file, bytes } = ages[i]!.find(({ file }) => file.includes(name))!;
        writeFileSync(file, bytes);
      }
      const opened = await openLogged(folder);
      const again = await opened.db.collection('docs');
      await expectAll(again, now);
      await again.optimize();
      await expectAll(again, now);
      expect((await again.info()).vectors['']!.indexed).toBe(now.length);
      await opened.db.close();
    }
  });

  test('of other settings is not used', async () => {
    const folder = await closedFolder();
    const { db, log } = await openLogged(folder);
    const other = await db.createCollection('other', {
      vectors: multi(SIZE, { index: { exactBelow: 100, tokenBits: 8 } }),
    });
    await other.upsert(documents);
    await other.optimize();
    await db.close();
    const files = filesOf(folder, /tokens-0/);
    const [a, b] = files.map((file) => readFileSync(file));
    writeFileSync(files[0]!, b!);
    writeFileSync(files[1]!, a!);
    const again = await openLogged(folder);
    await expectAll(await again.db.collection('docs'), documents);
    expect(await (await again.db.collection('other')).count()).toBe(400);
    expect(again.log.filter((line) => line.includes('it was saved for another')).length).toBe(2);
    expect(log).toEqual([]);
  });
});

describe('a field of several vectors', () => {
  test('becomes a graph by itself, while reads and writes go on', async () => {
    const db = await openHere();
    const docs = await db.createCollection('docs', CONFIG);
    let isDone = false;
    const reading = (async () => {
      while (!isDone) {
        const count = await docs.count();
        const hits = await docs.query({ ...query, limit: 10 });
        expect(hits.length).toBeGreaterThanOrEqual(Math.min(10, count));
      }
    })();
    const more = someDocuments(3_000, SIZE);
    for (let from = 0; from < more.length; from += 200) {
      await docs.upsert(more.slice(from, from + 200));
      await docs.delete([from, from + 1]);
    }
    await docs.optimize();
    isDone = true;
    await reading;
    const info = (await docs.info()).vectors['']!;
    expect(info).toMatchObject({ count: 2_970, indexed: 2_970, problem: undefined });
    const left = more.filter(({ id }) => id % 200 > 1);
    const hits = await docs.query({ ...query, limit: 2_970, ef: 6_000, rerank: 3_000 });
    expect(new Set(idsOf(hits))).toEqual(new Set(idsOf(left)));
    const best = ranking(left, query.vector).slice(0, 10);
    expect(idsOf(hits.slice(0, 10))).toEqual(idsOf(best));
  });

  test.each([
    'float16',
    'none',
  ] as const)('is the same when opened again, saved or not, with settings of its own: %s', async (originals) => {
    const folder = emptyFolder();
    const db = await openHere(folder);
    const fde = { partitionBits: 3, repetitions: 12, projectedDimensions: 4 };
    const index = { fde, tokenBits: 16 as const, m: 8, seed: 5, exactBelow: 100 };
    const vectors = { body: multi(SIZE, { distance: 'Dot', originals, index }) };
    const docs = await db.createCollection('docs', { vectors });
    await docs.upsert(documents.map(({ id, vector }) => ({ id, vector: { body: vector } })));
    await docs.optimize();
    const asked = { ...query, using: 'body' };
    const answer = await docs.query(asked);
    const { multivector } = (await docs.info()).vectors.body!;
    expect(multivector).toMatchObject({ fdeDimensions: 8 * 12 * 4, tokenBits: 16 });
    await db.close();
    const again = await openHere(folder);
    const same = await again.collection('docs');
    expect(await same.query(asked)).toEqual(answer);
    expect((await same.info()).vectors.body!.multivector).toEqual(multivector);
    await again.close();
    for (const file of filesOf(folder, /\.leandex$/)) rmSync(file);
    const anew = await (await openHere(folder)).collection('docs');
    const found = await anew.query(asked);
    // Made of what is stored, which errs a little more.
    const scores = new Map(answer.map(({ id, score }) => [id, score]));
    expect(found.length).toBe(400);
    for (const { id, score } of found) expect(score).toBeCloseTo(scores.get(id)!, 1);
  });

  test('goes into a snapshot and comes back', async () => {
    const folder = await closedFolder();
    const db = await openHere(folder);
    const file = join(emptyFolder(), 'docs.snapshot');
    await (await db.collection('docs')).snapshot(file);
    const other = await openHere();
    const docs = await other.restoreCollection('copy', file);
    await expectAll(docs, documents);
    expect(await other.verify()).toEqual({ collections: { copy: 400 } });
    expect(await db.verify()).toEqual({ collections: { docs: 400 } });
  });

  test('is followed by a reader of the folder', async () => {
    const folder = await closedFolder();
    const writer = await (await openHere(folder)).collection('docs');
    const reader = await (await openHere(folder, { readOnly: true })).collection('docs');
    await expectAll(reader, documents);
    const other = someDocuments(500, SIZE, 6, 4).slice(350);
    await writer.upsert(other);
    await writer.delete([7]);
    const now = [...documents.slice(0, 7), ...documents.slice(8, 350), ...other];
    await expectAll(reader, now);
    await expectAll(writer, now);
  });

  test('is taken in again after the store lost its threads', async () => {
    const folder = await closedFolder();
    const db = await openHere(folder);
    const docs = await db.collection('docs');
    const { store } = db as unknown as {
      store: { threads: { writer: { worker: { terminate(): Promise<number> } } } };
    };
    await docs.upsert(someDocuments(420, SIZE, 6, 5).slice(400));
    await store.threads.writer.worker.terminate();
    // Until the thread is replaced calls end with INTERNAL.
    while ((await codeOf(docs.delete([9]))) === 'INTERNAL') {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const now = [
      ...documents.filter(({ id }) => id !== 9),
      ...someDocuments(420, SIZE, 6, 5).slice(400),
    ];
    await expectAll(docs, now);
  });
});
