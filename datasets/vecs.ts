import { checkInteger } from '../src/base/check.js';
import { wrongDimension } from '../src/base/errors.js';
import type { ElementType, Rows } from './elements.js';
import { corrupt } from './errors.js';
import { readBytes } from './file.js';

/**
 * The formats of TEXMEX (http://corpus-texmex.irisa.fr): each row is an int32 with the number of
 * dimensions and then that many float32 (.fvecs), int32 (.ivecs) or uint8 (.bvecs), little-endian.
 * All parsers copy, want at least one row, and throw CORRUPT naming row and byte offset when a row
 * has other dimensions than the first or the file ends inside a row.
 *
 * @param name the file's name, for messages.
 */
export function parseFvecs(bytes: Uint8Array, name: string): Rows<Float32Array> {
  return parseRows(bytes, name, Float32Array);
}

/** Rows of int32; see `parseFvecs`. */
export function parseIvecs(bytes: Uint8Array, name: string): Rows<Int32Array> {
  return parseRows(bytes, name, Int32Array);
}

/** Rows of uint8; see `parseFvecs`. */
export function parseBvecs(bytes: Uint8Array, name: string): Rows<Uint8Array> {
  return parseRows(bytes, name, Uint8Array);
}

/** `parseFvecs` of a file; also throws NOT_FOUND. */
export function readFvecs(path: string): Rows<Float32Array> {
  return parseFvecs(readBytes(path), path);
}

/** `parseIvecs` of a file; also throws NOT_FOUND. */
export function readIvecs(path: string): Rows<Int32Array> {
  return parseIvecs(readBytes(path), path);
}

/** `parseBvecs` of a file; also throws NOT_FOUND. */
export function readBvecs(path: string): Rows<Uint8Array> {
  return parseBvecs(readBytes(path), path);
}

/** The bytes of an .fvecs file; `rows` holds one or more rows of `dimensions` numbers. */
export function encodeFvecs(rows: Float32Array, dimensions: number): Uint8Array {
  checkInteger('dimensions', dimensions, 1, 2 ** 31 - 1);
  if (rows.length === 0 || rows.length % dimensions !== 0) {
    throw wrongDimension('rows', `one or more times ${dimensions}`, rows.length);
  }
  const count = rows.length / dimensions;
  const stride = dimensions + 1;
  const floats = new Float32Array(count * stride);
  const integers = new Int32Array(floats.buffer);
  for (let row = 0; row < count; row++) {
    integers[row * stride] = dimensions;
    floats.set(rows.subarray(row * dimensions, (row + 1) * dimensions), row * stride + 1);
  }
  return new Uint8Array(floats.buffer);
}

function parseRows<T>(bytes: Uint8Array, file: string, Type: ElementType<T>): Rows<T> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dimensions = dimensionsAt(view, file, 0, 0);
  const rowBytes = dimensions * Type.BYTES_PER_ELEMENT;
  const stride = 4 + rowBytes;
  const count = Math.ceil(bytes.length / stride);
  const copy = new Uint8Array(Math.floor(bytes.length / stride) * rowBytes);
  for (let row = 0; row < count; row++) {
    const offset = row * stride;
    const found = dimensionsAt(view, file, row, offset);
    if (found !== dimensions) {
      throw corrupt(
        file,
        { offset },
        `${dimensions} dimensions in row ${row}, as in row 0`,
        `${found}`,
      );
    }
    const left = bytes.length - offset - 4;
    if (left < rowBytes) {
      throw corrupt(
        file,
        { offset: bytes.length },
        `${rowBytes} bytes of row ${row}`,
        `the end of the file after ${left}`,
      );
    }
    copy.set(bytes.subarray(offset + 4, offset + stride), row * rowBytes);
  }
  return { count, dimensions, data: new Type(copy.buffer, 0, count * dimensions) };
}

/** What row `row`, at byte `offset` of the view, says of its dimensions; the view begins at `base`. */
export function dimensionsAt(
  view: DataView,
  file: string,
  row: number,
  offset: number,
  base = 0,
): number {
  const left = view.byteLength - offset;
  if (left < 4) {
    const place = { offset: base + view.byteLength };
    const received = `the end of the file after ${left} bytes`;
    throw corrupt(file, place, `the dimensions of row ${row}`, received);
  }
  const dimensions = view.getInt32(offset, true);
  if (dimensions < 1) {
    throw corrupt(
      file,
      { offset: base + offset },
      `at least 1 dimension in row ${row}`,
      `${dimensions}`,
    );
  }
  return dimensions;
}
