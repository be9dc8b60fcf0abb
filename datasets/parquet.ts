import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { SchemaTree } from 'hyparquet';
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
  const names = namesOf(() => parquetSchema(metadata), path);
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
      const vector = numbersOf(row[column]);
      if (first + i === 0 && vector !== undefined) {
        dimensions = vector.length;
        data = new Float32Array(count * dimensions);
      }
      if (vector === undefined || vector.length !== dimensions) {
        const expected = dimensions === 0 ? 'numbers' : `${dimensions} numbers`;
        const received = vector === undefined ? 'something else' : `${vector.length}`;
        throw corrupt(path, { offset: 0 }, `${expected} in row ${first + i}`, received);
      }
      data.set(vector, (first + i) * dimensions);
    }
    onProgress?.({ phase: 'load', done: first + rows.length, total: count });
  }
  return { count, dimensions, data };
}

/** Names of the columns; a damaged schema may lack what its type promises. */
function namesOf(schemaOf: () => SchemaTree, path: string): string[] {
  try {
    return schemaOf().children.map(({ element }) => element.name);
  } catch (cause) {
    throw corrupt(path, { offset: 0 }, 'a schema', (cause as Error).message);
  }
}

/** The numbers of a list; undefined where it is none, holds something else or nothing. */
function numbersOf(value: unknown): ArrayLike<number> | undefined {
  if (value instanceof Float32Array || value instanceof Float64Array) return value;
  const isList = Array.isArray(value) && value.length > 0;
  return isList && value.every((x) => typeof x === 'number') ? value : undefined;
}

function corpusFile(folder: string): string | undefined {
  return CORPUS_FILES.find((name) => existsSync(join(folder, name)));
}
