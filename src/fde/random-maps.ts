import { mix32, Random } from '../base/random.js';
import type { ResolvedFde } from './options.js';
import { wholeDimensions } from './options.js';

/** Different streams of random numbers for each purpose and repetition of a seed. */
const PURPOSES = { hyperplanes: 1, projection: 2, places: 3 } as const;

function randomOf(seed: number, purpose: keyof typeof PURPOSES, repetition: number): Random {
  return new Random(mix32(mix32(seed + PURPOSES[purpose] * 0x9e3779b9) + repetition));
}

/** Unit normals of the hyperplanes of a repetition, in all directions alike: k x dimensions. */
export function hyperplanes(options: ResolvedFde, repetition: number): Float32Array {
  const { dimensions, partitionBits, seed } = options;
  const random = randomOf(seed, 'hyperplanes', repetition);
  const normals = new Float32Array(partitionBits * dimensions);
  for (let b = 0; b < partitionBits; b++) {
    const normal = Float64Array.from({ length: dimensions }, () => random.gaussian());
    const length = Math.sqrt(normal.reduce((sum, x) => sum + x * x, 0));
    normals.set(
      normal.map((x) => x / length),
      b * dimensions,
    );
  }
  return normals;
}

/**
 * The inner projection of a repetition: dimensions x projectedDimensions, so that ψ(x)_j = Σ_i x_i
 * P_ij. Its products are unbiased: E <ψ(x), ψ(y)> = <x, y>. Undefined for the identity.
 */
export function innerProjection(
  options: ResolvedFde,
  repetition: number,
): Float32Array | undefined {
  const { dimensions, projection, projectedDimensions: outputs, seed } = options;
  if (projection === 'identity') return undefined;
  const random = randomOf(seed, 'projection', repetition);
  const matrix = new Float32Array(dimensions * outputs);
  if (projection === 'dense') {
    const size = 1 / Math.sqrt(outputs);
    return matrix.map(() => (random.below(2) === 1 ? size : -size));
  }
  for (let i = 0; i < dimensions; i++) {
    const at = i * outputs + random.below(outputs);
    matrix[at] = random.below(2) === 1 ? 1 : -1;
  }
  return matrix;
}

/**
 * The final count-sketch: for each number of the whole its place among finalDimensions, in bit 31
 * whether it is subtracted. Undefined where there is none.
 */
export function finalPlaces(options: ResolvedFde): Uint32Array | undefined {
  const { finalDimensions, seed } = options;
  if (finalDimensions === undefined) return undefined;
  const random = randomOf(seed, 'places', 0);
  return Uint32Array.from(
    { length: wholeDimensions(options) },
    () => random.below(finalDimensions) + random.below(2) * 0x8000_0000,
  );
}
