import { basename } from 'node:path';
import { LeandexError } from '../base/errors.js';
import type { ReadableFile } from '../store/safe-file.js';
import type { StoredCollection } from '../store/stored-collection.js';

/**
 * The indexes of a collection as files beside its points: a cache, which says of which database and
 * collection it is and what it covers. Anything that does not fit is left alone, and built anew.
 */
export interface SaveContext {
  /** Of the database. */
  database: string;
  readOnly: boolean;
  stored: StoredCollection;
  onLog: (message: string) => void;
}

/** What `read` makes of a file; a file that is damaged or does not fit is done away with. */
export async function useFile<T>(
  { stored, onLog, readOnly }: SaveContext,
  name: string,
  read: (source: ReadableFile) => Promise<T>,
): Promise<T | undefined> {
  const source = await stored.openFile(name);
  if (source === undefined) return undefined;
  try {
    return await read(source);
  } catch (error) {
    if ((error as LeandexError).code === 'ABORTED') throw error;
    onLog(`${name} is not used and made anew: ${(error as Error).message}`);
  } finally {
    await source.close();
  }
  // Rows that it names may be given out again one day: it must not fit then by accident.
  if (!readOnly) await stored.removeFile(name);
  return undefined;
}

/** What a file says of where it belongs. */
export function identity(database: string, { folder }: StoredCollection, settings: unknown) {
  // Its name alone: a database may be moved.
  const collection = folder === undefined ? '' : basename(folder);
  return { database, collection, settings: JSON.stringify(settings) };
}

export function requireSame(
  meta: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(expected)) {
    if (meta[name] !== value) throw misfit(`it was saved for another ${name}`);
  }
}

/** A power failure may, in a mode that allows it, take back rows and versions that were saved. */
export function requireKnown(saved: unknown, stored: number): void {
  if (typeof saved === 'number' && saved <= stored) return;
  throw misfit(`it knows of ${String(saved)}, the points only of ${stored}`);
}

function misfit(problem: string): LeandexError {
  return new LeandexError('CORRUPT', problem);
}
