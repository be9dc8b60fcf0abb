import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PointId } from '../../src/base/point-id.js';
import type { Collection } from '../../src/db/collection.js';
import type { Database } from '../../src/db/database.js';
import { open } from '../../src/db/open.js';
import { emptyFolder } from './support.js';

const SIZE = 3;
const NAMES: readonly PointId[] = [
  ...Array.from({ length: 40 }, (_, i) => i),
  2n ** 63n,
  2n ** 64n - 1n,
  '7',
  'köln',
  '936da01f-9abd-4d9d-80c7-02af85c822a8',
];

interface Entry {
  vector: number[];
  payload: Record<string, unknown> | null;
}
type Model = Map<PointId, Entry>;

const anId = fc.constantFrom(...NAMES);
const ids = fc.uniqueArray(anId, { minLength: 1, maxLength: 30 });
const vector = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: SIZE, maxLength: SIZE });
const payload = fc.oneof(
  fc.constant(null),
  fc.record({ k: fc.integer({ min: 0, max: 3 }), t: fc.array(fc.constantFrom('x', 'y')) }),
);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('upsert' as const),
      points: fc.uniqueArray(fc.record({ id: anId, vector, payload }), {
        selector: ({ id }) => id,
        maxLength: 30,
      }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), ids }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('delete where' as const),
      k: fc.integer({ max: 3, min: 0 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('set payload' as const),
      ids,
      k: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear payload' as const), ids }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('update vectors' as const), id: anId, vector }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'optimize' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What a step does to the model. Writes that name a point which is not there change nothing. */
function follow(model: Model, todo: Step): void {
  switch (todo.do) {
    case 'upsert':
      for (const { id, vector, payload } of todo.points) model.set(id, { vector, payload });
      return;
    case 'delete':
      for (const id of todo.ids) model.delete(id);
      return;
    case 'delete where':
      for (const [id, entry] of model) if (entry.payload?.k === todo.k) model.delete(id);
      return;
    case 'set payload':
      if (!todo.ids.every((id) => model.has(id))) return;
      for (const id of todo.ids) {
        const entry = model.get(id)!;
        model.set(id, { ...entry, payload: { ...entry.payload, k: todo.k } });
      }
      return;
    case 'clear payload':
      if (!todo.ids.every((id) => model.has(id))) return;
      for (const id of todo.ids) model.set(id, { ...model.get(id)!, payload: null });
      return;
    case 'update vectors': {
      const entry = model.get(todo.id);
      if (entry !== undefined) model.set(todo.id, { ...entry, vector: todo.vector });
    }
  }
}

async function perform(points: Collection, todo: Step): Promise<void> {
  const tolerant = (error: { code: string }) => {
    if (error.code !== 'NOT_FOUND') throw error;
  };
  switch (todo.do) {
    case 'upsert':
      await points.upsert(todo.points as never);
      return;
    case 'delete':
      await points.delete(todo.ids);
      return;
    case 'delete where':
      await points.delete({ filter: { must: { key: 'k', match: { value: todo.k } } } });
      return;
    case 'set payload':
      await points.setPayload(todo.ids, { k: todo.k }).catch(tolerant);
      return;
    case 'clear payload':
      await points.clearPayload(todo.ids).catch(tolerant);
      return;
    case 'update vectors':
      await points.updateVectors([{ id: todo.id, vector: todo.vector }]).catch(tolerant);
      return;
    case 'optimize':
      await points.optimize();
  }
}

/** Everything that can be read equals the model. */
async function compare(points: Collection, model: Model): Promise<void> {
  expect(await points.count()).toBe(model.size);
  const page = await points.scroll({ limit: 1000, withVector: true });
  const read = new Map(
    page.points.map(({ id, payload, vector }) => [
      id,
      { vector: [...(vector as Float32Array)], payload: payload ?? null },
    ]),
  );
  expect(read).toEqual(model);
  const query = [1.5, -2.5, 3.5];
  const distance = (id: PointId) =>
    Math.sqrt(model.get(id)!.vector.reduce((sum, x, i) => sum + (x - query[i]!) ** 2, 0));
  const expected = [...model.keys()].map(distance).sort((a, b) => a - b);
  const exact = await points.query({ vector: query, limit: 1000, exact: true });
  expect(exact.map(({ score }) => score)).toEqual(
    expected.map((score) => expect.closeTo(score, 4)),
  );
  for (const { id, score } of exact) expect(score).toBeCloseTo(distance(id), 4);
  const found = await points.query({ vector: query, limit: 1000, ef: 1000, withPayload: false });
  expect(new Set(found.map(({ id }) => id))).toEqual(new Set(model.keys()));
  for (let k = 0; k < 4; k++) {
    const matching = [...model].filter(([, { payload }]) => payload?.k === k).map(([id]) => id);
    const filter = { must: { key: 'k', match: { value: k } } };
    const hits = await points.query({ vector: query, limit: 1000, ef: 1000, filter });
    expect(new Set(hits.map(({ id }) => id))).toEqual(new Set(matching));
    expect(await points.count({ filter })).toBe(matching.length);
  }
}

async function play(steps: readonly Step[], exactBelow: number, isIndexed: boolean): Promise<void> {
  const folder = emptyFolder();
  const options = { durability: 'process' as const, onLog: () => {} };
  let db: Database = await open(folder, options);
  try {
    let points = await db.createCollection('points', {
      vectors: { size: SIZE, distance: 'Euclid', index: { exactBelow } },
    });
    if (isIndexed) await points.createPayloadIndex('k', 'integer');
    const model: Model = new Map();
    for (const todo of steps) {
      if (todo.do === 'reopen') {
        await db.close();
        db = await open(folder, options);
        points = await db.collection('points');
      } else {
        await perform(points, todo);
      }
      follow(model, todo);
    }
    await compare(points, model);
    await db.verify();
  } finally {
    await db.close();
  }
}

describe('any sequence of writes, optimize() and reopening leaves what a model in memory has', () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 25 });

  test('scanned exactly', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), (todo, isIndexed) => play(todo, 1_000_000, isIndexed)),
      { seed: 11, numRuns: 40, endOnFailure: true },
    );
  });

  test('in a graph', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), (todo, isIndexed) => play(todo, 10, isIndexed)),
      { seed: 12, numRuns: 40, endOnFailure: true },
    );
  });
});
