import { type ErrorCode, LeandexError } from '../base/errors.js';

/** By the code of the system; every other failure of it is `IO_ERROR`. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  ENOSPC: 'RESOURCE_EXHAUSTED',
  EDQUOT: 'RESOURCE_EXHAUSTED',
  EMFILE: 'RESOURCE_EXHAUSTED',
  ENFILE: 'RESOURCE_EXHAUSTED',
  EROFS: 'READ_ONLY',
};

/** A failure of the file system as a LeandexError; every other error as it is. */
export function fileError(error: unknown, file: string): unknown {
  if (error instanceof LeandexError) return error;
  const { code, message, syscall } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (typeof code !== 'string') return error;
  const known = CODES[code] ?? (typeof syscall === 'string' ? 'IO_ERROR' : undefined);
  if (known === undefined) return error;
  const details = { file, cause: code };
  return new LeandexError(known, `${file}: ${message} (${code})`, { details, cause: error });
}
