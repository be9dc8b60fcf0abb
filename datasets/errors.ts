import { LeandexError } from '../src/base/errors.js';

/** A place in a binary file (byte `offset`) or in a text file (`line`, counted from 1). */
export type Place = { readonly offset: number } | { readonly line: number };

function message(file: string, place: Place, expected: string, received: string): string {
  const where = 'line' in place ? `${file}:${place.line}` : `${file} at byte ${place.offset}`;
  return `${where}: expected ${expected}, received ${received}`;
}

/** Bytes or text that break their format: truncated, altered, or not that format at all. */
export function corrupt(
  file: string,
  place: Place,
  expected: string,
  received: string,
): LeandexError {
  return new LeandexError('CORRUPT', message(file, place, expected, received), {
    details: { file, ...place, expected, received },
  });
}

/** A sound file that uses a part of its format that leandex does not read. */
export function unsupported(
  file: string,
  place: Place,
  expected: string,
  received: string,
): LeandexError {
  return new LeandexError('UNSUPPORTED', message(file, place, expected, received), {
    details: { file, ...place, expected, received },
  });
}

/** What to throw when a file cannot be opened: NOT_FOUND where it is not there, else Node's own error. */
export function notFound(file: string, cause: unknown): unknown {
  const { code } = cause as { code?: string };
  if (code !== 'ENOENT' && code !== 'ENOTDIR') return cause;
  return new LeandexError('NOT_FOUND', `there is no file ${file}`, { details: { file }, cause });
}
