import { describe, expect, test } from 'vitest';
import { advise } from '../../src/index.js';
import { gaussianRows } from '../graph/oracle.js';
import { codeOf, openHere } from './support.js';

const D = 24;
const ROWS = 2100;
const rows = gaussianRows(ROWS, D, 1);
const points = Array.from({ length: ROWS }, (_, id) => ({
  id,
  vector: rows.slice(id * D, (id + 1) * D),
}));

describe('collection.advise', () => {
  test('is advice on what is stored, with the collection’s own distance', async () => {
    const db = await openHere();
    const docs = await db.createCollection('docs', {
      vectors: { size: D, distance: 'Euclid', index: { exactBelow: 1_000_000 } },
    });
    await docs.upsert(points);
    const advice = await docs.advise({ recall: 0.9 });
    expect(advice).toEqual(await advise(rows, { dimensions: D, distance: 'Euclid', recall: 0.9 }));
    await docs.delete(points.slice(0, 500).map(({ id }) => id));
    const { expected } = await docs.advise();
    expect(expected).toMatchObject({ count: ROWS - 500, recall: 1 });
  });

  test('asks by name where there are several vectors', async () => {
    const db = await openHere();
    const docs = await db.createCollection('docs', {
      vectors: {
        title: { size: D, distance: 'Dot' },
        body: { size: 2 },
        none: { size: D, originals: 'none' },
        many: { size: D, multivector: { comparator: 'max_sim' } },
      },
    });
    await docs.upsert(
      points.slice(0, 100).map(({ id, vector }) => ({ id, vector: { title: vector } })),
    );
    const { settings, expected } = await docs.advise({ using: 'title' });
    expect(settings).toMatchObject({ dimensions: D, distance: 'Dot' });
    expect(expected.count).toBe(100);
    expect(await codeOf(docs.advise({ using: 'other' }))).toBe('INVALID_ARGUMENT');
    // It has no vectors yet.
    expect(await codeOf(docs.advise({ using: 'body' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(docs.advise({ using: 'none' }))).toBe('UNSUPPORTED');
    expect(await codeOf(docs.advise({ using: 'many' }))).toBe('UNSUPPORTED');
  });

  test('refuses what is the collection’s own, and ends when aborted or closed', async () => {
    const db = await openHere();
    const docs = await db.createCollection('docs', { vectors: { size: D } });
    await docs.upsert(points.slice(0, 50));
    expect(await codeOf(docs.advise({ distance: 'Dot' } as object))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(docs.advise({ trainWithQueries: true } as object))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await codeOf(docs.advise({ sample: 1 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(docs.advise({ signal: AbortSignal.abort() }))).toBe('ABORTED');
    await db.close();
    expect(await codeOf(docs.advise())).toBe('CLOSED');
  });
});
