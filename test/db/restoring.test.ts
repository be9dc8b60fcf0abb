import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { emptyFolder, flipped, openLogged, somePoints } from './support.js';

const SIZE = 16;
const VECTORS = {
  vectors: { size: SIZE, distance: 'Euclid' as const, index: { exactBelow: 200 } },
};

describe('snapshot() and restoreCollection()', () => {
  test('carry a collection to another database, indexes and all', async () => {
    const { db } = await openLogged(emptyFolder());
    const docs = await db.createCollection('docs', VECTORS);
    await docs.createPayloadIndex('n', 'integer');
    const points = somePoints(500, SIZE);
    await docs.upsert(points);
    await docs.delete([7]);
    const file = join(emptyFolder(), 'docs.snapshot');
    const writing = docs.upsert(somePoints(3, SIZE, 4));
    const bytes = await docs.snapshot(file);
    await writing;
    expect(bytes).toBe(statSync(file).size);
    const { db: other } = await openLogged(emptyFolder());
    const copy = await other.restoreCollection('copy', file);
    expect(await copy.count()).toBe(499);
    expect(await copy.retrieve([7])).toEqual([]);
    await copy.optimize();
    expect((await copy.info()).vectors['']).toMatchObject({ indexed: 499 });
    expect(await copy.count({ filter: { must: { key: 'n', range: { gte: 490 } } } })).toBe(10);
    await copy.upsert([{ id: 7, vector: points[7]!.vector }]);
    await expect(other.restoreCollection('copy', file)).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    await expect(docs.snapshot(file)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    const missing = other.restoreCollection('missing', `${file}.x`);
    await expect(missing).rejects.toMatchObject({ code: 'NOT_FOUND' });
    writeFileSync(`${file}.x`, 'no snapshot');
    const nothing = other.restoreCollection('nothing', `${file}.x`);
    await expect(nothing).rejects.toThrow(`${file}.x`);
    writeFileSync(file, flipped(readFileSync(file)));
    await expect(other.restoreCollection('damaged', file)).rejects.toMatchObject({
      code: 'CORRUPT',
    });
    expect(await other.listCollections()).toEqual(['copy']);
  });

  test('take the place of a collection where that is wanted, or leave it as it was', async () => {
    const folder = emptyFolder();
    const { db } = await openLogged(folder);
    const docs = await db.createCollection('docs', VECTORS);
    await docs.upsert(somePoints(500, SIZE));
    const file = join(emptyFolder(), 'docs.snapshot');
    await docs.snapshot(file);
    await docs.upsert(somePoints(600, SIZE));
    const damaged = `${file}.damaged`;
    writeFileSync(damaged, flipped(readFileSync(file)));
    const failing = db.restoreCollection('docs', damaged, { replace: true });
    await expect(failing).rejects.toMatchObject({ code: 'CORRUPT' });
    expect(await docs.count()).toBe(600);
    const restored = await db.restoreCollection('docs', file, { replace: true });
    expect(await restored.count()).toBe(500);
    await expect(docs.count()).rejects.toMatchObject({ code: 'CLOSED' });
    await db.restoreCollection('other', file, { replace: true });
    expect(readdirSync(join(folder, 'collections'))).toHaveLength(2);
    await db.close();
    const { db: again } = await openLogged(folder);
    expect(await again.listCollections()).toEqual(['docs', 'other']);
    expect(await (await again.collection('docs')).count()).toBe(500);
    await again.verify();
  });
});
