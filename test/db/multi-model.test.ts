import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Collection } from '../../src/db/collection.js';
import { open } from '../../src/db/open.js';
import { maxSim, multi, numbersOf, ranking } from './multi-support.js';
import { emptyFolder, idsOf } from './support.js';

const SIZE = 3;
const IDS = 25;
/** A single vector and several, side by side; a point may lack either. */
interface Entry {
  one: number[] | undefined;
  many: number[][] | undefined;
  k: number;
}
type Model = Map<number, Entry>;

const anId = fc.nat(IDS - 1);
const ids = fc.uniqueArray(anId, { minLength: 1, maxLength: 10 });
// No zeros: they have no direction.
const vector = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: SIZE, maxLength: SIZE });
const vectors = fc.array(vector, { minLength: 1, maxLength: 5 });
const maybe = <T>(some: fc.Arbitrary<T>) => fc.option(some, { nil: undefined, freq: 4 });
const entry = fc.record({
  one: maybe(vector),
  many: maybe(vectors),
  k: fc.integer({ min: 0, max: 2 }),
});
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('upsert' as const),
      points: fc.uniqueArray(fc.record({ id: anId, entry }), {
        selector: ({ id }) => id,
        minLength: 1,
        maxLength: 20,
      }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('update' as const),
      id: anId,
      change: fc.oneof(fc.record({ many: vectors }), fc.record({ one: vector })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('drop' as const),
      ids,
      name: fc.constantFrom('one' as const, 'many' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), ids }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('delete where' as const), k: fc.nat(2) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'optimize' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What a step does to the model. Writes that name a point which is not there change nothing. */
function follow(model: Model, todo: Step): void {
  switch (todo.do) {
    case 'upsert':
      for (const { id, entry } of todo.points) model.set(id, entry);
      return;
    case 'update':
      if (model.has(todo.id)) model.set(todo.id, { ...model.get(todo.id)!, ...todo.change });
      return;
    case 'drop':
      if (!todo.ids.every((id) => model.has(id))) return;
      for (const id of todo.ids) model.set(id, { ...model.get(id)!, [todo.name]: undefined });
      return;
    case 'delete':
      for (const id of todo.ids) model.delete(id);
      return;
    case 'delete where':
      for (const [id, { k }] of model) if (k === todo.k) model.delete(id);
  }
}

async function perform(points: Collection, todo: Step): Promise<void> {
  const tolerant = (error: { code: string }) => {
    if (error.code !== 'NOT_FOUND') throw error;
  };
  switch (todo.do) {
    case 'upsert':
      await points.upsert(
        todo.points.map(({ id, entry: { one, many, k } }) => ({
          id,
          vector: { one, many },
          payload: { k },
        })),
      );
      return;
    case 'update':
      await points.updateVectors([{ id: todo.id, vector: todo.change }]).catch(tolerant);
      return;
    case 'drop':
      await points.deleteVectors(todo.ids, [todo.name]).catch(tolerant);
      return;
    case 'delete':
      await points.delete(todo.ids);
      return;
    case 'delete where':
      await points.delete({ filter: { must: { key: 'k', match: { value: todo.k } } } });
      return;
    case 'optimize':
      await points.optimize();
  }
}

async function compare(points: Collection, model: Model): Promise<void> {
  const { points: page } = await points.scroll({ limit: 1_000, withVector: true });
  const read = page.map(({ id, payload, vector }) => {
    const { one, many } = vector as { one?: Float32Array; many?: Float32Array[] };
    return [id, { one: one && [...one], many: many && numbersOf(many), k: payload!.k }];
  });
  expect(new Map(read as [number, Entry][])).toEqual(model);
  const documents = [...model].flatMap(([id, { many, k }]) =>
    many === undefined ? [] : [{ id, vector: many, k }],
  );
  const vector = [
    [1, 20, 3],
    [7, 1, 1],
  ];
  const all = { vector, using: 'many', limit: 1_000, withPayload: false };
  for (const query of [all, { ...all, exact: true }, { ...all, rescore: 'exact' as const }]) {
    const hits = await points.query(query);
    expect(new Set(idsOf(hits))).toEqual(new Set(idsOf(documents)));
    const expected = ranking(documents, vector).map(({ score }) => expect.closeTo(score, 4));
    expect(hits.map(({ score }) => score)).toEqual(expected);
    for (const { id, score } of hits) {
      expect(score).toBeCloseTo(maxSim(vector, model.get(id as number)!.many!), 4);
    }
  }
  const filter = { must: [{ key: 'k', match: { value: 1 } }] };
  const some = await points.query({ ...all, filter });
  const matching = documents.filter(({ k }) => k === 1);
  expect(new Set(idsOf(some))).toEqual(new Set(idsOf(matching)));
  const ones = await points.query({ vector: [1, 2, 3], using: 'one', limit: 1_000 });
  const having = [...model].filter(([, { one }]) => one !== undefined).map(([id]) => id);
  expect(new Set(idsOf(ones))).toEqual(new Set(having));
  const { many } = (await points.info()).vectors;
  const tokens = documents.reduce((sum, { vector }) => sum + vector.length, 0);
  expect(many).toMatchObject({ count: documents.length, multivector: { tokens } });
}

async function play(steps: readonly Step[], exactBelow: number): Promise<void> {
  const folder = emptyFolder();
  const options = { durability: 'process' as const, onLog: () => {} };
  let db = await open(folder, options);
  try {
    let points = await db.createCollection('points', {
      vectors: {
        one: { size: SIZE, distance: 'Euclid', index: { exactBelow } },
        many: multi(SIZE, { index: { exactBelow, tokenBits: 32, fdeDimensions: 640 } }),
      },
    });
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

test.each([
  ['scanned', 1_000_000, 21],
  ['in a graph', 8, 22],
])(
  'any sequence of writes, optimize() and reopening leaves what a model has, %s',
  async (_, exactBelow, seed) => {
    const steps = fc.array(step, { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(steps, (todo) => play(todo, exactBelow)),
      { seed, numRuns: 20, endOnFailure: true },
    );
  },
  180_000,
);
