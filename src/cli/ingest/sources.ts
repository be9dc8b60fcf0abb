import { createReadStream } from 'node:fs';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { corrupt } from '../../../datasets/errors.js';
import { openFile } from '../../../datasets/file-stream.js';
import { streamLines } from '../../../datasets/line-stream.js';
import { npyBlocks, openNpy } from '../../../datasets/npy-stream.js';
import { openVecs, type VecsType, vecsBlocks } from '../../../datasets/vecs-stream.js';
import { checkOneOf } from '../../base/check.js';
import { outOfRange } from '../../base/errors.js';
import type { Point } from '../../db/types.js';
import { parseJson } from '../../server/wire/json.js';
import { parquetSource } from './parquet.js';
import { atPlace, type FieldNames, pointOf } from './records.js';

/** Points from somewhere. */
export interface PointSource {
  points(): AsyncGenerator<Point>;
  /** What the n-th point is called in messages; n counts from 0. */
  place(n: number): string;
  /** How much has been read, of how much; undefined where nobody knows. */
  progress(): { done: number; total: number } | undefined;
  /** Ends it, also where it waits for more to come. */
  close(): void;
}

export const FORMATS = ['jsonl', 'npy', 'fvecs', 'ivecs', 'bvecs', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

/** The name of standard input. */
const STDIN = '-';

/**
 * Opens a file of points, or standard input, which is jsonl.
 * @throws LeandexError `NOT_FOUND`, `CORRUPT`, `UNSUPPORTED`; RangeError `INVALID_ARGUMENT`.
 */
export async function openSource(
  path: string,
  format: Format | undefined,
  names: FieldNames,
): Promise<PointSource> {
  if (path === STDIN) {
    checkOneOf('--format of standard input', format ?? 'jsonl', ['jsonl']);
    return jsonlSource(process.stdin, 'stdin', names, undefined);
  }
  switch (format ?? formatOf(path)) {
    case 'jsonl':
      return jsonlFile(path, names);
    case 'parquet':
      return parquetSource(path, names);
    case 'npy':
      return npySource(path, names);
    case 'fvecs':
    case 'ivecs':
    case 'bvecs':
      return vecsSource(path, (format ?? formatOf(path)) as VecsType, names);
  }
}

function formatOf(path: string): Format {
  const name = extname(path).slice(1).toLowerCase();
  const found = name === 'ndjson' ? 'jsonl' : FORMATS.find((format) => format === name);
  if (found !== undefined) return found;
  const expected = `one of ${FORMATS.join(', ')} and ndjson, or --format given`;
  throw outOfRange(`the ending of ${path}`, expected, name);
}

async function jsonlFile(path: string, names: FieldNames): Promise<PointSource> {
  const file = await openFile(path);
  const { size } = await file.stat();
  await file.close();
  const stream = createReadStream(path, { highWaterMark: 1 << 18 });
  stream.on('error', () => {}); // Whoever reads it hears of it.
  return jsonlSource(stream, path, names, size);
}

function jsonlSource(
  stream: Readable,
  name: string,
  names: FieldNames,
  total: number | undefined,
): PointSource {
  let done = 0;
  async function* counted() {
    for await (const chunk of stream) {
      done += chunk.length;
      yield chunk;
    }
  }
  async function* points(): AsyncGenerator<Point> {
    for await (const { line, bytes } of streamLines(counted(), name)) {
      yield pointOfLine(name, line, bytes, names);
    }
  }
  return {
    points,
    place: (n) => `${name}:${n + 1}`,
    progress: () => (total === undefined ? undefined : { done, total }),
    close: () => void stream.destroy(),
  };
}

function pointOfLine(name: string, line: number, bytes: Buffer, names: FieldNames): Point {
  let record: unknown;
  try {
    record = parseJson(bytes);
  } catch (error) {
    throw corrupt(name, { line }, 'a JSON object in one line', (error as Error).message);
  }
  try {
    return pointOf(record, names, line - 1);
  } catch (error) {
    throw atPlace(error, `${name}:${line}`);
  }
}

async function npySource(path: string, names: FieldNames): Promise<PointSource> {
  const file = await openNpy(path);
  const [rows, dimensions] = file.shape;
  if (file.shape.length !== 2 || dimensions === 0) {
    throw corrupt(path, { offset: 0 }, 'the shape [rows, dimensions]', `(${file.shape})`);
  }
  const blocks = () => npyBlocks(file, 0, rows! * dimensions!, dimensions!);
  return rowsSource(path, blocks, rows!, dimensions!, names);
}

async function vecsSource(path: string, type: VecsType, names: FieldNames): Promise<PointSource> {
  const file = await openVecs(path, type);
  return rowsSource(path, () => vecsBlocks(file), file.count, file.dimensions, names);
}

/** Vectors and nothing else: the points are numbered. */
function rowsSource(
  path: string,
  blocks: () => AsyncIterable<Float32Array>,
  total: number,
  dimensions: number,
  { firstId = 0, using }: FieldNames,
): PointSource {
  let done = 0;
  async function* points(): AsyncGenerator<Point> {
    for await (const block of blocks()) {
      for (let at = 0; at < block.length; at += dimensions) {
        const vector = block.subarray(at, at + dimensions);
        yield { id: firstId + done++, vector: using === undefined ? vector : { [using]: vector } };
      }
    }
  }
  return {
    points,
    place: (n) => `${path}, row ${n}`,
    progress: () => ({ done, total }),
    close() {},
  };
}
