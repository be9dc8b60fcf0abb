import { describe, expect, test, vi } from 'vitest';
import { open } from '../../src/db/open.js';
import { codeOf, coreOf, emptyFolder, idsOf, openHere, somePoints } from './support.js';

const VECTORS = {
  vectors: { size: 8, distance: 'Euclid' as const, index: { exactBelow: 200 } },
};

describe('a database that is only read', () => {
  test('follows another that writes, in every kind of read', async () => {
    const folder = emptyFolder();
    const writer = await openHere(folder);
    const docs = await writer.createCollection('docs', VECTORS);
    await docs.createPayloadIndex('n', 'integer');
    await docs.upsert(somePoints(400, 8));
    const reader = await openHere(folder, { readOnly: true });
    const copy = await reader.collection('docs');
    const compare = async () => {
      for (const query of somePoints(5, 8, 50)) {
        const options = { vector: query.vector, limit: 1_000, ef: 1_000, withPayload: true };
        const [mine, theirs] = [await copy.query(options), await docs.query(options)];
        expect(new Set(idsOf(mine))).toEqual(new Set(idsOf(theirs)));
      }
      const filter = { must: { key: 'n', range: { lt: 50 } } };
      expect(await copy.count({ filter })).toBe(await docs.count({ filter }));
      expect(await copy.facet('n', { limit: 5 })).toEqual(await docs.facet('n', { limit: 5 }));
      expect(await copy.scroll({ limit: 1_000 })).toEqual(await docs.scroll({ limit: 1_000 }));
    };
    await compare();
    await docs.upsert(somePoints(100, 8, 2).map((point) => ({ ...point, id: point.id + 350 })));
    await compare();
    await docs.delete([1, 2, 3]);
    await docs.setPayload([4], { n: -1 });
    await docs.optimize();
    await compare();
    await docs.delete({ filter: {} });
    await compare();
    await writer.close();
    expect(await copy.count()).toBe(0);
  });

  test('finds a point that is being written anew, in reads side by side', async () => {
    const folder = emptyFolder();
    const docs = await (await openHere(folder)).createCollection('docs', VECTORS);
    const points = somePoints(500, 8);
    await docs.upsert(points);
    await docs.optimize();
    const copy = await (await openHere(folder, { readOnly: true })).collection('docs');
    const query = { vector: points[7]!.vector, limit: 1, withPayload: false };
    for (let i = 0; i < 100; i++) {
      const writing = docs.upsert([points[7]!]);
      const reading = Array.from({ length: 3 }, () => copy.query(query));
      for (const hits of await Promise.all(reading)) expect(idsOf(hits)).toEqual([7]);
      await writing;
    }
  });

  test('takes in what it could not read before', async () => {
    const folder = emptyFolder();
    const docs = await (await openHere(folder)).createCollection('docs', VECTORS);
    await docs.upsert(somePoints(10, 8));
    const copy = await (await openHere(folder, { readOnly: true })).collection('docs');
    const { stored } = coreOf(copy);
    const read = vi.spyOn(stored, 'readVectors').mockRejectedValueOnce(new Error('lost'));
    await docs.upsert(somePoints(30, 8));
    await expect(copy.count()).rejects.toThrow('lost');
    read.mockRestore();
    const query = { vector: new Float32Array(8), limit: 100 };
    expect(idsOf(await copy.query(query))).toEqual(idsOf(await docs.query(query)));
  });

  test('counts a point once that is written anew while it looks', async () => {
    const folder = emptyFolder();
    const config = { vectors: { size: 2, distance: 'Euclid' as const } };
    const docs = await (await openHere(folder)).createCollection('docs', config);
    await docs.upsert(somePoints(5_000, 2));
    const copy = await (await openHere(folder, { readOnly: true })).collection('docs');
    await docs.delete([4_999]);
    const { stored } = coreOf(copy);
    const list = stored.list.bind(stored);
    vi.spyOn(stored, 'list').mockImplementationOnce(async (after, limit) => {
      const page = await list(after, limit);
      await docs.upsert([{ id: 5, vector: [7, 7] }]);
      return page;
    });
    expect(await copy.count()).toBe(4_999);
    expect(await copy.count({ filter: { must: { has_id: [5] } } })).toBe(1);
  });

  test('needs something to read, on the disk', async () => {
    expect(await codeOf(open(emptyFolder(), { readOnly: true }))).toBe('NOT_FOUND');
    expect(await codeOf(open(':memory:', { readOnly: true }))).toBe('INVALID_ARGUMENT');
  });
});
