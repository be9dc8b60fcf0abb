import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { File, ready } from 'h5wasm/node';
import { parquetWriteFile } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { writeNpy } from '../../datasets/npy.js';
import { encodeFvecs } from '../../datasets/vecs.js';
import { readVectors } from '../../datasets/vectors.js';
import { Random } from '../../src/base/random.js';
import { folderWith } from './support.js';

const CORPUS = Float32Array.from({ length: 120 }, (_, i) => i / 7);
const QUERIES = Float32Array.from({ length: 6 }, (_, i) => -1 - i);
const OPTIONS = { heldOut: 5 };

const lists = (rows: Float32Array) =>
  Array.from({ length: rows.length / 3 }, (_, i) => Array.from(rows.subarray(3 * i, 3 * i + 3)));

/** A column of lists of float32, with the nested schema that pyarrow gives it. */
function writeParquet(filename: string, data: number[][], name = 'emb'): void {
  parquetWriteFile({
    filename,
    columnData: [
      { name: 'id', data: data.map((_, i) => i) },
      { name, data },
    ],
    schema: [
      { name: 'root', num_children: 2 },
      { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
      { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', type: 'FLOAT', repetition_type: 'OPTIONAL' },
    ],
  });
}

describe('a file with queries beside it', () => {
  test('as .npy and .fvecs', async () => {
    const folder = folderWith({ 'queries.fvecs': encodeFvecs(QUERIES, 3) });
    writeNpy(join(folder, 'corpus.npy'), [40, 3], CORPUS);
    const queriesPath = join(folder, 'queries.fvecs');
    const read = await readVectors(join(folder, 'corpus.npy'), { ...OPTIONS, queriesPath });
    expect(read).toMatchObject({
      name: 'corpus.npy',
      dimensions: 3,
      corpus: CORPUS,
      queries: QUERIES,
    });
  });

  test('of other dimensions is refused', async () => {
    const folder = folderWith({ 'queries.fvecs': encodeFvecs(QUERIES, 2) });
    writeNpy(join(folder, 'corpus.npy'), [40, 3], CORPUS);
    const queriesPath = join(folder, 'queries.fvecs');
    await expect(
      readVectors(join(folder, 'corpus.npy'), { ...OPTIONS, queriesPath }),
    ).rejects.toMatchObject({ code: 'DIMENSION_MISMATCH' });
  });
});

describe('a file alone', () => {
  test('gives up a tenth of its rows as queries at the most, the same ones each time', async () => {
    const folder = folderWith({ 'rows.fvecs': encodeFvecs(CORPUS, 3) });
    const first = await readVectors(join(folder, 'rows.fvecs'), OPTIONS);
    expect(first.queries.length).toBe(4 * 3);
    expect(first.corpus.length).toBe(36 * 3);
    const all = [...lists(first.corpus), ...lists(first.queries)].map(String).sort();
    expect(all).toEqual(lists(CORPUS).map(String).sort());
    expect(await readVectors(join(folder, 'rows.fvecs'), OPTIONS)).toEqual(first);
  });

  test('of fewer than ten rows, of an unknown ending or absent is refused', async () => {
    const folder = folderWith({ 'few.fvecs': encodeFvecs(QUERIES, 3), 'what.txt': '' });
    const read = (name: string) => readVectors(join(folder, name), OPTIONS);
    await expect(read('few.fvecs')).rejects.toThrow(/10 rows or more/);
    await expect(read('what.txt')).rejects.toThrow(/expected \.npy, .* received "\.txt"/);
    await expect(read('none.npy')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('reading', () => {
  test('without holding rows out, all are the corpus', async () => {
    const path = join(folderWith({ 'rows.fvecs': encodeFvecs(QUERIES, 3) }), 'rows.fvecs');
    const read = await readVectors(path, { heldOut: 0 });
    expect(read).toMatchObject({ corpus: QUERIES, queries: new Float32Array(0) });
  });

  test('tells how far it is, and ends when it is aborted', async () => {
    const path = join(folderWith({ 'rows.fvecs': encodeFvecs(CORPUS, 3) }), 'rows.fvecs');
    const told: unknown[] = [];
    await readVectors(path, { ...OPTIONS, onProgress: (progress) => told.push(progress) });
    expect(told).toEqual([{ phase: 'load', done: 40, total: 40 }]);
    const read = readVectors(path, { ...OPTIONS, signal: AbortSignal.abort() });
    await expect(read).rejects.toMatchObject({ code: 'ABORTED' });
  });

  test('queries in a file take the place of those that the corpus brings along', async () => {
    const folder = folderWith({ 'others.fvecs': encodeFvecs(CORPUS.subarray(0, 3), 3) });
    writeNpy(join(folder, 'corpus.npy'), [40, 3], CORPUS);
    writeNpy(join(folder, 'queries.npy'), [2, 3], QUERIES);
    expect((await readVectors(folder, OPTIONS)).queries).toEqual(QUERIES);
    const queriesPath = join(folder, 'others.fvecs');
    const read = await readVectors(folder, { ...OPTIONS, queriesPath });
    expect(read).toMatchObject({ corpus: CORPUS, queries: CORPUS.subarray(0, 3) });
  });

  test('a BEIR folder without vectors is told to have texts only', async () => {
    const folder = folderWith({ 'corpus.jsonl': '{}' });
    await expect(readVectors(folder, OPTIONS)).rejects.toThrow(
      /holds texts \(corpus.jsonl\) and no vectors of them \(corpus.npy\)/,
    );
  });
});

describe('VectorDBBench', () => {
  test.each(['train.parquet', 'shuffle_train.parquet'])('with %s', async (name) => {
    const folder = folderWith({});
    writeParquet(join(folder, name), lists(CORPUS));
    writeParquet(join(folder, 'test.parquet'), lists(QUERIES));
    const read = await readVectors(folder, OPTIONS);
    expect(read).toMatchObject({ dimensions: 3, corpus: CORPUS, queries: QUERIES });
  });

  test('without a column of vectors is CORRUPT', async () => {
    const folder = folderWith({});
    writeParquet(join(folder, 'train.parquet'), lists(CORPUS), 'other');
    await expect(readVectors(join(folder, 'train.parquet'), OPTIONS)).rejects.toThrow(
      /expected a column emb, .* received id, other/,
    );
  });
});

describe('a damaged Parquet file', () => {
  test.each([
    ['no list', [null, [1, 2]]],
    ['no list further down', [[1, 2], null]],
    ['nothing in a list', [[1, null]]],
    ['empty lists', [[], []]],
  ])('with %s is CORRUPT', async (_, data) => {
    const path = join(folderWith({}), 'rows.parquet');
    writeParquet(path, data as number[][]);
    await expect(readVectors(path, OPTIONS)).rejects.toMatchObject({ code: 'CORRUPT' });
  });

  test('is CORRUPT wherever it is cut or altered, or read as it is', async () => {
    const folder = folderWith({});
    const path = join(folder, 'rows.parquet');
    writeParquet(path, lists(CORPUS));
    const whole = readFileSync(path);
    const random = new Random(5);
    for (let i = 0; i < 120; i++) {
      const bytes = Buffer.from(whole);
      if (i % 2 === 0)
        for (let j = 0; j < 4; j++) bytes[random.below(bytes.length)]! ^= 1 << (i % 8);
      writeFileSync(path, i % 2 === 0 ? bytes : bytes.subarray(0, random.below(bytes.length)));
      const code = await readVectors(path, OPTIONS).then(
        () => 'read',
        (error) => error.code,
      );
      expect(['read', 'CORRUPT', 'UNSUPPORTED']).toContain(code);
    }
  });
});

describe('ann-benchmarks', () => {
  async function writeHdf5(
    path: string,
    corpus: Float32Array | BigInt64Array,
    shape: number[],
  ): Promise<void> {
    await ready;
    const file = new File(path, 'w');
    file.create_dataset({ name: 'train', data: corpus, shape });
    file.create_dataset({ name: 'test', data: QUERIES, shape: [2, 3] });
    file.close();
  }

  test('as a file, and as the folder that it is downloaded into', async () => {
    const folder = folderWith({});
    const path = join(folder, 'set.hdf5');
    await writeHdf5(path, CORPUS, [40, 3]);
    for (const each of [path, folder]) {
      const read = await readVectors(each, OPTIONS);
      expect(read).toMatchObject({ dimensions: 3, corpus: CORPUS, queries: QUERIES });
    }
  });

  test('with rows of another length, or no HDF5, is CORRUPT', async () => {
    const folder = folderWith({ 'none.hdf5': 'no HDF5' });
    await writeHdf5(join(folder, 'odd.hdf5'), CORPUS, [60, 2]);
    await writeHdf5(join(folder, 'cut.hdf5'), CORPUS, [40, 3]);
    truncateSync(join(folder, 'cut.hdf5'), 500);
    await writeHdf5(join(folder, 'int64.hdf5'), new BigInt64Array(120), [40, 3]);
    for (const name of ['odd.hdf5', 'none.hdf5', 'cut.hdf5', 'int64.hdf5']) {
      const read = readVectors(join(folder, name), OPTIONS);
      await expect(read).rejects.toMatchObject({ code: 'CORRUPT' });
    }
  });
});
