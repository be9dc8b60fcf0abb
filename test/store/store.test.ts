import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { Store } from '../../src/store/store.js';
import type { Durability } from '../../src/store/types.js';
import { batchOf, float32Field, temporaryFolder } from './support.js';

const FIELD = float32Field(2);
const one = (id: number) => batchOf([id], Float32Array.of(id, 1));
const foldersOf = (path: string) => readdirSync(join(path, 'collections'));

describe.each(['a folder', 'memory'])('a store in %s', (kind) => {
  const pathOf = () => (kind === 'memory' ? ':memory:' : join(temporaryFolder(), 'new', 'data'));

  test('holds collections by name, with their configuration', async () => {
    const store = await Store.open(pathOf());
    expect(await store.collections()).toEqual([]);
    const config = { distance: 'Dot', of: ['any', { kind: null }] };
    const fields = [FIELD, { name: 'b', size: 3, originals: 'none' as const }];
    const docs = await store.create('docs', config, fields);
    await store.create('Docs', null, []);
    await store.create('ä/../b', null, []);
    expect(docs.fields).toEqual(fields);
    const names = (await store.collections()).map(({ name }) => name);
    expect(names.toSorted()).toEqual(['Docs', 'docs', 'ä/../b']);
    await store.setConfig('docs', { other: 1 });
    const entry = (await store.collections()).find(({ name }) => name === 'docs');
    expect(entry).toMatchObject({ name: 'docs', config: { other: 1 }, fields });
    expect(await store.remove('Docs')).toBe(true);
    expect(await store.remove('Docs')).toBe(false);
    await store.close();
  });

  test('refuses names and fields that cannot be', async () => {
    const store = await Store.open(pathOf());
    await store.create('docs', null, [FIELD]);
    await expect(store.create('docs', null, [])).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await expect(store.openCollection('x')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(store.setConfig('x', 1)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const wrong = { code: 'INVALID_ARGUMENT' };
    await expect(store.create('', null, [])).rejects.toMatchObject(wrong);
    await expect(store.create('x'.repeat(256), null, [])).rejects.toMatchObject(wrong);
    await expect(store.create('x', null, [float32Field(0)])).rejects.toMatchObject(wrong);
    const many = Array.from({ length: 32 }, () => FIELD);
    await expect(store.create('x', null, many)).rejects.toMatchObject(wrong);
    await store.create('most', null, many.slice(1));
    await store.close();
  });

  test('a removed collection is NOT_FOUND, and its name free for another', async () => {
    const store = await Store.open(pathOf());
    const old = await store.create('docs', null, [FIELD]);
    await old.upsert(one(1));
    await old.state();
    expect(await store.remove('docs')).toBe(true);
    await expect(old.upsert(one(2))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(old.state()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const fresh = await store.create('docs', null, [FIELD]);
    expect(await fresh.state()).toEqual({ count: 0, nextRow: 0, version: 0 });
    await store.close();
  });

  test('after close() everything is CLOSED, and close() may be called again', async () => {
    const store = await Store.open(pathOf());
    const docs = await store.create('docs', null, [FIELD]);
    const last = docs.upsert(one(1));
    const closing = store.close();
    await expect(last).resolves.toMatchObject({ version: 1 });
    const calls: (() => unknown)[] = [
      () => store.collections(),
      () => store.create('x', null, []),
      () => store.openCollection('docs'),
      () => store.remove('docs'),
      () => docs.upsert(one(2)),
      () => docs.state(),
      () => docs.verify(),
    ];
    for (const call of calls) {
      await expect((async () => call())()).rejects.toMatchObject({ code: 'CLOSED' });
    }
    await closing;
    await store.close();
  });
});

describe('a folder', () => {
  test('closed cleanly is one file a collection, and opens as it was', async () => {
    const path = temporaryFolder();
    const store = await Store.open(path);
    const docs = await store.create('docs', { a: 1 }, [FIELD]);
    await docs.upsert(one(1));
    const { id } = store;
    expect(docs.folder).toBe(join(path, 'collections', foldersOf(path)[0]!));
    await store.close();
    expect(readdirSync(path).toSorted()).toEqual(['catalog.sqlite', 'collections', 'writer.lock']);
    expect(readdirSync(docs.folder!)).toEqual(['points.sqlite']);
    const again = await Store.open(path);
    expect(again.id).toBe(id);
    expect(await (await again.openCollection('docs')).state()).toMatchObject({ count: 1 });
    await again.close();
  });

  test('is swept of what a crash left, and of nothing else', async () => {
    const path = temporaryFolder();
    const store = await Store.open(path);
    const docs = await store.create('docs', null, [FIELD]);
    await docs.replaceFile('graph.leandex', (write) => write(Uint8Array.of(1)));
    await store.close();
    const orphan = join(path, 'collections', '0123456789abcdef');
    mkdirSync(orphan);
    writeFileSync(join(orphan, 'points.sqlite'), 'half');
    writeFileSync(join(docs.folder!, 'graph.leandex.tmp'), 'half');
    mkdirSync(join(path, 'collections', 'mine'));
    writeFileSync(join(path, 'catalog.sqlite.tmp'), 'half');
    await (await Store.open(path, { readOnly: true })).close();
    expect(existsSync(orphan)).toBe(true);
    await (await Store.open(path)).close();
    expect(existsSync(orphan)).toBe(false);
    expect(existsSync(join(path, 'collections', 'mine'))).toBe(true);
    expect(readdirSync(docs.folder!).toSorted()).toEqual(['graph.leandex', 'points.sqlite']);
  });

  test('without its catalogue is CORRUPT, not emptied', async () => {
    const path = temporaryFolder();
    const store = await Store.open(path);
    await store.create('docs', null, [FIELD]);
    await store.close();
    renameSync(join(path, 'catalog.sqlite'), join(path, 'kept'));
    await expect(Store.open(path)).rejects.toMatchObject({ code: 'CORRUPT' });
    expect(foldersOf(path)).toHaveLength(1);
    renameSync(join(path, 'kept'), join(path, 'catalog.sqlite'));
    await (await Store.open(path)).close();
  });

  test('with one damaged collection opens the others', async () => {
    const path = temporaryFolder();
    const store = await Store.open(path);
    const bad = await store.create('bad', null, [FIELD]);
    await store.create('good', null, [FIELD]);
    await store.close();
    writeFileSync(join(bad.folder!, 'points.sqlite'), 'no database at all');
    const again = await Store.open(path);
    await expect(again.openCollection('bad')).rejects.toMatchObject({
      code: 'CORRUPT',
      details: { file: join(bad.folder!, 'points.sqlite') },
    });
    expect(await (await again.openCollection('good')).state()).toMatchObject({ count: 0 });
    expect(await again.remove('bad')).toBe(true);
    await again.close();
  });

  test('with the folder of a collection gone says so, and keeps the others', async () => {
    const path = temporaryFolder();
    const store = await Store.open(path);
    const gone = await store.create('gone', null, [FIELD]);
    await store.create('good', null, [FIELD]);
    await store.close();
    rmSync(gone.folder!, { recursive: true });
    const again = await Store.open(path);
    await expect(again.openCollection('gone')).rejects.toMatchObject({ code: 'CORRUPT' });
    await again.openCollection('good');
    await again.close();
  });

  test('is closed when long work has ended, and leaves no log even then', async () => {
    const path = temporaryFolder();
    const store = await Store.open(path);
    const docs = await store.create('docs', null, [FIELD]);
    await docs.upsert(one(1));
    const verified = docs.verify();
    await store.close();
    expect(await verified).toEqual({ points: 1 });
    expect(readdirSync(docs.folder!)).toEqual(['points.sqlite']);
  });

  test('of a newer version is UNSUPPORTED_VERSION', async () => {
    const path = temporaryFolder();
    await (await Store.open(path)).close();
    const { openDatabase } = await import('../../src/store/sqlite.js');
    const db = openDatabase(join(path, 'catalog.sqlite'), { readOnly: false });
    db.pragma('user_version = 2');
    db.close();
    await expect(Store.open(path)).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' });
  });

  test.each<Durability>([
    'always',
    'batched',
    'process',
  ])('in mode %s keeps what it was given', async (durability) => {
    const path = temporaryFolder();
    const store = await Store.open(path, { durability });
    const docs = await store.create('docs', null, [FIELD]);
    await Promise.all(Array.from({ length: 200 }, (_, i) => docs.upsert(one(i))));
    await store.close();
    const again = await Store.open(path, { durability });
    const opened = await again.openCollection('docs');
    expect(await opened.state()).toEqual({ count: 200, nextRow: 200, version: 200 });
    expect(await opened.verify()).toEqual({ points: 200 });
    await again.close();
  });

  test('an unknown durability or option is refused before anything is made', async () => {
    const path = join(temporaryFolder(), 'data');
    const wrong = { code: 'INVALID_ARGUMENT' };
    await expect(Store.open(path, { durability: 'never' as Durability })).rejects.toMatchObject(
      wrong,
    );
    await expect(Store.open(path, { readonly: true } as object)).rejects.toMatchObject(wrong);
    await expect(Store.open(7 as unknown as string)).rejects.toMatchObject(wrong);
    await expect(Store.open(':memory:', { readOnly: true })).rejects.toMatchObject(wrong);
    expect(existsSync(path)).toBe(false);
  });
});

describe('a thread that dies', () => {
  /** Ends a thread of the store from outside, as a crash would. */
  function kill(store: Store, which: 'writer' | 'reader'): void {
    const { threads } = store as unknown as { threads: Record<string, { worker: Worker }> };
    void threads[which]!.worker.terminate();
  }

  test.each([
    'writer',
    'reader',
  ] as const)('the %s: what waits is INTERNAL, restart() mends it', async (which) => {
    const store = await Store.open(temporaryFolder());
    const docs = await store.create('docs', null, [FIELD]);
    await docs.upsert(one(1));
    const waiting =
      which === 'writer'
        ? Promise.allSettled([docs.upsert(one(2))])
        : Promise.allSettled([docs.scan(0, Float32Array.of(1, 1), 'Dot', 1)]);
    kill(store, which);
    expect(await store.lost).toMatchObject({ code: 'INTERNAL' });
    const [{ status }] = await waiting;
    const call = () => (which === 'writer' ? docs.upsert(one(3)) : docs.state());
    await expect(call()).rejects.toMatchObject({ code: 'INTERNAL' });
    await store.restart();
    const { count } = await docs.state();
    expect(count).toBe(which === 'writer' && status === 'fulfilled' ? 2 : count);
    await docs.upsert(one(4));
    expect(await docs.verify()).toEqual({ points: count + 1 });
    await store.close();
  });

  test('a store can be closed after one has died', async () => {
    const path = temporaryFolder();
    const store = await Store.open(path);
    const docs = await store.create('docs', null, [FIELD]);
    await docs.upsert(one(1));
    kill(store, 'writer');
    await store.lost;
    await store.close();
    const again = await Store.open(path);
    expect(await (await again.openCollection('docs')).state()).toMatchObject({ count: 1 });
    await again.close();
  });

  test('in memory cannot be mended', async () => {
    const store = await Store.open(':memory:');
    kill(store, 'reader');
    expect(await store.lost).toMatchObject({ code: 'INTERNAL' });
    await expect(store.restart()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await store.close();
  });
});

test('a folder that cannot be made is an error of the file system', async () => {
  const path = temporaryFolder();
  writeFileSync(join(path, 'file'), '');
  await expect(Store.open(join(path, 'file', 'data'))).rejects.toMatchObject({ code: 'IO_ERROR' });
  rmSync(join(path, 'file'));
});
