import { readdirSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { LeandexError } from '../src/base/errors.js';
import { Random } from '../src/base/random.js';
import type { RunOptions } from '../src/base/steps.js';
import type { Rows } from './elements.js';
import { readRows } from './rows.js';
import { type Embeddings, embeddingPaths, embeddingsOf } from './shared.js';

export interface VectorOptions extends RunOptions {
  /** A file of queries; default: those that the corpus brings along, or rows that are held out. */
  readonly queriesPath?: string | undefined;
  /** Rows taken out of a corpus that comes without queries; with 0 there are no queries then. */
  readonly heldOut: number;
}

/** The seed by which rows are held out. */
const SEED = 1;

/**
 * Vectors that a user brings, as float32: a folder (datasets/shared.ts, or of parquet files as
 * VectorDBBench has them), .npy, .fvecs, .ivecs, .bvecs, .parquet with a column of lists, or .hdf5
 * as ann-benchmarks has it. Files are read in parts, between which the event loop turns.
 * @throws LeandexError `DIMENSION_MISMATCH`, and as readRows().
 */
export async function readVectors(path: string, options: VectorOptions): Promise<Embeddings> {
  const { queriesPath, heldOut } = options;
  const name = basename(path);
  const whole = await readWithQueries(path, options);
  if (whole !== undefined && queriesPath === undefined) return whole;
  const corpus = whole ? rowsOf(whole) : await readRows(path, options);
  if (queriesPath === undefined) return holdOut(name, corpus, heldOut);
  const queries = await readRows(queriesPath, options);
  const { dimensions } = corpus;
  if (queries.dimensions !== dimensions) {
    const message = `${queriesPath} has ${queries.dimensions} dimensions, expected ${dimensions}`;
    throw new LeandexError('DIMENSION_MISMATCH', message);
  }
  return { name, dimensions, corpus: corpus.data, queries: queries.data };
}

/** What comes with queries of its own; undefined for a file of rows alone. */
async function readWithQueries(path: string, run: RunOptions): Promise<Embeddings | undefined> {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new LeandexError('NOT_FOUND', `there is no ${path}`);
  if (stat.isDirectory()) {
    const { isVectorDbBench, readVectorDbBench } = await import('./parquet.js');
    if (isVectorDbBench(path)) return readVectorDbBench(path, run);
    const hdf5 = readdirSync(path).filter((name) => name.endsWith('.hdf5'));
    return hdf5.length === 1 ? readWithQueries(join(path, hdf5[0]), run) : readFolder(path, run);
  }
  if (!/^\.(hdf5|h5)$/.test(extname(path))) return undefined;
  const { readAnnBenchmarks } = await import('./hdf5.js');
  return readAnnBenchmarks(path, run);
}

async function readFolder(folder: string, run: RunOptions): Promise<Embeddings> {
  const paths = embeddingPaths(folder);
  const corpus = await readRows(paths.corpus, run);
  return embeddingsOf(folder, paths, corpus, await readRows(paths.queries, run));
}

function rowsOf({ corpus, dimensions }: Embeddings): Rows<Float32Array> {
  return { count: corpus.length / dimensions, dimensions, data: corpus };
}

/** Rows at random are the queries, and no longer in the corpus. */
function holdOut(name: string, rows: Rows<Float32Array>, wanted: number): Embeddings {
  const { count, dimensions, data } = rows;
  if (wanted === 0) return { name, dimensions, corpus: data, queries: new Float32Array(0) };
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
