import { turnIfDue } from '../base/steps.js';
import type { LeanIndex } from '../graph/lean-index.js';
import type { WriteOptions } from '../graph/options.js';

/** Rows that are deleted between two turns of the event loop. */
const DELETED_AT_ONCE = 2048;

/**
 * Adds rows to a graph, but for those whose vectors its codes cannot hold, which are found by
 * halving: returns their places.
 */
export async function addFitting(
  graph: LeanIndex,
  rows: Uint32Array,
  vectors: Float32Array,
  options: WriteOptions,
): Promise<number[]> {
  try {
    if (rows.length > 0) await graph.add(vectors, { ...options, ids: rows });
    return [];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    if (rows.length === 1) return [0];
  }
  const half = rows.length >>> 1;
  const part = (from: number, to: number) =>
    addFitting(
      graph,
      rows.subarray(from, to),
      vectors.subarray(from * graph.dimensions, to * graph.dimensions),
      options,
    );
  const first = await part(0, half);
  const second = await part(half, rows.length);
  return [...first, ...second.map((place) => half + place)];
}

/** Deletes rows, a few at a time; some may be gone already. */
export async function deleteInParts(index: LeanIndex, rows: Uint32Array): Promise<void> {
  for (let from = 0; from < rows.length; from += DELETED_AT_ONCE) {
    const part = rows.subarray(from, from + DELETED_AT_ONCE).filter((row) => index.has(row));
    await index.delete(part);
    await turnIfDue();
  }
}

/** At most so many of the rows, evenly spaced. */
export function spacedRows(vectors: Float32Array, size: number, most: number): Float32Array {
  const count = vectors.length / size;
  if (count <= most) return vectors;
  const sample = new Float32Array(most * size);
  for (let i = 0; i < most; i++) {
    const row = Math.floor((i * count) / most);
    sample.set(vectors.subarray(row * size, (row + 1) * size), i * size);
  }
  return sample;
}
