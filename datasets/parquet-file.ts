import * as zlib from 'node:zlib';
import type { AsyncBuffer, Compressors, FileMetaData } from 'hyparquet';
import { LeandexError } from '../src/base/errors.js';
import { corrupt } from './errors.js';
import { openFile, readAt } from './file-stream.js';

/** A Parquet file whose rows can be read, some at a time. */
export interface ParquetFile {
  readonly metadata: FileMetaData;
  /**
   * Rows from … to − 1 as objects, with all columns or those that are named.
   * @throws LeandexError `CORRUPT`, `UNSUPPORTED` for compressions that Node does not have.
   */
  rows(from: number, to: number, columns?: string[]): Promise<Record<string, unknown>[]>;
}

/** @throws LeandexError `NOT_FOUND`, `CORRUPT` */
export async function openParquet(path: string): Promise<ParquetFile> {
  // Only this format needs the package, so only it waits for it to load.
  const { parquetMetadataAsync, parquetReadObjects } = await import('hyparquet');
  const file = await bufferOf(path);
  const metadata = await parquetMetadataAsync(file).catch((cause: Error) => {
    throw corrupt(path, { offset: 0 }, 'a Parquet file', cause.message);
  });
  const rows = async (rowStart: number, rowEnd: number, columns?: string[]) => {
    const range = { rowStart, rowEnd, ...(columns && { columns }) };
    const options = { file, metadata, compressors: compressors(), ...range };
    return parquetReadObjects(options).catch((cause: Error) => {
      const rows = `rows ${rowStart} to ${rowEnd - 1} of ${path} cannot be read`;
      const code = /unsupported/.test(cause.message) ? 'UNSUPPORTED' : 'CORRUPT';
      throw new LeandexError(code, `${rows}: ${cause.message}`, { cause });
    });
  };
  return { metadata, rows };
}

/** Files are opened for each read: whoever stops reading leaves nothing open. */
async function bufferOf(path: string): Promise<AsyncBuffer> {
  const opened = await openFile(path);
  const { size } = await opened.stat();
  await opened.close();
  const read = async (from: number, to: number): Promise<ArrayBuffer> => {
    if (!(from >= 0 && from <= to && to <= size)) {
      throw corrupt(path, { offset: size }, `bytes ${from} to ${to - 1}`, 'the end of the file');
    }
    const file = await openFile(path);
    try {
      return (await readAt(file, from, to - from, path)).buffer as ArrayBuffer;
    } finally {
      await file.close();
    }
  };
  return {
    byteLength: size,
    slice(start, end = size) {
      const bytes = read(start < 0 ? size + start : start, end);
      // hyparquet reads ahead: a part that fails before it is asked for must not end the process.
      bytes.catch(() => {});
      return bytes;
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
