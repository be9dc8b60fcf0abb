import { PART_BYTES } from '../format/layout.js';

/** The bytes of small pieces one behind the other, in parts that are valid until the next one. */
export function* gathered(pieces: Iterable<Uint8Array>): Generator<Uint8Array> {
  const part = new Uint8Array(PART_BYTES);
  let filled = 0;
  for (const piece of pieces) {
    for (let from = 0; from < piece.length; ) {
      const some = piece.subarray(from, from + PART_BYTES - filled);
      part.set(some, filled);
      filled += some.length;
      from += some.length;
      if (filled < PART_BYTES) continue;
      yield part;
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}

/**
 * The reverse: parts to be filled with so many bytes, which go to the pieces when the next is asked
 * for. There are as many bytes in the pieces.
 */
export function* scattered(
  byteLength: number,
  pieces: Iterable<Uint8Array>,
): Generator<Uint8Array> {
  let left = byteLength;
  let part = new Uint8Array(0);
  for (const piece of pieces) {
    for (let to = 0; to < piece.length; ) {
      if (part.length === 0) {
        part = new Uint8Array(Math.min(PART_BYTES, left));
        left -= part.length;
        yield part;
      }
      const some = part.subarray(0, piece.length - to);
      piece.set(some, to);
      to += some.length;
      part = part.subarray(some.length);
    }
  }
}
