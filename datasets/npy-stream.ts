import { elementsAt } from './elements.js';
import { BLOCK_BYTES, openFile, readAt } from './file-stream.js';
import { decodeFloat16 } from './float16.js';
import { checkNpyData, NPY_TYPES, type NpyArray, type NpyType, toFloat32 } from './npy.js';
import { parseNpyHeader } from './npy-header.js';

/** A .npy file whose header has been read and whose length fits it. */
export type NpyFile = {
  readonly path: string;
  readonly shape: readonly number[];
  readonly dtype: NpyType;
  readonly dataOffset: number;
};

/** Headers of arrays are some hundred bytes. */
const HEADER_BYTES_MAX = 1 << 16;

/** Reads the header of a .npy file. Throws NOT_FOUND, and as `parseNpy`. */
export async function openNpy(path: string): Promise<NpyFile> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const start = await readAt(file, 0, Math.min(size, HEADER_BYTES_MAX), path);
    const header = parseNpyHeader(start, path);
    const dtype = checkNpyData(header, size, path);
    return { path, shape: header.shape, dtype, dataOffset: header.dataOffset };
  } finally {
    await file.close();
  }
}

/**
 * Elements from … to − 1 of the array as float32, `stride` or a multiple of it at once (fewer at the
 * end), so that a file of any length is read in little memory. Throws CORRUPT when it shrinks meanwhile.
 */
export async function* npyBlocks(
  { path, dtype, dataOffset }: NpyFile,
  from: number,
  to: number,
  stride: number,
): AsyncGenerator<Float32Array> {
  const Type = NPY_TYPES[dtype];
  const width = Type.BYTES_PER_ELEMENT;
  const step = stride * Math.max(1, Math.floor(BLOCK_BYTES / (width * stride)));
  const file = await openFile(path);
  try {
    for (let at = from; at < to; at += step) {
      const count = Math.min(step, to - at);
      const bytes = await readAt(file, dataOffset + at * width, count * width, path);
      const stored = elementsAt(Type, bytes, 0, count);
      const data = stored instanceof Uint16Array ? decodeFloat16(stored) : stored;
      yield toFloat32({ shape: [count], dtype, data } as NpyArray);
    }
  } finally {
    await file.close();
  }
}
