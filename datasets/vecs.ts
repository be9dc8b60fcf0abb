import { checkInteger } from '../src/base/check.js';
import { wrongDimension } from '../src/base/errors.js';
import { corrupt } from './errors.js';

/**
 * The formats of TEXMEX (http://corpus-texmex.irisa.fr): each row is an int32 with the number of
 * dimensions and then that many float32 (.fvecs), int32 (.ivecs) or uint8 (.bvecs), little-endian.
 */

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
