import { Random } from '../../src/base/random.js';
import type { ResolvedFde } from '../../src/fde/options.js';
import { encodedDimensions } from '../../src/fde/options.js';
import { finalPlaces, hyperplanes, innerProjection } from '../../src/fde/random-maps.js';
import type { FdeSettings } from '../../src/kernels/scalar/fde.js';

/** Token sets one after the other, with their offsets. */
export interface TokenSets {
  tokens: Float32Array;
  offsets: Uint32Array;
}

/** Row-major rows as views. */
export function rowsOf(tokens: Float32Array, dimensions: number): Float32Array[] {
  return Array.from({ length: tokens.length / dimensions }, (_, r) =>
    tokens.subarray(r * dimensions, (r + 1) * dimensions),
  );
}

/** n random rows of length 1. */
export function unitTokens(random: Random, n: number, dimensions: number): Float32Array {
  const tokens = Float32Array.from({ length: n * dimensions }, () => random.gaussian());
  for (const row of rowsOf(tokens, dimensions)) {
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    row.forEach((x, i) => {
      row[i] = x / length;
    });
  }
  return tokens;
}

/** Sets of unit tokens, of these sizes. */
export function tokenSets(seed: number, sizes: readonly number[], dimensions: number): TokenSets {
  const offsets = new Uint32Array(sizes.length + 1);
  sizes.forEach((size, i) => {
    offsets[i + 1] = offsets[i]! + size;
  });
  return { tokens: unitTokens(new Random(seed), offsets.at(-1)!, dimensions), offsets };
}

/** Tokens of set i. */
export function setAt({ tokens, offsets }: TokenSets, i: number, dimensions: number): Float32Array {
  return tokens.subarray(offsets[i]! * dimensions, offsets[i + 1]! * dimensions);
}

/** What the scalar twin needs of an encoder's options. */
export function settingsOf(options: ResolvedFde): FdeSettings {
  const { dimensions, centroidExponent, fill, projectedDimensions } = options;
  return {
    repetitions: Array.from({ length: options.repetitions }, (_, r) => ({
      normals: rowsOf(hyperplanes(options, r), dimensions),
      projection: innerProjection(options, r),
      outputs: projectedDimensions,
    })),
    exponent: centroidExponent,
    fill,
    places: finalPlaces(options),
    total: encodedDimensions(options),
  };
}

/** <a, b> in float64. */
export function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, x, i) => sum + x * b[i]!, 0);
}

/** Σ_q max_p <q, p> by a double loop in float64. */
export function chamfer(query: Float32Array, document: Float32Array, dimensions: number): number {
  const rows = rowsOf(document, dimensions);
  return rowsOf(query, dimensions).reduce(
    (sum, q) => sum + Math.max(...rows.map((p) => dot(q, p))),
    0,
  );
}
