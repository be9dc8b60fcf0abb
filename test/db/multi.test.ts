import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { gaussians, idsOf, openHere } from './support.js';

const SIZE = 8;

describe('smoke', () => {
  test('round trip', async () => {
    const db = await openHere();
    const docs = await db.createCollection('docs', {
      vectors: { size: SIZE, multivector: { comparator: 'max_sim' }, index: { tokenBits: 32 } },
    });
    const random = new Random(1);
    const points = Array.from({ length: 100 }, (_, id) => ({
      id,
      vector: gaussians(random, 1 + random.below(6), SIZE),
      payload: { half: id % 2 },
    }));
    await docs.upsert(points);
    const [first] = await docs.retrieve([3], { withVector: true });
    expect((first!.vector as Float32Array[]).map((v) => [...v])).toEqual(points[3]!.vector);
    const query = gaussians(random, 4, SIZE);
    const a = await docs.query({ vector: query, limit: 100 });
    const b = await docs.query({ vector: query, limit: 100, exact: true });
    expect(idsOf(a)).toEqual(idsOf(b));
    console.log(a.slice(0, 3), b.slice(0, 3));
    console.log(JSON.stringify(await docs.info()));
  });
});
