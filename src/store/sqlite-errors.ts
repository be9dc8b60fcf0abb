import { type ErrorCode, LeandexError } from '../base/errors.js';
import { fileError } from '../format/file-error.js';

interface CodedFailure {
  code?: unknown;
  message?: unknown;
}

const NOT_OPEN = 'The database connection is not open';

/** By the start of SQLite's code; the first that fits. */
const CODES: readonly (readonly [string, ErrorCode])[] = [
  ['SQLITE_FULL', 'RESOURCE_EXHAUSTED'],
  ['SQLITE_NOMEM', 'RESOURCE_EXHAUSTED'],
  ['SQLITE_TOOBIG', 'RESOURCE_EXHAUSTED'],
  ['SQLITE_BUSY', 'BUSY'],
  ['SQLITE_LOCKED', 'BUSY'],
  ['SQLITE_PROTOCOL', 'BUSY'],
  ['SQLITE_READONLY', 'READ_ONLY'],
  ['SQLITE_IOERR', 'IO_ERROR'],
  ['SQLITE_CANTOPEN', 'IO_ERROR'],
  // Our statements and values are always the same kinds: what they meet must be damaged.
  ['SQLITE_', 'CORRUPT'],
];

/** A failure of SQLite or of the file system as a LeandexError; every other error as it is. */
export function storeError(error: unknown, file: string): unknown {
  const { code, message } = (error ?? {}) as CodedFailure;
  if (message === NOT_OPEN) {
    return new LeandexError('NOT_FOUND', `${file} was removed meanwhile`, { cause: error });
  }
  if (error instanceof LeandexError || typeof code !== 'string') return error;
  const ours = CODES.find(([start]) => code.startsWith(start))?.[1];
  if (ours === undefined) return fileError(error, file);
  const details = { file, cause: code };
  return new LeandexError(ours, `${file}: ${message} (${code})`, { details, cause: error });
}

/** Calls it; a failure of SQLite or of the file system becomes a LeandexError. */
export function withStoreErrors<T>(file: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw storeError(error, file);
  }
}

/** Damage found in a file; `where` narrows it: table, row. */
export function corrupt(
  file: string,
  problem: string,
  where: Readonly<Record<string, unknown>> = {},
): LeandexError {
  return new LeandexError('CORRUPT', `${file} is damaged: ${problem}`, {
    details: { file, ...where },
  });
}
