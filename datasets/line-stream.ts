import { corrupt } from './errors.js';

/** The bytes of a line without its end; `line` counts from 1. */
export type LineBytes = { readonly line: number; readonly bytes: Buffer };

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.of(0xef, 0xbb, 0xbf);
/** Half of the longest string. */
const LINE_BYTES_MAX = 2 ** 28;

/**
 * The lines of a source of bytes, as they come: the ends of lines and a byte order mark at the start
 * are dropped, the end of the last line may be missing. Throws CORRUPT with the line for an endless one.
 */
export async function* streamLines(
  source: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<LineBytes> {
  let line = 1;
  let parts: Buffer[] = [];
  let length = 0;
  const take = (): LineBytes => {
    let bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1);
    const isMarked = line === 1 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK);
    parts = [];
    length = 0;
    return { line: line++, bytes: isMarked ? bytes.subarray(3) : bytes };
  };
  for await (const given of source) {
    const chunk = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      start = end + 1;
      yield take();
    }
    parts.push(chunk.subarray(start));
    length += chunk.length - start;
    if (length > LINE_BYTES_MAX) {
      throw corrupt(name, { line }, `a line of at most ${LINE_BYTES_MAX} bytes`, 'more');
    }
  }
  if (length > 0) yield take();
}
