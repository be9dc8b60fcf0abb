import { LeandexError } from '../base/errors.js';
import type { Database, OpenOptions } from './database.js';

/** Loaded when a database is opened: its modules need Node. Bundlers for browsers shall not follow. */
const DATABASE_MODULE = './database.js';

/**
 * Opens a folder of collections, made if there is none; `':memory:'` keeps everything in memory.
 * It needs the package better-sqlite3, which is installed beside this one.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`; LeandexError `BUSY` where another process writes
 * there, `UNSUPPORTED` without better-sqlite3 or outside of Node, `CORRUPT`, `UNSUPPORTED_VERSION`.
 */
export async function open(path: string, options: OpenOptions = {}): Promise<Database> {
  const isNode = globalThis.process?.versions?.node !== undefined;
  if (!isNode) {
    throw new LeandexError('UNSUPPORTED', 'databases need Node: in browsers LeanIndex serves');
  }
  const module = (await import(DATABASE_MODULE)) as typeof import('./database.js');
  return module.Database.open(path, options);
}
