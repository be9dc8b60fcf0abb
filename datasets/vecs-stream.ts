import type { ElementType } from './elements.js';
import { corrupt } from './errors.js';
import { BLOCK_BYTES, openFile, readAt } from './file-stream.js';
import { dimensionsAt } from './vecs.js';

const TYPES = {
  fvecs: Float32Array,
  ivecs: Int32Array,
  bvecs: Uint8Array,
} as const satisfies Record<string, ElementType<Float32Array | Int32Array | Uint8Array>>;

export type VecsType = keyof typeof TYPES;

/** A file of vectors in a TEXMEX format (vecs.ts). */
export type VecsFile = {
  readonly path: string;
  readonly type: VecsType;
  readonly dimensions: number;
  readonly count: number;
};

/**
 * Reads the dimensions of the first row. Throws NOT_FOUND, and CORRUPT for a file that cannot be whole
 * rows of these.
 */
export async function openVecs(path: string, type: VecsType): Promise<VecsFile> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const start = await readAt(file, 0, Math.min(4, size), path);
    const dimensions = dimensionsAt(viewOf(start), path, 0, 0);
    const stride = strideOf(type, dimensions);
    if (size % stride !== 0) {
      const expected = `rows of ${stride} bytes, of ${dimensions} dimensions as row 0`;
      throw corrupt(path, { offset: size }, expected, `${size % stride} bytes more`);
    }
    return { path, type, dimensions, count: size / stride };
  } finally {
    await file.close();
  }
}

/** All rows as float32, some at once. Throws CORRUPT naming a row of other dimensions. */
export async function* vecsBlocks({
  path,
  type,
  dimensions,
  count,
}: VecsFile): AsyncGenerator<Float32Array> {
  const stride = strideOf(type, dimensions);
  const step = Math.max(1, Math.floor(BLOCK_BYTES / stride));
  const file = await openFile(path);
  try {
    for (let row = 0; row < count; row += step) {
      const rows = Math.min(step, count - row);
      const bytes = await readAt(file, row * stride, rows * stride, path);
      const view = viewOf(bytes);
      const block = new Float32Array(rows * dimensions);
      for (let i = 0; i < rows; i++) {
        const found = dimensionsAt(view, path, row + i, i * stride, row * stride);
        if (found !== dimensions) {
          const expected = `${dimensions} dimensions in row ${row + i}, as in row 0`;
          throw corrupt(path, { offset: (row + i) * stride }, expected, `${found}`);
        }
        const start = i * stride + 4;
        const stored = bytes.slice(start, start + stride - 4);
        block.set(new TYPES[type](stored.buffer), i * dimensions);
      }
      yield block;
    }
  } finally {
    await file.close();
  }
}

function strideOf(type: VecsType, dimensions: number): number {
  return 4 + dimensions * TYPES[type].BYTES_PER_ELEMENT;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
