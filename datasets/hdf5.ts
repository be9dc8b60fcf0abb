import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Dataset, File } from 'h5wasm/node';
import { LeandexError } from '../src/base/errors.js';
import { type RunOptions, runSteps, type Steps } from '../src/base/steps.js';
import type { Rows } from './elements.js';
import { corrupt } from './errors.js';
import type { Embeddings } from './shared.js';

/** What an HDF5 file begins with. */
const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Numbers read at a time, between which the event loop turns. */
const NUMBERS_AT_ONCE = 2 ** 20;

/** h5wasm holds a whole file in a memory of 4 GiB at the most. */
const BYTES_MAX = 3.5 * 2 ** 30;

/**
 * A file of ann-benchmarks: `train` is the corpus, `test` the queries, both of two axes.
 * @throws LeandexError `NOT_FOUND` without the file or h5wasm, a development dependency; `CORRUPT`
 * where it is no such file, `ABORTED`.
 */
export async function readAnnBenchmarks(path: string, run: RunOptions): Promise<Embeddings> {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw new LeandexError('NOT_FOUND', `there is no file ${path}`);
  if (size > BYTES_MAX) {
    throw new LeandexError('UNSUPPORTED', `${path}: expected at most 3.5 GiB, received ${size}`);
  }
  // What h5wasm says of other files goes to stderr, in its own words.
  if (!isHdf5(path)) throw corrupt(path, { offset: 0 }, 'an HDF5 file', 'something else');
  const h5 = await loadH5();
  await h5.ready;
  const file = new h5.File(path, 'r');
  try {
    const read = (name: string) => runSteps(readDataset(file.get(name), name, path), run);
    const corpus = await read('train');
    const queries = await read('test');
    const { dimensions } = corpus;
    if (queries.dimensions !== dimensions) {
      throw corrupt(path, { offset: 0 }, `test of ${dimensions} numbers`, `${queries.dimensions}`);
    }
    return { name: basename(path), dimensions, corpus: corpus.data, queries: queries.data };
  } catch (cause) {
    if (cause instanceof LeandexError) throw cause;
    const { message } = cause as Error;
    throw corrupt(path, { offset: 0 }, 'train and test that can be read', message);
  } finally {
    file.close();
  }
}

function* readDataset(
  found: ReturnType<File['get']>,
  name: string,
  path: string,
): Steps<Rows<Float32Array>> {
  const shape = found !== null && 'shape' in found ? found.shape : undefined;
  if (shape?.length !== 2) {
    throw corrupt(path, { offset: 0 }, `${name} of two axes`, shape ? `(${shape})` : 'none');
  }
  const [count, dimensions] = shape;
  const data = new Float32Array(count * dimensions);
  const step = Math.ceil(NUMBERS_AT_ONCE / dimensions);
  for (let row = 0; row < count; row += step) {
    const last = Math.min(count, row + step);
    data.set((found as Dataset).slice([[row, last]]) as ArrayLike<number>, row * dimensions);
    yield { phase: 'load', done: last, total: count };
  }
  return { count, dimensions, data };
}

function isHdf5(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    const head = new Uint8Array(SIGNATURE.length);
    readSync(file, head);
    return head.every((byte, i) => byte === SIGNATURE[i]);
  } finally {
    closeSync(file);
  }
}

/** h5wasm is a development dependency; the rest works without. */
async function loadH5(): Promise<typeof import('h5wasm/node')> {
  try {
    return await import('h5wasm/node');
  } catch (cause) {
    throw new LeandexError('NOT_FOUND', 'HDF5 files need h5wasm: npm install h5wasm', { cause });
  }
}
