import { Random } from '../../src/base/random.js';

/** n rows of d gaussian numbers, of unit length where asked for. */
export function tokenRows(random: Random, n: number, d: number, unit = false): Float32Array {
  const rows = Float32Array.from({ length: n * d }, () => random.gaussian());
  if (!unit) return rows;
  for (let r = 0; r < n; r++) {
    const row = rows.subarray(r * d, (r + 1) * d);
    const length = Math.hypot(...row);
    row.forEach((x, j) => {
      row[j] = x / length;
    });
  }
  return rows;
}

/** Where documents of so many rows begin and end. */
export function offsetsOf(sizes: readonly number[]): Uint32Array {
  const offsets = new Uint32Array(sizes.length + 1);
  for (const [i, size] of sizes.entries()) offsets[i + 1] = offsets[i]! + size;
  return offsets;
}

export { Random };
