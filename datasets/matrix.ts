import type { Rows } from './elements.js';
import { corrupt } from './errors.js';
import { readNpy, toFloat32 } from './npy.js';

/**
 * A .npy file of two axes, rows and dimensions, as float32.
 * Throws NOT_FOUND, and CORRUPT or UNSUPPORTED as `readNpy` does or for another number of axes.
 */
export function readMatrix(path: string): Rows<Float32Array> {
  const array = readNpy(path);
  const [count, dimensions] = array.shape;
  if (array.shape.length !== 2 || dimensions === 0) {
    const received = `shape (${array.shape})`;
    throw corrupt(path, { offset: 0 }, 'an array of rows x dimensions', received);
  }
  return { count, dimensions, data: toFloat32(array) };
}
