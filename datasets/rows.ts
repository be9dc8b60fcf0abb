import { extname } from 'node:path';
import { LeandexError } from '../src/base/errors.js';
import { type RunOptions, throwIfAborted } from '../src/base/steps.js';
import type { Rows } from './elements.js';
import { matrixShape } from './matrix.js';
import { npyBlocks, openNpy } from './npy-stream.js';
import { openVecs, type VecsType, vecsBlocks } from './vecs-stream.js';

/**
 * The rows of a file as float32, by the end of its name: .npy, .fvecs, .ivecs, .bvecs, or .parquet with
 * a column of lists. Read block by block, between which the event loop turns.
 * @throws LeandexError `NOT_FOUND` for absent files and packages, `CORRUPT` for damaged files,
 * `UNSUPPORTED` for other endings, `ABORTED`.
 */
export async function readRows(path: string, run: RunOptions): Promise<Rows<Float32Array>> {
  const ending = extname(path);
  switch (ending) {
    case '.npy': {
      const file = await openNpy(path);
      const { count, dimensions } = matrixShape(file.shape, path);
      const blocks = npyBlocks(file, 0, count * dimensions, dimensions);
      return gatherBlocks(count, dimensions, blocks, run);
    }
    case '.fvecs':
    case '.ivecs':
    case '.bvecs': {
      const file = await openVecs(path, ending.slice(1) as VecsType);
      return gatherBlocks(file.count, file.dimensions, vecsBlocks(file), run);
    }
    case '.parquet':
      return (await import('./parquet.js')).readParquetVectors(path, run);
    default: {
      const known = '.npy, .fvecs, .ivecs, .bvecs, .parquet, .hdf5 or a folder';
      throw new LeandexError('UNSUPPORTED', `${path}: expected ${known}, received "${ending}"`);
    }
  }
}

async function gatherBlocks(
  count: number,
  dimensions: number,
  blocks: AsyncIterable<Float32Array>,
  { signal, onProgress }: RunOptions,
): Promise<Rows<Float32Array>> {
  const data = new Float32Array(count * dimensions);
  let at = 0;
  for await (const block of blocks) {
    throwIfAborted(signal);
    data.set(block, at);
    at += block.length;
    onProgress?.({ phase: 'load', done: at / dimensions, total: count });
  }
  return { count, dimensions, data };
}
