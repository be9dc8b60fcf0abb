import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { corrupt, notFound } from './errors.js';

/** Node refuses single reads and writes of 2 GiB and more, which real data sets exceed. */
const CHUNK_BYTES = 2 ** 30;

/**
 * A whole file as bytes that nobody else holds; files of 2 GiB and more are allowed.
 * Throws NOT_FOUND when there is no such file, CORRUPT when it shrinks while it is read, and
 * Node's own error (EACCES, EISDIR, ...) for the rest.
 */
export function readBytes(path: string): Uint8Array {
  const file = openExisting(path);
  try {
    const bytes = new Uint8Array(fstatSync(file).size);
    let offset = 0;
    while (offset < bytes.length) {
      const wanted = Math.min(CHUNK_BYTES, bytes.length - offset);
      const got = readSync(file, bytes, offset, wanted, offset);
      if (got === 0) {
        throw corrupt(path, { offset }, `${bytes.length} bytes`, `the end of the file`);
      }
      offset += got;
    }
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** Writes the parts one after another into a new or emptied file. */
export function writeBytes(path: string, parts: readonly Uint8Array[]): void {
  const file = openSync(path, 'w');
  try {
    for (const part of parts) {
      let offset = 0;
      while (offset < part.length) {
        offset += writeSync(file, part, offset, Math.min(CHUNK_BYTES, part.length - offset));
      }
    }
  } finally {
    closeSync(file);
  }
}

function openExisting(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw notFound(path, cause);
  }
}
