import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Collection } from '../../src/db/collection.js';
import type { TextQuery } from '../../src/db/query-types.js';
import { codeOf, coreOf, emptyFolder, idsOf, openHere } from './support.js';

type Texts = Map<number, string>;

async function newDocs(path = ':memory:'): Promise<Collection> {
  const db = await openHere(path);
  return db.createCollection('docs', { vectors: { size: 2, distance: 'Dot' } });
}

const point = (id: number, body: unknown) => ({
  id,
  vector: [id, 1],
  payload: { body, half: id % 2 },
});

const wordsIn = (text: string): string[] => text.toLowerCase().match(/[a-z]+/g) ?? [];

/** BM25 as FTS5 has it, in float64: k1 = 1.2, b = 0.75, each phrase's idf at least 10⁻⁶. */
function bm25(texts: Texts, query: readonly string[]): [id: number, score: number][] {
  const all = [...texts].map(([id, text]) => ({ id, words: wordsIn(text) }));
  const average = all.reduce((sum, { words }) => sum + words.length, 0) / all.length;
  const scores = new Map<number, number>();
  for (const word of query) {
    const having = all.filter(({ words }) => words.includes(word));
    const n = having.length;
    const idf = Math.max(1e-6, Math.log((all.length - n + 0.5) / (n + 0.5)));
    for (const { id, words } of having) {
      const f = words.filter((one) => one === word).length;
      const score = (idf * f * 2.2) / (f + 1.2 * (0.25 + (0.75 * words.length) / average));
      scores.set(id, (scores.get(id) ?? 0) + score);
    }
  }
  return [...scores].sort((a, b) => b[1] - a[1]);
}

async function find(docs: Collection, text: Partial<TextQuery>, more: object = {}) {
  const query = { text: { field: 'body', match: '', ...text }, limit: 100, ...more };
  return docs.query(query);
}

function expectScores(hits: Awaited<ReturnType<typeof find>>, expected: [number, number][]) {
  const scores = new Map(expected);
  expect(new Set(idsOf(hits))).toEqual(new Set(scores.keys()));
  for (const { id, score } of hits) {
    expect(score / scores.get(id as number)!).toBeCloseTo(1, 9);
  }
  const found = hits.map(({ score }) => score);
  expect(found).toEqual(found.toSorted((a, b) => b - a));
}

const aWord = fc.constantFrom('ant', 'bee', 'cat', 'dog', 'elk', 'fox', 'gnu', 'hen');
const aText = fc.array(aWord, { minLength: 1, maxLength: 8 }).map((words) => words.join(' '));
const anId = fc.nat(11);
const aStep = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('upsert' as const), id: anId, text: aText }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('set' as const), id: anId, text: aText }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), id: anId }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), id: anId }) },
  { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'index' as const }) },
);

describe('queries by words', () => {
  test('score by BM25 after any writes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(aStep, { maxLength: 30 }),
        fc.uniqueArray(aWord, { minLength: 1, maxLength: 3 }),
        async (steps, words) => {
          const folder = emptyFolder();
          const open = () => openHere(folder, { durability: 'process' });
          let db = await open();
          let docs = await db.createCollection('docs', { vectors: { size: 2, distance: 'Dot' } });
          const texts: Texts = new Map();
          const ids = new Set<number>();
          for (const step of steps) {
            if (step.do === 'index') await docs.createTextIndex('body');
            if (step.do === 'reopen') {
              await db.close();
              db = await open();
              docs = await db.collection('docs');
            }
            if (!('id' in step)) continue;
            const { id } = step;
            if (step.do === 'upsert') {
              ids.add(id);
              texts.set(id, step.text);
              await docs.upsert([point(id, step.text)]);
            } else if (step.do === 'delete') {
              ids.delete(id);
              texts.delete(id);
              await docs.delete([id]);
            } else if (ids.has(id)) {
              texts.delete(id);
              if (step.do === 'set') texts.set(id, step.text);
              if (step.do === 'set') await docs.setPayload([id], { body: step.text });
              else await docs.clearPayload([id]);
            }
          }
          await docs.createTextIndex('body');
          expectScores(await find(docs, { match: words.join(' ') }), bm25(texts, words));
          await db.verify();
          await db.close();
        },
      ),
      { seed: 11, numRuns: 25 },
    );
  });

  test('take all words, a phrase, beginnings, and any characters', async () => {
    const docs = await newDocs();
    await docs.createTextIndex('body', { prefix: [2, 3] });
    await docs.upsert([
      point(1, 'Red shoes'),
      point(2, 'shoes, red ones'),
      point(3, ['a blue shirt', 'Café e-mail']),
      point(4, 7),
      { id: 5, vector: [0, 0] },
    ]);
    const ids = async (text: Partial<TextQuery>) => idsOf(await find(docs, text)).sort();
    expect(await ids({ match: 'red shirt' })).toEqual([1, 2, 3]);
    expect(await ids({ match: 'RED  shoes', operator: 'all' })).toEqual([1, 2]);
    expect(await ids({ match: 'red shoes', operator: 'phrase' })).toEqual([1]);
    expect(await ids({ match: 'sh' })).toEqual([]);
    expect(await ids({ match: 'sh', prefix: true })).toEqual([1, 2, 3]);
    expect(await ids({ match: 'cafe' })).toEqual([3]);
    expect(await ids({ match: 'e-mail' })).toEqual([3]);
    expect(await ids({ match: 'red AND (NOT "shoes" * OR ^ {words}: + -' })).toEqual([1, 2]);
    expect(await ids({ match: '"' + 'red"' })).toEqual([1, 2]);
    const many = Array.from({ length: 255 }, (_, i) => `w${i}`);
    expect(await ids({ match: ['red', ...many].join(' ') })).toEqual([1, 2]);
    expect(await ids({ match: ['red', ...many].join(' '), operator: 'all' })).toEqual([]);
  });

  test('know the stems of English words, or parts of words', async () => {
    const docs = await newDocs();
    await docs.upsert([point(1, 'running shoes'), point(2, 'a run'), point(3, 'rung')]);
    await docs.createTextIndex('body', { tokenizer: 'porter' });
    expect(idsOf(await find(docs, { match: 'runs' })).sort()).toEqual([1, 2]);
    await docs.createTextIndex('body', { tokenizer: 'trigram' });
    expect(idsOf(await find(docs, { match: 'run' })).sort()).toEqual([1, 2, 3]);
    expect(idsOf(await find(docs, { match: 'nning' }))).toEqual([1]);
  });

  test('take filters, thresholds, offsets, candidates, and join others', async () => {
    const docs = await newDocs();
    await docs.createTextIndex('body');
    const texts: Texts = new Map();
    for (let id = 0; id < 40; id++) {
      texts.set(
        id,
        `${id % 3 === 0 ? 'fox ' : 'cat '}${'filler '.repeat(id % 7)}${id % 5 === 0 ? 'bee' : ''}`,
      );
    }
    await docs.upsert([...texts].map(([id, text]) => point(id, text)));
    const expected = bm25(texts, ['fox', 'bee']);
    const match = 'fox bee';
    expectScores(await find(docs, { match }), expected);
    const filter = { must: { key: 'half', match: { value: 1 } } };
    expectScores(
      await find(docs, { match }, { filter }),
      expected.filter(([id]) => id % 2 === 1),
    );
    const all = await find(docs, { match });
    expect(await find(docs, { match }, { limit: 3, offset: 2 })).toEqual(all.slice(2, 5));
    const scoreThreshold = all[4]!.score;
    expect(await find(docs, { match }, { scoreThreshold })).toEqual(
      all.filter(({ score }) => score >= scoreThreshold),
    );
    const near = { vector: [1, 0], limit: 10 };
    const among = await find(docs, { match }, { prefetch: [near] });
    expect(among).toEqual(all.filter(({ id }) => (id as number) >= 30));
    const words = { text: { field: 'body', match }, limit: 10 };
    const hybrid = await docs.query({ prefetch: [near, words], fusion: 'rrf', limit: 40 });
    const rank = (ids: unknown[], id: unknown) => ids.indexOf(id);
    const byWords = idsOf(all).slice(0, 10);
    const byVector = idsOf(await docs.query(near));
    for (const { id, score } of hybrid) {
      const ranks = [rank(byVector, id), rank(byWords, id)].filter((place) => place >= 0);
      expect(score).toBeCloseTo(
        ranks.reduce((sum, place) => sum + 1 / (2 + place), 0),
        9,
      );
    }
    expect(hybrid).toHaveLength(new Set([...byWords, ...byVector]).size);
    const [first, groups] = await Promise.all([
      docs.queryBatch([{ ...words }, near]),
      docs.queryGroups({ text: words.text, groupBy: 'half', limit: 2 }),
    ]);
    expect(first.map(idsOf)).toEqual([byWords, byVector]);
    expect(groups.map(({ hits }) => hits.length)).toEqual([3, 3]);
  });
});

describe('a text index', () => {
  test('is there when opened again, in copies, and beside a writer', async () => {
    const folder = emptyFolder();
    const db = await openHere(folder);
    const docs = await db.createCollection('docs', { vectors: { size: 2, distance: 'Dot' } });
    await docs.upsert([point(1, 'red'), point(2, 'blue')]);
    const reader = await (await openHere(folder, { readOnly: true })).collection('docs');
    expect(await codeOf(find(reader, { match: 'red' }))).toBe('INVALID_ARGUMENT');
    await docs.createTextIndex('body', { prefix: [3, 2, 3] });
    expect((await docs.info()).textIndexes).toEqual({
      body: { tokenizer: 'unicode61', prefix: [2, 3], isWhole: true },
    });
    await docs.upsert([point(3, 'red')]);
    expect(idsOf(await find(reader, { match: 'red' }))).toEqual([1, 3]);
    const file = join(emptyFolder(), 'copy');
    await docs.snapshot(file);
    await db.close();
    const again = await openHere(folder);
    expect(idsOf(await find(await again.collection('docs'), { match: 'red' }))).toEqual([1, 3]);
    const copy = await again.restoreCollection('copy', file);
    expect(idsOf(await find(copy, { match: 'red' }))).toEqual([1, 3]);
    await copy.delete([1]);
    expect(idsOf(await find(copy, { match: 'red' }))).toEqual([3]);
    expect(await copy.deleteTextIndex('body')).toBe(true);
    expect(await copy.deleteTextIndex('body')).toBe(false);
    expect(await codeOf(find(copy, { match: 'red' }))).toBe('INVALID_ARGUMENT');
    await copy.createTextIndex('body');
    expect(idsOf(await find(copy, { match: 'red' }))).toEqual([3]);
    await again.verify();
  });

  test('is made while points are written', async () => {
    const docs = await newDocs(emptyFolder());
    const texts: Texts = new Map();
    const batch = (from: number, text: (id: number) => string) =>
      Array.from({ length: 500 }, (_, i) => {
        texts.set(from + i, text(from + i));
        return point(from + i, text(from + i));
      });
    for (let from = 0; from < 2_000; from += 500)
      await docs.upsert(batch(from, (id) => `old ${id % 9 ? 'cat' : 'fox'}`));
    const phases: number[] = [];
    const making = docs.createTextIndex('body', { onProgress: ({ done }) => phases.push(done) });
    await Promise.all([
      making,
      docs.upsert(batch(1_500, (id) => `new ${id % 4 ? 'cat' : 'fox'}`)),
      docs.delete([3, 1_999]),
      docs.setPayload([9, 18], { body: 'changed' }),
    ]);
    for (const id of [3, 1_999]) texts.delete(id);
    for (const id of [9, 18]) texts.set(id, 'changed');
    expectScores(
      await find(docs, { match: 'fox new' }, { limit: 5_000 }),
      bm25(texts, ['fox', 'new']),
    );
    expect(phases).toEqual(phases.toSorted((a, b) => a - b));
    expect(phases.length).toBeGreaterThan(1);
  });

  test('that is not whole is of no use, and gone when opened again', async () => {
    const folder = emptyFolder();
    const db = await openHere(folder);
    const docs = await db.createCollection('docs', { vectors: { size: 2, distance: 'Dot' } });
    const many = Array.from({ length: 1_000 }, (_, id) => point(id, 'red'));
    await docs.upsert(many);
    const abort = new AbortController();
    const ended = docs.createTextIndex('body', {
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    expect(await codeOf(ended)).toBe('ABORTED');
    expect((await docs.info()).textIndexes).toEqual({});
    // As a process leaves it that is killed meanwhile.
    type Store = {
      store: { write(key: string, name: string, args: unknown[]): Promise<unknown> };
      key: string;
    };
    const { store, key } = coreOf(docs).stored as unknown as Store;
    await store.write(key, 'createText', [{ field: 'body', tokenizer: 'unicode61', prefix: [] }]);
    await store.write(key, 'fillText', ['body']);
    expect(await codeOf(find(docs, { match: 'red' }))).toBe('INVALID_ARGUMENT');
    await db.verify();
    await db.close();
    const again = await (await openHere(folder)).collection('docs');
    expect((await again.info()).textIndexes).toEqual({});
    await again.createTextIndex('body');
    expect(await find(again, { match: 'red' }, { limit: 2_000 })).toHaveLength(1_000);
  });

  test.each<[object]>([
    [{ tokenizer: 'word' }],
    [{ prefix: 2 }],
    [{ prefix: [0] }],
    [{ prefix: ['2'] }],
    [{ lowercase: true }],
  ])('is not made with %j', async (options) => {
    const docs = await newDocs();
    expect(await codeOf(docs.createTextIndex('body', options as never))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(docs.createTextIndex('', {}))).toBe('INVALID_ARGUMENT');
  });
});

test('nothing in what is looked for is an operator, or an error', async () => {
  const docs = await newDocs();
  await docs.createTextIndex('body');
  await docs.upsert([point(1, 'red shoes'), point(2, 'blue')]);
  const aMatch = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc
      .array(
        fc.constantFrom(
          '"',
          '*',
          '(',
          ')',
          'NEAR',
          'AND',
          'NOT',
          '^',
          ':',
          '-',
          'words',
          ' ',
          '\0',
        ),
      )
      .map((parts) => parts.join('')),
  );
  await fc.assert(
    fc.asyncProperty(
      aMatch,
      fc.constantFrom('any' as const, 'all' as const, 'phrase' as const),
      fc.boolean(),
      async (match, operator, prefix) => {
        const code = await codeOf(find(docs, { match, operator, prefix }));
        const hasWord = /[\p{L}\p{N}\p{Co}]/u.test(match);
        expect(code).toBe(hasWord ? 'no error' : 'INVALID_ARGUMENT');
        if (operator === 'phrase' || operator === 'all') return;
        const found = await find(docs, { match: `${match} red`, operator, prefix });
        expect(idsOf(found)).toContain(1);
      },
    ),
    { seed: 13, numRuns: 300 },
  );
});

test('no point is missed while points are written anew', async () => {
  const docs = await newDocs(emptyFolder());
  await docs.createTextIndex('body');
  const points = Array.from({ length: 60 }, (_, id) => point(id, 'red'));
  await docs.upsert(points);
  let isOver = false;
  const writing = (async () => {
    for (let round = 0; round < 25; round++) await docs.upsert(points.slice(0, 30));
    isOver = true;
  })();
  const filter = { must: { key: 'half', match: { value: 0 } } };
  while (!isOver) {
    expect(new Set(idsOf(await find(docs, { match: 'red' }))).size).toBe(60);
    expect(new Set(idsOf(await find(docs, { match: 'red' }, { filter }))).size).toBe(30);
  }
  await writing;
});

test.each<[object]>([
  [{ text: 'red' }],
  [{ text: { match: 'red' } }],
  [{ text: { field: 'body' } }],
  [{ text: { field: 'body', match: 7 } }],
  [{ text: { field: 'body', match: '' } }],
  [{ text: { field: 'body', match: ' -- ' } }],
  [{ text: { field: 'body', match: 'red', operator: 'near' } }],
  [{ text: { field: 'body', match: 'red', prefix: 1 } }],
  [{ text: { field: 'other', match: 'red' } }],
  [{ text: { field: 'body', match: 'red' }, ef: 10 }],
  [{ text: { field: 'body', match: 'red' }, mmr: {} }],
  [{ text: { field: 'body', match: 'red' }, using: 'x' }],
])('%j is refused', async (query) => {
  const docs = await newDocs();
  await docs.createTextIndex('body');
  expect(await codeOf(docs.query(query as never))).toBe('INVALID_ARGUMENT');
});
