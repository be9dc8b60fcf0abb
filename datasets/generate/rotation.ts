import type { Random } from '../../src/base/random.js';

/**
 * After two rounds the image of a coordinate axis looks gaussian: its entries have the kurtosis 3.
 * After one, a power of two of dimensions would leave all of them of one size.
 */
const ROUNDS = 2;

type Round = {
  readonly order: Uint32Array;
  readonly signs: Float64Array;
  readonly lastSigns: Float64Array;
};

/**
 * A random orthonormal map, in place: rounds of a random permutation and Walsh-Hadamard transforms
 * of the first and the last 2^floor(log2 d) dimensions, which overlap and so mix all of them, each
 * after random signs. O(d log d) a row, where a dense random basis would cost O(d^2).
 */
export function randomRotation(dimensions: number, random: Random): (row: Float64Array) => void {
  const size = 2 ** Math.floor(Math.log2(dimensions));
  const rounds = Array.from({ length: ROUNDS }, () => randomRound(dimensions, random));
  const moved = new Float64Array(dimensions);
  return (row) => {
    for (const { order, signs, lastSigns } of rounds) {
      for (let i = 0; i < dimensions; i++) moved[i] = row[order[i]] * signs[i];
      row.set(moved);
      hadamard(row, 0, size);
      if (size === dimensions) continue;
      // Without new signs the second transform would undo the first one where they overlap.
      for (let i = 0; i < dimensions; i++) row[i] *= lastSigns[i];
      hadamard(row, dimensions - size, size);
    }
  };
}

function randomRound(dimensions: number, random: Random): Round {
  return {
    order: random.permutation(dimensions),
    signs: randomSigns(dimensions, random),
    lastSigns: randomSigns(dimensions, random),
  };
}

function randomSigns(dimensions: number, random: Random): Float64Array {
  return new Float64Array(dimensions).map(() => (random.below(2) === 0 ? 1 : -1));
}

/**
 * The orthonormal Walsh-Hadamard transform of `size` (a power of two) numbers from `start` on.
 * Two levels at a time, which halves the loads and stores; a last level alone when the power is
 * odd.
 */
function hadamard(row: Float64Array, start: number, size: number): void {
  const end = start + size;
  let step = 1;
  for (; 4 * step <= size; step *= 4) {
    for (let block = start; block < end; block += 4 * step) {
      for (let i = block; i < block + step; i++) {
        const a = row[i] + row[i + step];
        const b = row[i] - row[i + step];
        const c = row[i + 2 * step] + row[i + 3 * step];
        const d = row[i + 2 * step] - row[i + 3 * step];
        row[i] = a + c;
        row[i + step] = b + d;
        row[i + 2 * step] = a - c;
        row[i + 3 * step] = b - d;
      }
    }
  }
  if (step < size) {
    for (let i = start; i < start + step; i++) {
      const a = row[i];
      const b = row[i + step];
      row[i] = a + b;
      row[i + step] = a - b;
    }
  }
  const factor = 1 / Math.sqrt(size);
  for (let i = start; i < end; i++) row[i] *= factor;
}
