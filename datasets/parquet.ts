import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { type RunOptions, throwIfAborted } from '../src/base/steps.js';
import type { Rows } from './elements.js';
import { corrupt } from './errors.js';
import { openParquet } from './parquet-file.js';
import type { Embeddings } from './shared.js';

/** Names of the corpus of a VectorDBBench folder. */
const CORPUS_FILES = ['train.parquet', 'shuffle_train.parquet'];
const QUERIES_FILE = 'test.parquet';
/** Names of the column of vectors, in the order in which they are looked for. */
const COLUMNS = ['emb', 'embedding', 'vector'];
/** Rows read at a time: as lists of JavaScript numbers they take many times their bytes. */
const ROWS_AT_ONCE = 10_000;

/** Whether a folder has the layout of VectorDBBench: train.parquet and test.parquet. */
export function isVectorDbBench(folder: string): boolean {
  return corpusFile(folder) !== undefined && existsSync(join(folder, QUERIES_FILE));
}

/** The vectors of such a folder, in the order of its rows; ids are those of the column `id`. */
export async function readVectorDbBench(folder: string, run: RunOptions): Promise<Embeddings> {
  const corpus = await readParquetVectors(join(folder, corpusFile(folder)!), run);
  const queries = await readParquetVectors(join(folder, QUERIES_FILE), run);
  if (queries.dimensions !== corpus.dimensions) {
    const received = `${queries.dimensions}`;
    const expected = `${corpus.dimensions} dimensions in ${QUERIES_FILE}`;
    throw corrupt(folder, { offset: 0 }, expected, received);
  }
  return {
    name: basename(resolve(folder)),
    dimensions: corpus.dimensions,
    corpus: corpus.data,
    queries: queries.data,
  };
}

/**
 * A column of lists of numbers (emb, embedding or vector) as float32 rows, all of one length.
 * @throws LeandexError `NOT_FOUND` without the file, `CORRUPT` without such a column or with rows of
 * different lengths, `ABORTED`.
 */
export async function readParquetVectors(
  path: string,
  { signal, onProgress }: RunOptions,
): Promise<Rows<Float32Array>> {
  const { metadata, rows: readRows } = await openParquet(path);
  const { parquetSchema } = await import('hyparquet');
  const names = parquetSchema(metadata).children.map(({ element }) => element.name);
  const column = COLUMNS.find((name) => names.includes(name));
  if (column === undefined) {
    throw corrupt(path, { offset: 0 }, `a column ${COLUMNS.join(', ')}`, names.join(', '));
  }
  const count = Number(metadata.num_rows);
  let data = new Float32Array(0);
  let dimensions = 0;
  for (let first = 0; first < count; first += ROWS_AT_ONCE) {
    throwIfAborted(signal);
    const rows = await readRows(first, Math.min(count, first + ROWS_AT_ONCE), [column]);
    for (const [i, row] of rows.entries()) {
      const vector = row[column] as ArrayLike<number>;
      if (data.length === 0) {
        dimensions = vector.length;
        data = new Float32Array(count * dimensions);
      }
      if (vector?.length !== dimensions) {
        const expected = `${dimensions} numbers in row ${first + i}`;
        throw corrupt(path, { offset: 0 }, expected, `${vector?.length}`);
      }
      data.set(vector, (first + i) * dimensions);
    }
    onProgress?.({ phase: 'load', done: first + rows.length, total: count });
  }
  return { count, dimensions, data };
}

function corpusFile(folder: string): string | undefined {
  return CORPUS_FILES.find((name) => existsSync(join(folder, name)));
}
