import { describe, expect, test } from 'vitest';
import { open } from '../../src/db/open.js';
import { codeOf, emptyFolder, idsOf, openHere, somePoints } from './support.js';

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

  test('needs something to read, on the disk', async () => {
    expect(await codeOf(open(emptyFolder(), { readOnly: true }))).toBe('NOT_FOUND');
    expect(await codeOf(open(':memory:', { readOnly: true }))).toBe('INVALID_ARGUMENT');
  });
});
