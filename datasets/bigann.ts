import { type ElementType, elementsAt, type Rows } from './elements.js';
import { corrupt } from './errors.js';
import { readBytes } from './file.js';

const HEADER_BYTES = 8;

/**
 * The formats of the big-ann benchmarks: uint32 rows, uint32 dimensions, then all numbers as
 * float32 (.fbin), uint8 (.u8bin), int8 (.i8bin) or int32 (.ibin), little-endian.
 * The data shares memory with `bytes` when it is aligned there. Throws CORRUPT, naming the byte
 * offset, when the file is not exactly as long as its header says.
 *
 * @param name the file's name, for messages.
 */
export function parseFbin(bytes: Uint8Array, name: string): Rows<Float32Array> {
  return parseMatrix(bytes, name, Float32Array);
}

/** Rows of uint8; see `parseFbin`. */
export function parseU8bin(bytes: Uint8Array, name: string): Rows<Uint8Array> {
  return parseMatrix(bytes, name, Uint8Array);
}

/** Rows of int8; see `parseFbin`. */
export function parseI8bin(bytes: Uint8Array, name: string): Rows<Int8Array> {
  return parseMatrix(bytes, name, Int8Array);
}

/** Rows of int32; see `parseFbin`. */
export function parseIbin(bytes: Uint8Array, name: string): Rows<Int32Array> {
  return parseMatrix(bytes, name, Int32Array);
}

/** `parseFbin` of a file; also throws NOT_FOUND. */
export function readFbin(path: string): Rows<Float32Array> {
  return parseFbin(readBytes(path), path);
}

/** `parseU8bin` of a file; also throws NOT_FOUND. */
export function readU8bin(path: string): Rows<Uint8Array> {
  return parseU8bin(readBytes(path), path);
}

/** `parseI8bin` of a file; also throws NOT_FOUND. */
export function readI8bin(path: string): Rows<Int8Array> {
  return parseI8bin(readBytes(path), path);
}

/** `parseIbin` of a file; also throws NOT_FOUND. */
export function readIbin(path: string): Rows<Int32Array> {
  return parseIbin(readBytes(path), path);
}

function parseMatrix<T>(bytes: Uint8Array, file: string, Type: ElementType<T>): Rows<T> {
  if (bytes.length < HEADER_BYTES) {
    const offset = bytes.length;
    throw corrupt(file, { offset }, 'a header of 8 bytes', `the end of the file after ${offset}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const count = view.getUint32(0, true);
  const dimensions = view.getUint32(4, true);
  if (dimensions === 0) throw corrupt(file, { offset: 4 }, 'at least 1 dimension', '0');
  const expected = count * dimensions * Type.BYTES_PER_ELEMENT;
  const received = bytes.length - HEADER_BYTES;
  if (received !== expected) {
    throw corrupt(
      file,
      { offset: HEADER_BYTES + Math.min(expected, received) },
      `${expected} bytes for ${count} rows of ${dimensions}`,
      `${received} bytes`,
    );
  }
  return { count, dimensions, data: elementsAt(Type, bytes, HEADER_BYTES, count * dimensions) };
}
