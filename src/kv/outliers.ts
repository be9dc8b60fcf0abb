import type { Steps } from '../base/steps.js';

/** A token with so many times the usual energy is no part of a basis, and kept exact. */
export const OUTLIER_FACTOR = 8;
/** At the most so many of all tokens are kept exact for their size. */
const OUTLIER_SHARE_MAX = 1 / 64;

/** Tokens from `first` on of a sample whose squared distance to its mean is far above the median. */
export function* outlierRows(
  layers: readonly Float32Array[],
  width: number,
  first: number,
): Steps<ReadonlySet<number>> {
  const tokens = layers[0]!.length / width;
  const energies = new Float64Array(tokens - first);
  for (const rows of layers) {
    const mean = new Float64Array(width);
    for (let row = first; row < tokens; row++) {
      for (let j = 0; j < width; j++) mean[j] = mean[j]! + rows[row * width + j]! / energies.length;
    }
    for (let row = first; row < tokens; row++) {
      energies[row - first] = energies[row - first]! + squaredDistance(rows, row, mean);
    }
    yield;
  }
  const usual = energies.slice().sort()[energies.length >> 1]!;
  return largestAbove(energies, first, usual * OUTLIER_FACTOR);
}

/** Of the energies of tokens from `first` on those above a limit; the largest if there are many. */
export function largestAbove(energies: Float64Array, first: number, limit: number): Set<number> {
  const most = Math.ceil(energies.length * OUTLIER_SHARE_MAX);
  const above = [...energies.keys()].filter((i) => energies[i]! > limit);
  above.sort((a, b) => energies[b]! - energies[a]!);
  return new Set(above.slice(0, most).map((i) => first + i));
}

function squaredDistance(rows: Float32Array, row: number, mean: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < mean.length; j++) {
    const x = rows[row * mean.length + j]! - mean[j]!;
    sum += x * x;
  }
  return sum;
}
