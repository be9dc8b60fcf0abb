import { readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { LeandexError } from '../src/base/errors.js';
import { Random } from '../src/base/random.js';
import type { Rows } from './elements.js';
import { readMatrix } from './matrix.js';
import { type Embeddings, loadEmbeddings } from './shared.js';
import { readBvecs, readFvecs, readIvecs } from './vecs.js';

export interface VectorOptions {
  /** A file of queries; default: those that the corpus brings along, or rows that are held out. */
  readonly queriesPath?: string | undefined;
  /** Rows taken out of a corpus that comes without queries. */
  readonly heldOut: number;
}

/** The seed by which rows are held out. */
const SEED = 1;

/**
 * Vectors that a user brings, as float32: a folder (datasets/shared.ts, or of parquet files as
 * VectorDBBench has them), .npy, .fvecs, .ivecs, .bvecs, .parquet with a column of lists, or .hdf5
 * as ann-benchmarks has it.
 * @throws LeandexError `NOT_FOUND` for absent files and packages, `CORRUPT` for damaged ones,
 * `UNSUPPORTED` for other endings.
 */
export async function readVectors(path: string, options: VectorOptions): Promise<Embeddings> {
  const { queriesPath, heldOut } = options;
  const name = basename(path);
  const whole = queriesPath === undefined ? await readWithQueries(path) : undefined;
  if (whole !== undefined) return whole;
  const corpus = await readRows(path);
  if (queriesPath === undefined) return holdOut(name, corpus, heldOut);
  const queries = await readRows(queriesPath);
  const { dimensions } = corpus;
  if (queries.dimensions !== dimensions) {
    const message = `${queriesPath} has ${queries.dimensions} dimensions, expected ${dimensions}`;
    throw new LeandexError('DIMENSION_MISMATCH', message);
  }
  return { name, dimensions, corpus: corpus.data, queries: queries.data };
}

/** What comes with queries of its own; undefined for a file of rows alone. */
async function readWithQueries(path: string): Promise<Embeddings | undefined> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new LeandexError('NOT_FOUND', `there is no ${path}`);
  if (stat.isDirectory()) {
    const { isVectorDbBench, readVectorDbBench } = await import('./parquet.js');
    if (isVectorDbBench(path)) return readVectorDbBench(path);
    const hdf5 = readdirSync(path).filter((name) => name.endsWith('.hdf5'));
    return hdf5.length === 1 ? readWithQueries(join(path, hdf5[0])) : loadEmbeddings(path);
  }
  if (!/^\.(hdf5|h5)$/.test(extname(path))) return undefined;
  const { readAnnBenchmarks } = await import('./hdf5.js');
  return readAnnBenchmarks(path);
}

async function readRows(path: string): Promise<Rows<Float32Array>> {
  const ending = extname(path);
  switch (ending) {
    case '.npy':
      return readMatrix(path);
    case '.fvecs':
      return readFvecs(path);
    case '.ivecs':
      return asFloats(readIvecs(path));
    case '.bvecs':
      return asFloats(readBvecs(path));
    case '.parquet':
      return (await import('./parquet.js')).readParquetVectors(path);
    default: {
      const known = '.npy, .fvecs, .ivecs, .bvecs, .parquet, .hdf5 or a folder';
      throw new LeandexError('UNSUPPORTED', `${path}: expected ${known}, received "${ending}"`);
    }
  }
}

function asFloats(rows: Rows<Int32Array> | Rows<Uint8Array>): Rows<Float32Array> {
  return { ...rows, data: Float32Array.from(rows.data) };
}

/** Rows at random are the queries, and no longer in the corpus. */
function holdOut(name: string, rows: Rows<Float32Array>, wanted: number): Embeddings {
  const { count, dimensions, data } = rows;
  const most = Math.min(wanted, Math.floor(count / 10));
  if (most < 1) {
    throw new LeandexError('UNSUPPORTED', `${name}: expected 10 rows or more, received ${count}`);
  }
  const random = new Random(SEED);
  const held = new Set<number>();
  while (held.size < most) held.add(random.below(count));
  const corpus = new Float32Array((count - most) * dimensions);
  const queries = new Float32Array(most * dimensions);
  let [inCorpus, inQueries] = [0, 0];
  for (let row = 0; row < count; row++) {
    const from = data.subarray(row * dimensions, (row + 1) * dimensions);
    if (held.has(row)) queries.set(from, inQueries++ * dimensions);
    else corpus.set(from, inCorpus++ * dimensions);
  }
  return { name, dimensions, corpus, queries };
}
