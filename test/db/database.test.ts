import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { open } from '../../src/db/open.js';
import { codeOf, emptyFolder, openHere, somePoints } from './support.js';

const VECTORS = { vectors: { size: 4, distance: 'Cosine' as const } };

describe('a database', () => {
  test('is a folder that is made when it is opened, and holds what was written when opened again', async () => {
    const folder = join(emptyFolder(), 'deep', 'data');
    const db = await openHere(folder);
    expect(await db.listCollections()).toEqual([]);
    const docs = await db.createCollection('docs', VECTORS);
    await db.createCollection('a', VECTORS);
    await docs.upsert(somePoints(10, 4));
    await db.close();
    const again = await openHere(folder);
    expect(await again.listCollections()).toEqual(['a', 'docs']);
    expect(await (await again.collection('docs')).count()).toBe(10);
    expect(await again.verify()).toEqual({ collections: { a: 0, docs: 10 } });
  });

  test('hands out one object a collection', async () => {
    const db = await openHere();
    const made = await db.createCollection('docs', VECTORS);
    expect(await db.collection('docs')).toBe(made);
    const [one, other] = await Promise.all([db.collection('docs'), db.collection('docs')]);
    expect(one).toBe(other);
  });

  test('deletes collections, whose objects are closed then', async () => {
    const folder = emptyFolder();
    const db = await openHere(folder);
    const docs = await db.createCollection('docs', VECTORS);
    await docs.upsert(somePoints(5, 4));
    expect(await db.deleteCollection('docs')).toBe(true);
    expect(await db.deleteCollection('docs')).toBe(false);
    expect(await codeOf(docs.count())).toBe('CLOSED');
    expect(await codeOf(db.collection('docs'))).toBe('NOT_FOUND');
    const anew = await db.createCollection('docs', VECTORS);
    expect(await anew.count()).toBe(0);
    await db.close();
    const again = await openHere(folder);
    expect(await (await again.collection('docs')).count()).toBe(0);
  });

  test('gives a new collection the name of one that was asked for while it was deleted', async () => {
    const db = await openHere(emptyFolder());
    await (await db.createCollection('docs', { vectors: { size: 2 } })).upsert([
      { id: 1, vector: [1, 2] },
    ]);
    const deleting = db.deleteCollection('docs');
    await new Promise(setImmediate);
    expect(await codeOf(db.collection('docs'))).toBe('NOT_FOUND');
    expect(await deleting).toBe(true);
    const docs = await db.createCollection('docs', { vectors: { size: 3 } });
    await docs.upsert([{ id: 1, vector: [1, 2, 3] }]);
    expect(await docs.count()).toBe(1);
  });

  test('fails where a listener to progress does, and goes on', async () => {
    const db = await openHere(emptyFolder());
    const docs = await db.createCollection('docs', { vectors: { size: 2 } });
    await docs.upsert(Array.from({ length: 3_000 }, (_, id) => ({ id, vector: [id, 1] })));
    const onProgress = () => {
      throw new Error('of the listener');
    };
    await expect(db.verify({ onProgress })).rejects.toThrow('of the listener');
    expect(await db.verify()).toEqual({ collections: { docs: 3_000 } });
  });

  test('deletes a collection that was not opened', async () => {
    const folder = emptyFolder();
    const db = await openHere(folder);
    await db.createCollection('docs', VECTORS);
    await db.close();
    const again = await openHere(folder);
    expect(await again.deleteCollection('docs')).toBe(true);
    expect(await again.listCollections()).toEqual([]);
  });

  test('says what is there already and what is not', async () => {
    const db = await openHere();
    await db.createCollection('docs', VECTORS);
    expect(await codeOf(db.createCollection('docs', VECTORS))).toBe('ALREADY_EXISTS');
    expect(await codeOf(db.collection('other'))).toBe('NOT_FOUND');
  });

  test('has but one writer, also within a process', async () => {
    const folder = emptyFolder();
    const db = await openHere(folder);
    expect(await codeOf(open(folder))).toBe('BUSY');
    await db.close();
    await (await openHere(folder)).close();
  });

  test('is closed once and for all', async () => {
    const db = await openHere();
    const docs = await db.createCollection('docs', VECTORS);
    await Promise.all([db.close(), db.close()]);
    expect(await codeOf(db.listCollections())).toBe('CLOSED');
    expect(await codeOf(docs.upsert(somePoints(1, 4)))).toBe('CLOSED');
  });

  test('waits for the writes under way when it is closed', async () => {
    const folder = emptyFolder();
    const db = await openHere(folder);
    const docs = await db.createCollection('docs', VECTORS);
    const writes = [docs.upsert(somePoints(300, 4)), docs.delete([1, 2])];
    await db.close();
    expect(await Promise.all(writes)).toMatchObject([{ count: 300 }, { count: 2 }]);
    const again = await openHere(folder);
    expect(await (await again.collection('docs')).count()).toBe(298);
  });

  test('closes itself at the end of its scope', async () => {
    const db = await openHere();
    await db[Symbol.asyncDispose]();
    expect(await codeOf(db.listCollections())).toBe('CLOSED');
  });

  test.each([
    [3, {}, TypeError],
    ['', {}, RangeError],
    ['a\0b', {}, RangeError],
    [':memory:', { durability: 'sometimes' }, RangeError],
    [':memory:', { readonly: true }, RangeError],
    [':memory:', { readOnly: 1 }, TypeError],
    [':memory:', { onLog: 'loud' }, TypeError],
    [':memory:', null, TypeError],
  ])('open(%j, %j) is refused', async (path, options, type) => {
    const opened = open(path as string, options as object);
    await expect(opened).rejects.toThrow(type);
    await expect(opened).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('is not made of a file, nor of a folder of something else', async () => {
    const folder = emptyFolder();
    const file = join(folder, 'file');
    writeFileSync(file, 'text');
    expect(await codeOf(open(file))).not.toBe('no error');
    const other = join(folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'catalog.sqlite'), 'this is no SQLite file, but some text of ours');
    expect(await codeOf(open(other))).toBe('CORRUPT');
  });
});

describe('createCollection refuses', () => {
  test.each([
    ['', VECTORS],
    ['a/b', VECTORS],
    ['x'.repeat(256), VECTORS],
    [7, VECTORS],
    ['docs', undefined],
    ['docs', {}],
    ['docs', { vectors: [] }],
    ['docs', { vectors: {} }],
    ['docs', { vectors: { size: 0 } }],
    ['docs', { vectors: { size: 1.5 } }],
    ['docs', { vectors: { size: '4' } }],
    ['docs', { vectors: { size: 4, distance: 'Manhattan' } }],
    ['docs', { vectors: { size: 4, originals: 'int8' } }],
    ['docs', { vectors: { size: 4, multivector: {} } }],
    ['docs', { vectors: { size: 4, index: { dimensions: 4 } } }],
    ['docs', { vectors: { size: 4, index: { m: 1 } } }],
    ['docs', { vectors: { a: { size: 4 }, 'b/c': { size: 4 } } }],
    ['docs', { vectors: { a: 4 } }],
    ['docs', { ...VECTORS, shards: 2 }],
  ])('%j, %j', async (name, config) => {
    const db = await openHere();
    expect(await codeOf(db.createCollection(name as string, config as never))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await db.listCollections()).toEqual([]);
  });
});
