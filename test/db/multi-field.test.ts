import { describe, expect, test } from 'vitest';
import { Random } from '../../src/base/random.js';
import { type MultiConfig, multiSettings } from '../../src/db/config.js';
import type { FieldStore } from '../../src/db/field.js';
import { MultiField } from '../../src/db/multi-field.js';
import { freshIndex, RowIndex } from '../../src/db/row-index.js';
import { DocumentTokens } from '../../src/fde/document-tokens.js';
import { FdeEncoder } from '../../src/fde/encoder.js';
import { joinVectors } from '../../src/store/columns.js';

const SIZE = 6;
const CONFIG: MultiConfig = {
  name: '',
  size: SIZE,
  distance: 'Cosine',
  originals: 'float32',
  multivector: { comparator: 'max_sim' },
  index: { tokenBits: 32, fdeDimensions: 640 },
};
const settings = multiSettings(CONFIG);

async function newField() {
  const { dimensions, distance: _, ...index } = settings.index;
  const shape = { size: dimensions, distance: 'Dot' as const, index };
  const documents = new DocumentTokens(SIZE, settings.tokenBits, true);
  const field = new MultiField(
    CONFIG,
    settings,
    new RowIndex(shape, await freshIndex(shape), undefined),
    documents,
  );
  return { field, documents };
}

/** Stored documents by row. */
function someRows(rows: readonly number[], seed = 1): Map<number, Float32Array> {
  const random = new Random(seed);
  return new Map(
    rows.map((row) => {
      const length = (1 + random.below(4)) * SIZE;
      return [row, Float32Array.from({ length }, () => random.gaussian())];
    }),
  );
}

/** A store that gives two rows at a time; `has` says which live. */
function storeOf(stored: Map<number, Float32Array>, has: (row: number) => boolean): FieldStore {
  return {
    has,
    async read(rows) {
      const looked = rows.toSorted();
      const some = looked.subarray(0, 2).filter((row) => stored.has(row));
      const points = Array.from(some, (row) => stored.get(row)!);
      const column = joinVectors(points, { size: SIZE, multi: true });
      return { rows: some, rest: looked.slice(2), ...column };
    },
  };
}

/** Rows of unit length, and the encoding of all of them. */
function unit(tokens: Float32Array): Float32Array {
  return Float32Array.from(tokens, (x, i) => {
    const from = i - (i % SIZE);
    return x / Math.hypot(...tokens.subarray(from, from + SIZE));
  });
}
function encodingOf(tokens: Float32Array): Float32Array {
  const rows = Uint32Array.of(0, tokens.length / SIZE);
  return new FdeEncoder(settings.fde).encodeDocuments(unit(tokens), rows);
}

describe('what a field of several vectors reads from the store', () => {
  test('are encodings, part by part; it keeps the tokens of rows that live and it has not', async () => {
    const { field, documents } = await newField();
    const stored = someRows([3, 5, 8, 9, 12]);
    const known = stored.get(5)!;
    await field.add(Uint32Array.of(5), {
      vectors: known,
      offsets: Uint32Array.of(0, known.length / SIZE),
    });
    const dead = new Set([8]);
    const wanted = Uint32Array.of(12, 3, 4, 8, 5, 9);
    const { rows, vectors } = await field.read(
      wanted,
      storeOf(stored, (row) => !dead.has(row)),
    );
    expect([...rows]).toEqual([3, 5, 8, 9, 12]);
    const { size } = field.index.config;
    expect(vectors.buffer).toBeInstanceOf(SharedArrayBuffer);
    rows.forEach((row, i) => {
      const expected = encodingOf(stored.get(row)!);
      vectors.subarray(i * size, (i + 1) * size).forEach((x, j) => {
        expect(x).toBeCloseTo(expected[j]!, 4);
      });
    });
    expect([...documents.ids()]).toEqual([3, 5, 9, 12]);
    for (const row of documents.ids()) {
      const expected = unit(stored.get(row)!);
      documents.tokensOf(row)!.forEach((x, i) => {
        expect(x).toBeCloseTo(expected[i]!, 6);
      });
    }
    await field.close();
  });

  test('is kept once, also where two read it at the same time', async () => {
    const { field, documents } = await newField();
    const stored = someRows([1, 2, 3, 4, 5, 6, 7]);
    const store = storeOf(stored, () => true);
    const rows = Uint32Array.from(stored.keys());
    await Promise.all([field.read(rows, store), field.read(rows, store)]);
    expect(documents.count).toBe(7);
    expect(documents.store.count).toBe(7);
    await field.remove(rows);
    expect([documents.store.count, documents.tokenCount]).toEqual([0, 0]);
    await field.close();
  });

  test('ends with an abort, which leaves the tokens of whole rows', async () => {
    const { field, documents } = await newField();
    const stored = someRows([1, 2, 3, 4, 5, 6, 7]);
    const ending = new AbortController();
    const store = storeOf(stored, (row) => {
      if (row === 3) ending.abort();
      return true;
    });
    const rows = Uint32Array.from(stored.keys());
    const reading = field.read(rows, store, ending.signal);
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED' });
    expect(documents.store.count).toBe(documents.count);
    expect(documents.count).toBeLessThan(7);
    await field.close();
  });
});

test('a row whose tokens are gone is left out, and others are found in its place', async () => {
  const { field, documents } = await newField();
  const stored = someRows(Array.from({ length: 400 }, (_, row) => row));
  const column = joinVectors([...stored.values()], { size: SIZE, multi: true });
  await field.add(Uint32Array.from(stored.keys()), column);
  const query = stored.get(7)!;
  const before = await field.search(query, 400, {}, undefined);
  expect(before.ids.length).toBe(400);
  // As in the moment between both: the index still has them.
  const gone = await field.search(query, 100, { rerank: 100 }, undefined);
  documents.forget(gone.ids.slice(0, 95));
  const after = await field.search(query, 10, { rerank: 100 }, undefined);
  expect(after.ids.length).toBe(10);
  for (const row of gone.ids.slice(0, 95)) expect(after.ids).not.toContain(row);
  const [batch] = await field.searchBatch([query], 10, { rerank: 100 }, undefined);
  expect(batch).toEqual(after);
  await field.close();
});

test.each([
  0, 1, 3,
])('a ranking %i turns old when the field is closed ends before its threads', async (turns) => {
  const { field } = await newField();
  const count = 150;
  const random = new Random(1);
  const tokens = Float32Array.from({ length: count * 10 * SIZE }, () => random.gaussian());
  const offsets = Uint32Array.from({ length: count + 1 }, (_, i) => 10 * i);
  const rows = Uint32Array.from({ length: count }, (_, row) => row);
  await field.add(rows, { vectors: tokens, offsets });
  let closing: Promise<void> | undefined;
  const { index } = field;
  const find = index.search.bind(index);
  index.search = async (...args) => {
    const found = await find(...args);
    void (async () => {
      for (let turn = 0; turn < turns; turn++) await new Promise((turned) => setImmediate(turned));
      closing = field.close();
    })();
    return found;
  };
  // Long enough to be ranked in another thread.
  const query = Float32Array.from({ length: 16_384 * SIZE }, () => random.gaussian());
  const outcome = await field.search(query, 10, {}, undefined).then(
    ({ ids }) => ids.length,
    ({ code }) => code,
  );
  expect([10, 'CLOSED']).toContain(outcome);
  await closing;
});
