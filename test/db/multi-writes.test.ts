import { describe, expect, test } from 'vitest';
import type { Collection } from '../../src/db/collection.js';
import { multi, newDocuments, numbersOf, ranking, someDocuments } from './multi-support.js';
import { coreOf, idsOf, openHere } from './support.js';

const SIZE = 4;
const ROW = [1, 2, 3, 4];

/** The error that a call is refused with, at once or later. */
async function refusal(call: () => Promise<unknown>) {
  try {
    await call();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, message };
  }
  return 'nothing is wrong with it';
}

const upsert = (docs: Collection, vector: unknown) =>
  refusal(() => docs.upsert([{ id: 1, vector: [ROW] }, { id: 2, vector } as never]));

describe('what is wrong with the vectors of a point is said with the point, row and column', () => {
  const rows = (...bad: unknown[]) => [ROW, ROW, ...bad];
  test.each<[string, unknown, string, string]>([
    ['none', undefined, 'INVALID_ARGUMENT', 'points[1].vector must be a vector of 4 numbers'],
    ['no vectors', [], 'INVALID_ARGUMENT', 'the number of vectors of points[1].vector'],
    ['an empty matrix', new Float32Array(0), 'INVALID_ARGUMENT', 'from 1 to 16384'],
    ['too many', Array(16_385).fill(ROW), 'INVALID_ARGUMENT', 'from 1 to 16384'],
    ['one vector', ROW, 'INVALID_ARGUMENT', 'points[1].vector[0] must be an array or Float32Array'],
    [
      'a ragged matrix',
      new Float32Array(7),
      'DIMENSION_MISMATCH',
      'has 7 numbers, expected a mult',
    ],
    ['a ragged row', rows([1, 2, 3]), 'DIMENSION_MISMATCH', 'points[1].vector[2] has 3 numbers'],
    ['NaN', rows([1, NaN, 3, 4]), 'INVALID_ARGUMENT', 'points[1].vector[2][1] must be a finite'],
    [
      'infinity in a matrix',
      Float32Array.of(...ROW, 1, 2, Infinity, 4),
      'INVALID_ARGUMENT',
      'points[1].vector[1][2] must be a finite',
    ],
    ['a string', rows([1, '2', 3, 4]), 'INVALID_ARGUMENT', 'points[1].vector[2][1] must be a numb'],
    ['a hole', rows(undefined), 'INVALID_ARGUMENT', 'points[1].vector[2] must be an array'],
    [
      'no direction',
      rows([0, 0, 0, 0]),
      'INVALID_ARGUMENT',
      'points[1].vector[2] must be a vector',
    ],
    ['names', { a: [ROW] }, 'INVALID_ARGUMENT', 'points[1].vector must be an array of vectors'],
    ['a number', 7, 'INVALID_ARGUMENT', 'points[1].vector must be an array of vectors'],
    ['another array', new Float64Array(4), 'INVALID_ARGUMENT', 'must be an array of vectors'],
  ])('%s', async (_, vector, code, message) => {
    const docs = await newDocuments({ vectors: multi(SIZE) });
    expect(await upsert(docs, vector)).toEqual({ code, message: expect.stringContaining(message) });
    expect(await docs.count()).toBe(0);
    const query = await refusal(() => docs.query({ vector } as never));
    if (vector !== undefined) expect(query).toMatchObject({ code });
  });

  test('numbers that cannot be kept', async () => {
    const dot = await newDocuments({ vectors: multi(SIZE, { distance: 'Dot' }) });
    expect(await upsert(dot, [ROW, [0, 0, 70_000, 0]])).toMatchObject({
      message: expect.stringContaining('points[1].vector[1] must be of numbers up to 65504'),
    });
    await dot.upsert([{ id: 1, vector: [[65_504, -65_504, 0, 0]] }]);
    const half = await newDocuments({ vectors: multi(SIZE, { originals: 'float16' }) });
    expect(await upsert(half, [[0, 1e6, 0, 0]])).toMatchObject({ code: 'INVALID_ARGUMENT' });
    // Cosine looks at directions, however long the vectors.
    const cosine = await newDocuments({ vectors: multi(SIZE) });
    await cosine.upsert([
      { id: 1, vector: [[3e38, 3e38, 0, 0]] },
      { id: 2, vector: [[1e-44, 0, 0, 0]] },
    ]);
    const hits = await cosine.query({ vector: [[1, 1, 0, 0]] });
    expect(hits.map(({ score }) => score)).toEqual([
      expect.closeTo(1, 2),
      expect.closeTo(Math.SQRT1_2, 2),
    ]);
  });

  test('more points than the index can be given encodings of at once', async () => {
    const large = { fdeDimensions: 10_240 } as const;
    const docs = await newDocuments({ vectors: multi(16, { index: large }) });
    const vector = [Array(16).fill(1)];
    const points = Array.from({ length: 30_000 }, (_, id) => ({ id, vector }));
    expect(await refusal(() => docs.upsert(points))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('the number of points in a batch'),
    });
    expect(await docs.count()).toBe(0);
  });

  test('several vectors are none for a field of one, and are no object of names', async () => {
    const db = await openHere();
    const single = await db.createCollection('single', { vectors: { size: SIZE } });
    expect(await upsert(single, [ROW])).toMatchObject({ code: 'DIMENSION_MISMATCH' });
    const named = await db.createCollection('named', { vectors: { body: multi(SIZE) } });
    expect(await refusal(() => named.upsert([{ id: 1, vector: [ROW] }]))).toMatchObject({
      message: expect.stringContaining('points[0].vector must be an object of vectors by name'),
    });
    const bad = { id: 1, vector: { body: [ROW, [1]] } };
    expect(await refusal(() => named.upsert([bad]))).toMatchObject({
      message: expect.stringContaining('points[0].vector.body[1] has 1 numbers, expected 4'),
    });
  });
});

describe('createCollection refuses', () => {
  const field = { size: SIZE, multivector: { comparator: 'max_sim' } };
  test.each<[string, object, string]>([
    ['another comparator', { ...field, multivector: { comparator: 'max' } }, 'max_sim'],
    ['no comparator', { ...field, multivector: {} }, 'comparator must be max_sim'],
    ['more about it', { ...field, multivector: { comparator: 'max_sim', k: 1 } }, 'one of compar'],
    ['no settings', { ...field, multivector: true }, 'multivector must be an object'],
    ['Euclid', { ...field, distance: 'Euclid' }, 'Cosine or Dot with multivector'],
    ['too many numbers', { ...field, size: 4097 }, 'from 1 to 4096'],
    ['options of single vectors', { ...field, index: { secondaryBits: 8 } }, 'secondaryBits'],
    ['dimensions', { ...field, index: { dimensions: 4 } }, 'dimensions'],
    ['a listener', { ...field, index: { onProgress: () => {} } }, 'onProgress'],
    ['an unknown size of encodings', { ...field, index: { fdeDimensions: 1000 } }, 'fdeDimensions'],
    [
      'pooling, which would change what is stored',
      { ...field, index: { pooling: { ratio: 2 } } },
      'pooling',
    ],
    ['unknown bits', { ...field, index: { tokenBits: 7 } }, 'tokenBits'],
    ['wrong links', { ...field, index: { m: 1 } }, 'm must be'],
    ['bits of tokens for single vectors', { size: SIZE, index: { tokenBits: 8 } }, 'tokenBits'],
  ])('%s', async (_, vectors, message) => {
    const db = await openHere();
    const error = await refusal(() => db.createCollection('docs', { vectors } as never));
    expect(error).toEqual({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
    });
    expect(await db.listCollections()).toEqual([]);
  });
});

describe('writes', () => {
  const documents = someDocuments(60, SIZE);
  const settings = { vectors: multi(SIZE, { index: { tokenBits: 32 } }) };
  const query = { vector: documents[7]!.vector, limit: 100, withPayload: false };

  test('put other vectors, more or fewer, in the place of those there are', async () => {
    const docs = await newDocuments(settings);
    await docs.upsert(documents);
    const other = someDocuments(60, SIZE, 9, 2);
    await docs.upsert(other.slice(0, 20));
    await docs.updateVectors(other.slice(20, 40).map(({ id, vector }) => ({ id, vector })));
    await docs.delete([50, 51]);
    await docs.delete({ filter: { must: { key: 'n', match: { value: 52 } } } });
    const now = [...other.slice(0, 40), ...documents.slice(40, 50), ...documents.slice(53)];
    expect(idsOf(await docs.query(query))).toEqual(idsOf(ranking(now, query.vector)));
    const read = await docs.scroll({ limit: 100, withVector: true });
    expect(read.points.map(({ vector }) => numbersOf(vector))).toEqual(
      now.map(({ vector }) => vector),
    );
    expect(read.points[25]!.payload).toEqual(documents[25]!.payload);
    const tokens = now.reduce((sum, { vector }) => sum + vector.length, 0);
    expect((await docs.info()).vectors['']!.multivector!.tokens).toBe(tokens);
  });

  test('show every reader a document before, during and after its replacement', async () => {
    const docs = await newDocuments({ vectors: multi(SIZE, { index: { exactBelow: 20 } }) });
    await docs.upsert(documents);
    let isDone = false;
    const reading = (async () => {
      while (!isDone) {
        const hits = await docs.query(query);
        expect(new Set(idsOf(hits))).toEqual(new Set(idsOf(documents)));
      }
    })();
    for (let i = 0; i < 12; i++) await docs.upsert(someDocuments(60, SIZE, 6, i + 3));
    await docs.optimize();
    isDone = true;
    await reading;
  });

  test('are refused where memory holds no more vectors, and reads go on', async () => {
    const docs = await newDocuments(settings);
    await docs.upsert(documents);
    const field = coreOf(docs).state.fields[0]!;
    field.hasRoomFor = () => false;
    expect(await refusal(() => docs.upsert(documents))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
    });
    expect((await docs.query(query)).length).toBe(60);
    expect((await docs.delete([1])).count).toBe(1);
  });
});
