import { dirname } from 'node:path';
import { LeandexError } from '../base/errors.js';
import type { FileSystem, OpenFile } from './file-system.js';
import { TEMPORARY } from './layout.js';
import { corrupt, storeError } from './sqlite-errors.js';

/** A file to read from anywhere. */
export interface ReadableFile {
  byteLength: number;
  /** Fills `into`, which may view shared memory, from a byte offset on. */
  read(into: Uint8Array, offset: number): Promise<void>;
  close(): Promise<void>;
}

/** Puts bytes into a file; called once for each part, in order. */
export type PartWriter = (part: Uint8Array) => Promise<void>;

/**
 * Replaces a file by what `write` gives: afterwards, and after a crash at any moment, it is wholly
 * the new one or wholly the old one, or not there if there was none.
 * @throws LeandexError `IO_ERROR`, `RESOURCE_EXHAUSTED`; see isSyncFailure()
 */
export async function replaceFile(
  fs: FileSystem,
  path: string,
  write: (write: PartWriter) => Promise<void>,
): Promise<void> {
  const temporary = path + TEMPORARY;
  try {
    const file = await fs.open(temporary, 'w');
    try {
      await write(partWriter(file));
      await sync(file, temporary);
    } finally {
      await file.close();
    }
    await fs.rename(temporary, path);
    await syncFolder(fs, dirname(path));
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => {});
    throw storeError(error, path);
  }
}

function partWriter(file: OpenFile): PartWriter {
  let position = 0;
  return async (part) => {
    for (let from = 0; from < part.length; ) {
      const { bytesWritten } = await file.write(part, from, part.length - from, position);
      from += bytesWritten;
      position += bytesWritten;
    }
  };
}

/** Whether a failed sync was the cause: nobody knows what is on the disk then. */
export function isSyncFailure(error: unknown): boolean {
  return error instanceof LeandexError && error.details.sync === true;
}

/** Makes the names in a folder durable. Windows cannot, and needs not. */
async function syncFolder(fs: FileSystem, path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await fs.open(path, 'r');
  try {
    await sync(folder, path);
  } finally {
    await folder.close();
  }
}

async function sync(file: OpenFile, path: string): Promise<void> {
  try {
    await file.sync();
  } catch (cause) {
    const problem = `${path} could not be synced: ${(cause as Error).message}`;
    throw new LeandexError('IO_ERROR', problem, { details: { file: path, sync: true }, cause });
  }
}

/** Opens a file to read; undefined where there is none. */
export async function openToRead(fs: FileSystem, path: string): Promise<ReadableFile | undefined> {
  let file: OpenFile;
  try {
    file = await fs.open(path, 'r');
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw storeError(error, path);
  }
  try {
    const { size } = await file.stat();
    const read = (into: Uint8Array, offset: number) => readFully(file, path, into, offset);
    return { byteLength: size, read, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw storeError(error, path);
  }
}

async function readFully(
  file: OpenFile,
  path: string,
  into: Uint8Array,
  offset: number,
): Promise<void> {
  try {
    for (let at = 0; at < into.length; ) {
      const { bytesRead } = await file.read(into, at, into.length - at, offset + at);
      if (bytesRead === 0) throw corrupt(path, `it ends before byte ${offset + into.length}`);
      at += bytesRead;
    }
  } catch (error) {
    throw storeError(error, path);
  }
}

/** @throws LeandexError `IO_ERROR` */
export async function removeFile(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.rm(path, { force: true });
    // A power loss must not bring it back once the points have gone on.
    await syncFolder(fs, dirname(path));
  } catch (error) {
    throw storeError(error, path);
  }
}
