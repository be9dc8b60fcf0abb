import type { Rows } from './elements.js';
import { corrupt } from './errors.js';
import { readNpy, toFloat32 } from './npy.js';

/**
 * A .npy file of two axes, rows and dimensions, as float32.
 * Throws NOT_FOUND, and CORRUPT or UNSUPPORTED as `readNpy` does or for another number of axes.
 */
export function readMatrix(path: string): Rows<Float32Array> {
  const array = readNpy(path);
  return { ...matrixShape(array.shape, path), data: toFloat32(array) };
}

/** Throws CORRUPT unless the shape is that of a matrix. */
export function matrixShape(
  shape: readonly number[],
  path: string,
): { count: number; dimensions: number } {
  const [count, dimensions] = shape;
  if (shape.length === 2 && dimensions !== 0) return { count, dimensions };
  throw corrupt(path, { offset: 0 }, 'an array of rows x dimensions', `shape (${shape})`);
}
