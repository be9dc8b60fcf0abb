import type { VectorColumn } from './types.js';

/** The vectors of the i-th of a column's points: one of `size` numbers, or several in a multi field. */
export function vectorsAt(
  { vectors, offsets }: Pick<VectorColumn, 'vectors' | 'offsets'>,
  i: number,
  size: number,
): Float32Array {
  const from = offsets?.[i] ?? i;
  const to = offsets?.[i + 1] ?? i + 1;
  return vectors.subarray(from * size, to * size);
}

/** Vectors of points one behind the other, as a column has them. */
export function joinVectors(
  points: readonly Float32Array[],
  { size, multi }: { size: number; multi?: boolean },
): Pick<VectorColumn, 'vectors' | 'offsets'> {
  const offsets = new Uint32Array(points.length + 1);
  points.forEach(({ length }, i) => {
    offsets[i + 1] = offsets[i]! + length / size;
  });
  const vectors = new Float32Array(offsets.at(-1)! * size);
  points.forEach((point, i) => {
    vectors.set(point, offsets[i]! * size);
  });
  return multi ? { vectors, offsets } : { vectors };
}
