import { dirname } from 'node:path';
import { LeandexError } from '../base/errors.js';
import { fileError } from './file-error.js';
import type { FileSystem, OpenFile } from './file-system.js';

/** What a file is called until it is complete. */
export const TEMPORARY = '.tmp';

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
    throw fileError(error, path);
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
export async function syncFolder(fs: FileSystem, path: string): Promise<void> {
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
