import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { drain } from '../../src/base/steps.js';
import { carveQuery } from '../../src/fde/ball-carving.js';
import { FdeEncoder } from '../../src/fde/encoder.js';
import { ALONE } from '../../src/threads/crew.js';
import {
  build,
  closeAtEnd,
  codeOf,
  D,
  expectBest,
  Mirror,
  queryOf,
  SMALL,
  some,
} from './multi-support.js';
import { chamfer, setAt, tokenSets } from './token-sets.js';

closeAtEnd();

/** Queries of 1 … 40 vectors. */
function queriesOf(seed: number, count: number) {
  const random = new Random(seed);
  return tokenSets(
    seed,
    Array.from({ length: count }, () => 1 + random.below(40)),
    D,
  );
}

describe.each([
  ['an exact index', 1000],
  ['a graph', 0],
])('searchBatch() in %s', (_, exactBelow) => {
  const built = build(some(1, 400), { exactBelow, fde: SMALL });

  test.each([1, 3, 150])('gives what search() gives for each of %i queries', async (count) => {
    const index = await built;
    const queries = queriesOf(2, count);
    for (const options of [{}, { candidates: 7 }, { carve: 0.2 }, { allow: [3, 5, 8, 300] }]) {
      const { ids, scores, k } = await index.searchBatch(queries, 6, options);
      const expected = Array.from({ length: count }, (_, q) =>
        index.search(setAt(queries, q, D), 6, options),
      );
      expect(k).toBe('allow' in options ? 4 : 6);
      expect([...ids]).toEqual(expected.flatMap((result) => [...result.ids]));
      expect([...scores]).toEqual(expected.flatMap((result) => [...result.scores]));
    }
  });

  test('is exhaustive MaxSim with all documents as candidates', async () => {
    const index = await built;
    const mirror = new Mirror();
    for (const id of index.ids()) mirror.documents.set(id, index.tokensOf(id)!);
    const queries = queriesOf(3, 9);
    const all = { candidates: 400, ef: 400 };
    const { ids, scores, k } = await index.searchBatch(queries, 10, all);
    for (let q = 0; q < 9; q++) {
      const [from, to] = [q * k, (q + 1) * k];
      const result = { ids: ids.subarray(from, to), scores: scores.subarray(from, to) };
      expectBest(result, mirror.best(setAt(queries, q, D), 10));
    }
  });

  test('gives every document for k above their number, and nothing for no queries', async () => {
    const index = await built;
    const { ids, k } = await index.searchBatch(queriesOf(4, 3), 1000);
    expect(k).toBe(400);
    for (let q = 0; q < 3; q++) expect(new Set(ids.subarray(q * k, (q + 1) * k)).size).toBe(400);
    const none = await index.searchBatch(queriesOf(4, 0), 5);
    expect([none.ids.length, none.scores.length, none.k]).toEqual([0, 0, 5]);
  });
});

test('many tokens, which other threads encode, give what few do', async () => {
  const index = await build(some(5, 150));
  const queries = queriesOf(6, 400);
  expect(queries.offsets.at(-1)).toBeGreaterThan(4096);
  const [one, two] = await Promise.all([
    index.searchBatch(queries, 5),
    index.searchBatch(queries, 5),
  ]);
  expect(two).toEqual(one);
  for (let q = 0; q < 400; q += 29) {
    const { ids } = index.search(setAt(queries, q, D), 5);
    expect([...one.ids.subarray(q * 5, q * 5 + 5)]).toEqual([...ids]);
  }
});

test('encodings of many queries are those of each, here and elsewhere', () => {
  const encoder = new FdeEncoder({ dimensions: D, ...SMALL });
  const queries = queriesOf(7, 30);
  const together = drain(encoder.querySteps(queries.tokens, queries.offsets, ALONE));
  for (let q = 0; q < 30; q++) {
    const { dimensions } = encoder;
    const row = together.subarray(q * dimensions, (q + 1) * dimensions);
    expect(row).toEqual(encoder.encodeQuery(setAt(queries, q, D)));
  }
});

describe('searchAsync()', () => {
  test('gives what search() gives, many at a time, also with every thread for one', async () => {
    const index = await build(some(8, 1200));
    const wide = { candidates: 1200, ef: 1200 };
    const long = queryOf(1, 600);
    expect(await index.searchAsync(long, 20, wide)).toEqual(index.search(long, 20, wide));
    const queries = Array.from({ length: 40 }, (_, q) => queryOf(q, 1 + q));
    const found = await Promise.all(queries.map((query) => index.searchAsync(query, 7)));
    queries.forEach((query, q) => {
      expect(found[q]).toEqual(index.search(query, 7));
    });
  });

  test('takes a copy of the query', async () => {
    const index = await build(some(9, 50));
    const query = queryOf(1);
    const expected = index.search(query, 5);
    const searching = index.searchAsync(query, 5);
    query.fill(Number.NaN);
    expect(await searching).toEqual(expected);
  });
});

describe('while documents come and go', () => {
  test('nothing is returned that was deleted before the result', async () => {
    const sets = some(10, 600);
    const index = await build(sets, { tokenBits: 32 });
    const mirror = new Mirror();
    mirror.set(index.ids(), sets);
    const all = { candidates: 600, ef: 600 };
    for (let round = 0; round < 25; round++) {
      const queries = queriesOf(round + 1, 6);
      const first = setAt(queries, 0, D);
      let [isOneThere, isBatchThere] = [false, false];
      const batch = index.searchBatch(queries, 4, all).finally(() => {
        isBatchThere = true;
      });
      const one = index.searchAsync(first, 4, all).finally(() => {
        isOneThere = true;
      });
      for (let turn = 0; turn < round % 5; turn++) await new Promise(setImmediate);
      const wasThere = [isOneThere, isBatchThere];
      // Those that are on their way to be returned.
      const gone = mirror.best(first, 3).map(({ id }) => id);
      const deleting = index.delete(gone);
      for (const id of gone) mirror.documents.delete(id);
      if (!wasThere[0]) expectBest(await one, mirror.best(first, 4));
      const { ids, scores, k } = await batch;
      if (wasThere[1]) continue;
      for (let q = 0; q < 6; q++) {
        const result = {
          ids: ids.subarray(q * k, (q + 1) * k),
          scores: scores.subarray(q * k, (q + 1) * k),
        };
        expectBest(result, mirror.best(setAt(queries, q, D), 4));
      }
      expect(await deleting).toBe(gone.length);
    }
  });

  test('a document that is replaced is scored by its old tokens or its new ones', async () => {
    const index = await build(some(11, 80), { tokenBits: 32 });
    const query = queryOf(3);
    let before = index.tokensOf(7)!;
    for (let round = 0; round < 20; round++) {
      const after = queryOf(100 + round, 3);
      const searching = index.searchAsync(query, 80);
      const updating = index.update(7, after);
      const { ids, scores } = await searching;
      const score = scores[ids.indexOf(7)]!;
      const expected = [before, after].map((tokens) => chamfer(query, tokens, D));
      expect(expected.some((each) => Math.abs(each - score) < 1e-3)).toBe(true);
      await updating;
      before = after;
    }
  });

  test('documents that are added appear whole, when they are there', async () => {
    const index = await build(some(12, 60), { exactBelow: 100, fde: SMALL });
    const adding = index.add(some(13, 300));
    let isDone = false;
    void adding.then(() => {
      isDone = true;
    });
    while (!isDone) {
      const { ids, k } = await index.searchBatch(queriesOf(1, 5), 10);
      expect([ids.length, k]).toEqual([50, 10]);
      const known = new Set(index.ids());
      for (const id of ids) expect(known.has(id)).toBe(true);
    }
    expect(index.count).toBe(360);
  });

  test('memory of replaced documents is used again, though searches never pause', async () => {
    const index = await build(some(14, 300), { tokenBits: 32 });
    let isDone = false;
    const search = async () => {
      while (!isDone) await index.searchAsync(queryOf(1, 8), 5);
    };
    const searches = [search(), search(), search()];
    const { tokens } = index.stats().bytesPerDocument;
    for (let round = 0; round < 60; round++) {
      for (let id = 0; id < 60; id++) await index.update(id, queryOf(round, 12));
    }
    isDone = true;
    await Promise.all(searches);
    expect(index.stats().bytesPerDocument.tokens).toBeLessThan(4 * tokens);
  });

  test('searches that run when the index is closed come to their end', async () => {
    const index = await build(some(15, 500));
    const expected = index.search(queryOf(1), 5);
    const batch = index.searchBatch(queriesOf(1, 200), 5);
    const one = index.searchAsync(queryOf(1), 5);
    await new Promise(setImmediate);
    await index.close();
    expect(await one).toEqual(expected);
    expect((await batch).ids.length).toBe(1000);
    expect(await codeOf(() => index.searchAsync(queryOf(1), 5))).toBe('CLOSED');
  });
});

describe('carve', () => {
  test('ranks by MaxSim of the sums of near query vectors, a lower bound', async () => {
    const sets = some(16, 120);
    const index = await build(sets, { tokenBits: 32 });
    const query = queryOf(4, 30);
    const all = { candidates: 120, ef: 120 };
    for (const carve of [-1.1, 0, 0.3, 1.1]) {
      const mirror = new Mirror();
      mirror.set(index.ids(), sets);
      const result = index.search(query, 9, { ...all, carve });
      expectBest(result, mirror.best(carveQuery(query, D, carve), 9));
      expect(await index.searchAsync(query, 9, { ...all, carve })).toEqual(result);
      result.ids.forEach((id, i) => {
        const exact = chamfer(query, setAt(sets, id, D), D);
        expect(result.scores[i]).toBeLessThan(exact + 1e-3);
      });
    }
  });
});
