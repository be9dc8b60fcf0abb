import { type FileHandle, open } from 'node:fs/promises';
import { corrupt, notFound } from './errors.js';

/** Read at once: a few milliseconds' work. */
export const BLOCK_BYTES = 1 << 20;

/** Node refuses single reads of 2 GiB and more. */
const READ_MAX = 2 ** 30;

/** Opens a file for reading. Throws NOT_FOUND when there is none, and Node's own error for the rest. */
export async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw notFound(path, cause);
  }
}

/** So many bytes from `offset` on. Throws CORRUPT where the file ends before. */
export async function readAt(
  file: FileHandle,
  offset: number,
  byteLength: number,
  path: string,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(byteLength);
  for (let at = 0; at < byteLength; ) {
    const { bytesRead } = await file.read(
      bytes,
      at,
      Math.min(READ_MAX, byteLength - at),
      offset + at,
    );
    if (bytesRead === 0) {
      const place = { offset: offset + at };
      throw corrupt(path, place, `${byteLength - at} more bytes`, 'the end of the file');
    }
    at += bytesRead;
  }
  return bytes;
}

/** A whole file, of 2 GiB and more too. Throws as `openFile` and `readAt`. */
export async function readWhole(path: string): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    return await readAt(file, 0, size, path);
  } finally {
    await file.close();
  }
}
