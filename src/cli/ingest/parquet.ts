import * as zlib from 'node:zlib';
import type { AsyncBuffer, Compressors } from 'hyparquet';
import { corrupt } from '../../../datasets/errors.js';
import { openFile, readAt } from '../../../datasets/file-stream.js';
import { LeandexError } from '../../base/errors.js';
import type { Point } from '../../db/types.js';
import { atPlace, type FieldNames, pointOf, RecordProblem } from './records.js';
import type { PointSource } from './sources.js';

/**
 * The rows of a Parquet file as records, one row group in memory at a time.
 * @throws LeandexError `NOT_FOUND`, `CORRUPT`, `UNSUPPORTED` for compressions that Node does not have.
 */
export async function parquetSource(path: string, names: FieldNames): Promise<PointSource> {
  // Only this format needs the package, so only it waits for it to load.
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const file = await bufferOf(path);
  const metadata = await parquetMetadataAsync(file).catch((cause: Error) => {
    throw corrupt(path, { offset: 0 }, 'a Parquet file', cause.message);
  });
  const total = Number(metadata.num_rows);
  let done = 0;
  async function* points(): AsyncGenerator<Point> {
    for (const { num_rows: rows } of metadata.row_groups) {
      const range = { rowStart: done, rowEnd: done + Number(rows) };
      const options = { file, metadata, compressors: compressors(), ...range };
      const records = await parquetReadObjects(options).catch((cause: Error) => {
        const rows = `rows ${range.rowStart} to ${range.rowEnd - 1} of ${path} cannot be read`;
        const code = /unsupported/.test(cause.message) ? 'UNSUPPORTED' : 'CORRUPT';
        throw new LeandexError(code, `${rows}: ${cause.message}`, { cause });
      });
      for (const record of records) yield pointOfRow(record, done++);
    }
  }
  function pointOfRow(record: Record<string, unknown>, row: number): Point {
    try {
      const plain = Object.entries(record).map(([name, value]) => [name, plainOf(name, value)]);
      const known = plain.filter(([, value]) => value !== undefined);
      return pointOf(Object.fromEntries(known), names, row);
    } catch (error) {
      throw atPlace(error, place(row));
    }
  }
  const place = (n: number) => `${path}, row ${n}`;
  return { points, place, progress: () => ({ done, total }), close() {} };
}

/** Files are opened for each read: whoever stops reading leaves nothing open. */
async function bufferOf(path: string): Promise<AsyncBuffer> {
  const opened = await openFile(path);
  const { size } = await opened.stat();
  await opened.close();
  return {
    byteLength: size,
    async slice(start, end = size) {
      const file = await openFile(path);
      try {
        const from = start < 0 ? size + start : start;
        return (await readAt(file, from, end - from, path)).buffer as ArrayBuffer;
      } finally {
        await file.close();
      }
    },
  };
}

/** What Node has built in; Snappy is in hyparquet itself. */
function compressors(): Compressors {
  const { zstdDecompressSync } = zlib as { zstdDecompressSync?: (bytes: Uint8Array) => Buffer };
  return {
    GZIP: (bytes) => zlib.gunzipSync(bytes),
    BROTLI: (bytes) => zlib.brotliDecompressSync(bytes),
    ...(zstdDecompressSync && { ZSTD: (bytes: Uint8Array) => zstdDecompressSync(bytes) }),
  };
}

/** A value of Parquet as JSON has it: nothing is rounded, nothing changed in silence. */
function plainOf(name: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((each) => plainOf(name, each));
  if (ArrayBuffer.isView(value)) {
    if (value instanceof Uint8Array) throw new RecordProblem(`column "${name}" is of raw bytes`);
    return Array.from(value as unknown as ArrayLike<number | bigint>, (each) =>
      plainOf(name, each),
    );
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainOf(name, each)]));
}
