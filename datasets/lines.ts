import { corrupt } from './errors.js';
import { readBytes } from './file.js';

/** A line without its end ("\n" or "\r\n"); `line` counts from 1. */
export type Line = { readonly line: number; readonly text: string };

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = '\ufeff';

/**
 * The lines of a UTF-8 file, decoded one by one because a corpus can be longer than the longest
 * string. The end of the last line may be missing; a byte order mark at the start is dropped.
 * Throws NOT_FOUND, and CORRUPT with the line for an empty line or bytes that are not UTF-8.
 */
export function* readLines(path: string): Generator<Line> {
  const bytes = readBytes(path);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let start = 0;
  for (let line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const next = newline < 0 ? bytes.length : newline + 1;
    let end = newline < 0 ? bytes.length : newline;
    if (end > start && bytes[end - 1] === CARRIAGE_RETURN) end -= 1;
    let text = decodeLine(decoder, bytes.subarray(start, end), path, line);
    if (line === 1 && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
    if (text.trim() === '') throw corrupt(path, { line }, 'a line with text', 'an empty line');
    yield { line, text };
    start = next;
  }
}

function decodeLine(decoder: TextDecoder, bytes: Uint8Array, file: string, line: number): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw corrupt(file, { line }, 'UTF-8', 'other bytes');
  }
}
