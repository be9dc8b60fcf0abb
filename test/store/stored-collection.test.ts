import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { PointId } from '../../src/base/point-id.js';
import { parseFilter } from '../../src/filter/parse.js';
import { Store, type StoreOptions } from '../../src/store/store.js';
import type { StoredCollection } from '../../src/store/stored-collection.js';
import { NONE } from '../../src/store/types.js';
import { batchOf, float32Field, temporaryFolder } from './support.js';

const ALL = { payload: true, fields: [0] };
const one = (id: PointId, x = 0) => batchOf([id], Float32Array.of(x, 1));

async function open(
  path = temporaryFolder(),
  options: StoreOptions = {},
): Promise<{ store: Store; docs: StoredCollection }> {
  const store = await Store.open(path, options);
  onTestFinished(() => store.close());
  return { store, docs: await store.create('docs', { of: 'mine' }, [float32Field(2)]) };
}

/** `count` points with the ids from 0 on. */
function many(count: number) {
  const ids = Array.from({ length: count }, (_, i) => i);
  const batch = batchOf(
    ids,
    Float32Array.from({ length: 2 * count }, (_, i) => i),
  );
  return { ...batch, payloads: ids.map((id) => `{"n":${id}}`) };
}

describe.each(['a folder', 'memory'])('in %s', (kind) => {
  const pathOf = () => (kind === 'memory' ? ':memory:' : temporaryFolder());

  test('ids of every kind stay what they are', async () => {
    const ids: PointId[] = [
      0,
      1,
      2 ** 32,
      2 ** 53 - 1,
      2n ** 53n,
      2n ** 63n - 1n,
      2n ** 63n,
      2n ** 64n - 1n,
      '1',
      '123e4567-e89b-12d3-a456-426614174000',
      'any other',
    ];
    const { docs } = await open(pathOf());
    await docs.upsert(batchOf(ids, new Float32Array(2 * ids.length)));
    expect((await docs.list(-1, 100)).ids).toEqual(ids);
    const points = await docs.read({ ids: ids.toReversed() }, ALL);
    expect(points.map(({ id }) => id)).toEqual(ids.toReversed());
    expect([...(await docs.rowsOf(['1', 1, 'none', 1n]))]).toEqual([8, 1, NONE, 1]);
  });

  test('a read sees all that was acknowledged before', async () => {
    const { docs } = await open(pathOf());
    for (let i = 0; i < 50; i++) {
      const { rows, version } = await docs.upsert(one(7, i));
      const [point] = await docs.read({ ids: [7] }, ALL);
      expect(point).toMatchObject({ row: rows[0], version, vectors: [Float32Array.of(i, 1)] });
    }
  });

  test('writes that wait together are done and answered in their order', async () => {
    const { docs } = await open(pathOf());
    const order: number[] = [];
    const writes = Array.from({ length: 300 }, async (_, i) => {
      const call = i % 10 === 9 ? docs.updateVectors(one('no', i)) : docs.upsert(one(i % 7, i));
      const version = await call.then(
        (written) => written.version,
        ({ code }) => code,
      );
      order.push(i);
      return version;
    });
    const versions = await Promise.all(writes);
    expect(order).toEqual(Array.from({ length: 300 }, (_, i) => i));
    let version = 0;
    const expected = versions.map((_, i) => (i % 10 === 9 ? 'NOT_FOUND' : ++version));
    expect(versions).toEqual(expected);
    expect(await docs.state()).toEqual({ count: 7, nextRow: 270, version: 270 });
  });

  test('the arrays of the caller stay its own', async () => {
    const { docs } = await open(pathOf());
    const whole = Float32Array.from({ length: 10 }, (_, i) => i);
    const rows = Uint32Array.of(0);
    await docs.upsert(batchOf([1], whole.subarray(4, 6)));
    const shared = new Float32Array(new SharedArrayBuffer(8));
    shared.set([8, 9]);
    await docs.upsert(batchOf([2], shared));
    await docs.scan(0, whole.subarray(0, 2), 'Dot', 1, rows);
    await docs.read({ rows }, ALL);
    expect([whole.length, rows.length, shared.length]).toEqual([10, 1, 2]);
    const { rows: found, vectors } = await docs.readVectors(0, Uint32Array.of(1, 9, 0));
    expect([...found, ...vectors]).toEqual([0, 1, 4, 5, 8, 9]);
    expect(vectors.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test('payloads change in place, by id or row', async () => {
    const { docs } = await open(pathOf());
    await docs.upsert(many(3));
    const set = { kind: 'set', payload: { a: 1 } } as const;
    expect(await docs.changePayload({ ids: [2, 0] }, set)).toEqual({
      version: 2,
      rows: Uint32Array.of(2, 0),
      before: ['{"n":2}', '{"n":0}'],
      after: ['{"n":2,"a":1}', '{"n":0,"a":1}'],
    });
    const gone = await docs.changePayload({ rows: Uint32Array.of(9, 1) }, { kind: 'clear' });
    expect(gone).toMatchObject({ rows: Uint32Array.of(1), before: ['{"n":1}'], after: [null] });
    await expect(docs.changePayload({ ids: [0, 'x', 'y'] }, set)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { ids: ['x', 'y'] },
    });
    expect((await docs.read({ ids: [0, 1, 2] }, ALL)).map((p) => [p.payload, p.version])).toEqual([
      ['{"n":0,"a":1}', 2],
      [null, 3],
      ['{"n":2,"a":1}', 2],
    ]);
  });

  test('filters are matched where the payloads are', async () => {
    const { docs } = await open(pathOf());
    await docs.upsert(many(1000));
    const rows = Uint32Array.from({ length: 1001 }, (_, i) => 1000 - i);
    const matching = async (filter: unknown) => {
      const { rows: found, gone } = await docs.match(parseFilter('filter', filter), rows);
      expect(gone).toBe(1);
      return [...found];
    };
    const filter = { must: [{ key: 'n', range: { gte: 995 } }] };
    expect(await matching(filter)).toEqual([999, 998, 997, 996, 995]);
    const hasId = { must: [{ has_id: [3, 7] }, { has_vector: '' }] };
    expect(await matching(hasId)).toEqual([7, 3]);
  });

  test('long reads can be aborted, before and after they begin', async () => {
    const { docs } = await open(pathOf());
    await docs.upsert(many(20_000));
    const query = Float32Array.of(1, 1);
    const aborted = { code: 'ABORTED' };
    const before = docs.scan(0, query, 'Dot', 1, undefined, { signal: AbortSignal.abort() });
    await expect(before).rejects.toMatchObject(aborted);
    const abort = new AbortController();
    const rows = Uint32Array.from({ length: 20_000 }, (_, i) => i);
    const calls = [
      docs.scan(0, query, 'Dot', 1, undefined, abort),
      docs.scores(0, query, 'Dot', rows, abort),
      docs.match(parseFilter('filter', { must: { is_null: { key: 'n' } } }), rows, abort),
    ];
    const settled = Promise.allSettled(calls);
    abort.abort();
    for (const outcome of await settled) {
      // One that was quicker than the abort is no failure.
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(aborted);
    }
    expect(await docs.state()).toMatchObject({ count: 20_000 });
  });

  test('verify() and backup() go on while points are written, and restore() brings all back', async () => {
    const { store, docs } = await open(pathOf());
    await docs.upsert(many(5000));
    const folder = temporaryFolder();
    const file = join(folder, 'docs.backup');
    const progress: number[] = [];
    const verified = docs.verify({ onProgress: ({ done }) => progress.push(done) });
    const copied = docs.backup(file);
    const writes = Array.from({ length: 40 }, (_, i) => docs.upsert(one(5000 + i)));
    const { points } = await verified;
    const { bytes } = await copied;
    await Promise.all(writes);
    expect(points).toBeGreaterThanOrEqual(5000);
    expect(bytes).toBe(statSync(file).size);
    expect(readdirSync(folder)).toEqual(['docs.backup']);
    await expect(store.restore('docs', file)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    const copy = await store.restore('copy', file);
    const { count, nextRow, version } = await copy.state();
    expect(count).toBeGreaterThanOrEqual(5000);
    expect(count).toBeLessThanOrEqual(5040);
    expect([nextRow, version]).toEqual([count, count - 4999]);
    const entry = (await store.collections()).find(({ name }) => name === 'copy');
    expect(entry).toMatchObject({ config: { of: 'mine' }, fields: docs.fields });
    const rows = Uint32Array.of(17, 4999);
    expect(await copy.read({ rows }, ALL)).toEqual(await docs.read({ rows }, ALL));
    await copy.upsert(one('new'));
    expect(await copy.verify()).toEqual({ points: count + 1 });
  });

  test('batches that do not fit are refused before anything is done', async () => {
    const { docs } = await open(pathOf());
    const wrong = { code: 'INVALID_ARGUMENT' };
    const length = { code: 'DIMENSION_MISMATCH' };
    const columns = [{ field: 1, vectors: new Float32Array(2) }];
    const at = (...places: number[]) => [
      { field: 0, vectors: new Float32Array(2 * places.length), at: Uint32Array.from(places) },
    ];
    await expect(docs.upsert(batchOf([1], new Float32Array(3)))).rejects.toMatchObject(length);
    await expect(docs.upsert({ ...one(1), columns })).rejects.toMatchObject(wrong);
    await expect(docs.upsert({ ...one(1), payloads: [] })).rejects.toMatchObject(wrong);
    await expect(docs.upsert({ ...one(1), columns: at(1) })).rejects.toMatchObject(wrong);
    const two = { ids: [1, 2], payloads: [null, null] };
    await expect(docs.upsert({ ...two, columns: at(1, 0) })).rejects.toMatchObject(wrong);
    const payloads = [`"${'x'.repeat(2 ** 26)}"`];
    const tooMuch = { code: 'RESOURCE_EXHAUSTED' };
    await expect(docs.upsert({ ...one(1), payloads })).rejects.toMatchObject(tooMuch);
    const ids = Array.from({ length: 100_001 }, (_, i) => i);
    await expect(docs.upsert(batchOf(ids, new Float32Array()))).rejects.toMatchObject(tooMuch);
    await expect(docs.readVectors(1, Uint32Array.of(0))).rejects.toMatchObject(wrong);
    await expect(docs.read({ ids: [1] }, { payload: true, fields: [1] })).rejects.toMatchObject(
      wrong,
    );
    await expect(docs.deleteVectors({ ids: [1] }, [1])).rejects.toMatchObject(wrong);
    await expect(docs.list(-1, 0)).rejects.toMatchObject(wrong);
    expect(await docs.state()).toEqual({ count: 0, nextRow: 0, version: 0 });
  });
});

test('a backup does not go where the store lives, and only a backup can be restored', async () => {
  const path = temporaryFolder();
  const { store, docs } = await open(path);
  await docs.upsert(one(1));
  const inside = join(docs.folder!, 'points.sqlite');
  await expect(docs.backup(inside)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  for (const file of [inside, join(path, 'catalog.sqlite'), join(path, 'writer.json')]) {
    await expect(store.restore('x', file)).rejects.toMatchObject({ code: 'CORRUPT' });
  }
  const missing = store.restore('x', join(path, 'none'));
  await expect(missing).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(docs.backup(join(path, '..', 'no', 'folder'))).rejects.toMatchObject({
    code: 'IO_ERROR',
  });
  expect(readdirSync(join(path, 'collections'))).toHaveLength(1);
  expect(await docs.verify()).toEqual({ points: 1 });
});

test('a damaged backup is CORRUPT and leaves nothing behind', async () => {
  const path = temporaryFolder();
  const { store, docs } = await open(path);
  await docs.upsert(many(100));
  const file = join(temporaryFolder(), 'backup');
  await docs.backup(file);
  const { openDatabase } = await import('../../src/store/sqlite.js');
  const db = openDatabase(file, { readOnly: false });
  db.exec('DELETE FROM points WHERE row = 50');
  db.close();
  await expect(store.restore('x', file)).rejects.toMatchObject({ code: 'CORRUPT' });
  expect(readdirSync(join(path, 'collections'))).toHaveLength(1);
  expect(await store.collections()).toHaveLength(1);
});

test('reclaim() gives the space of deleted points back', async () => {
  const { docs } = await open();
  const payload = `{"text":"${'x'.repeat(2000)}"}`;
  const batch = many(10_000);
  await docs.upsert({ ...batch, payloads: batch.ids.map(() => payload) });
  await docs.remove({ rows: Uint32Array.from({ length: 9000 }, (_, i) => i) });
  const writes = docs.upsert(one('meanwhile'));
  await docs.reclaim();
  await writes;
  expect(await docs.bytesOnDisk()).toBeLessThan(2 * 1000 * payload.length);
  expect(await docs.verify()).toEqual({ points: 1001 });
});

describe('files beside the points', () => {
  test('are replaced, read and removed', async () => {
    const { docs } = await open();
    expect(await docs.openFile('graph.leandex')).toBeUndefined();
    await docs.replaceFile('graph.leandex', async (write) => {
      await write(Uint8Array.of(1, 2));
      await write(Uint8Array.of(3));
    });
    const file = (await docs.openFile('graph.leandex'))!;
    const bytes = new Uint8Array(new SharedArrayBuffer(2));
    await file.read(bytes, 1);
    expect([file.byteLength, ...bytes]).toEqual([3, 2, 3]);
    await file.close();
    await docs.removeFile('graph.leandex');
    await docs.removeFile('graph.leandex');
    expect(await docs.openFile('graph.leandex')).toBeUndefined();
  });

  test.each([
    '../points.leandex',
    'points.sqlite',
    '',
    'a/b.leandex',
  ])('cannot be called %j', async (name) => {
    const { docs } = await open();
    const wrong = { code: 'INVALID_ARGUMENT' };
    await expect(docs.openFile(name)).rejects.toMatchObject(wrong);
    await expect(docs.replaceFile(name, async () => {})).rejects.toMatchObject(wrong);
    await expect(docs.removeFile(name)).rejects.toMatchObject(wrong);
  });

  test('are none in memory', async () => {
    const { docs } = await open(':memory:');
    expect(docs.folder).toBeUndefined();
    expect(await docs.bytesOnDisk()).toBe(0);
    expect(await docs.openFile('graph.leandex')).toBeUndefined();
    const write = docs.replaceFile('graph.leandex', async () => {});
    await expect(write).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

describe('after a sync that failed', () => {
  test('nothing is written any more until the store is opened anew; reads go on', async () => {
    const { nodeFileSystem } = await import('../../src/format/file-system.js');
    const fs: StoreOptions['fs'] = {
      ...nodeFileSystem,
      open: async (path, flags) => {
        const file = await nodeFileSystem.open(path, flags);
        return new Proxy(file, {
          get: (target, name) => {
            if (name === 'sync') return () => Promise.reject(new Error('made up'));
            const value = Reflect.get(target, name);
            return typeof value === 'function' ? value.bind(target) : value;
          },
        });
      },
    };
    const path = temporaryFolder();
    const { store, docs } = await open(path, { fs });
    await docs.upsert(one(1));
    const failed = { code: 'IO_ERROR' };
    const replace = () => docs.replaceFile('a.leandex', (write) => write(Uint8Array.of(1)));
    await expect(replace()).rejects.toMatchObject(failed);
    const writes: (() => Promise<unknown>)[] = [
      () => docs.upsert(one(2)),
      () => docs.remove({ ids: [1] }),
      () => docs.reclaim(),
      () => store.create('x', null, []),
      () => store.setConfig('docs', 1),
      () => store.remove('docs'),
      replace,
    ];
    for (const call of writes) await expect(call()).rejects.toMatchObject(failed);
    expect(await docs.state()).toMatchObject({ count: 1 });
    expect(await store.collections()).toHaveLength(1);
    await store.close();
    const again = await Store.open(path);
    const opened = await again.openCollection('docs');
    await opened.upsert(one(2));
    expect(await opened.verify()).toEqual({ points: 2 });
    await again.close();
  });
});
