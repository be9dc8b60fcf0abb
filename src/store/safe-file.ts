import { dirname } from 'node:path';
import type { FileSystem, OpenFile } from '../format/file-system.js';
import { syncFolder } from '../format/replace-file.js';
import { corrupt, storeError } from './sqlite-errors.js';

/** A file to read from anywhere. */
export interface ReadableFile {
  byteLength: number;
  /** Fills `into`, which may view shared memory, from a byte offset on. */
  read(into: Uint8Array, offset: number): Promise<void>;
  close(): Promise<void>;
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
