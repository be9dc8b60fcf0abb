/**
 * Scalar twin of wasm/fde.ts: an oracle for the tests, not exported by the package. Equal to the
 * kernel to the bit for exponents 0 and 1.
 */
import { quantiseInput } from './project.js';
import { clamp, nearest } from './round.js';

const { fround } = Math;
const SCALE = 32_767;
const LENGTH_MIN = 1e-30;

/** One repetition's random maps. */
export interface FdeRepetition {
  /** Normals of the hyperplanes, rows as long as a token. */
  normals: readonly Float32Array[];
  /** tokenLength x outputs, row-major; undefined for the identity. */
  projection: Float32Array | undefined;
  outputs: number;
}

export interface FdeSettings {
  repetitions: readonly FdeRepetition[];
  exponent: number;
  fill: 'none' | 'token' | 'centroid';
  /** Place and sign (bit 31) of each number in the final encoding, of `total` numbers. */
  places: Uint32Array | undefined;
  total: number;
}

/** The number of the cell on these sides, most significant first (a Gray code). */
export function grayIndex(sides: readonly boolean[]): number {
  return sides.reduce((p, side) => (p << 1) + (Number(side) ^ (p & 1)), 0);
}

/** On which side of each hyperplane a token is. */
export function sidesOf(token: Float32Array, normals: readonly Float32Array[]): boolean[] {
  const { input } = quantiseInput(padded(token));
  return normals.map((normal) => {
    let sum = 0;
    normal.forEach((w, i) => {
      sum += clamp(nearest(fround(w * SCALE)), -SCALE, SCALE) * input[i]!;
    });
    return sum > 0;
  });
}

/** The encoding of a set of tokens. */
export function encodeSet(
  tokens: readonly Float32Array[],
  settings: FdeSettings,
  isQuery: boolean,
): Float32Array {
  const { repetitions, places, total } = settings;
  const whole = repetitions.flatMap((repetition) =>
    encodeRepetition(tokens, repetition, settings, isQuery).flatMap((cell) => [...cell]),
  );
  if (places === undefined) return Float32Array.from(whole);
  const out = new Float32Array(total);
  places.forEach((place, i) => {
    const sign = place >= 0x8000_0000 ? -1 : 1;
    out[place % 0x8000_0000]! += sign * whole[i]!;
  });
  return out;
}

function encodeRepetition(
  tokens: readonly Float32Array[],
  repetition: FdeRepetition,
  { exponent, fill }: FdeSettings,
  isQuery: boolean,
): Float32Array[] {
  const { normals, outputs } = repetition;
  const cells = tokens.map((token) => grayIndex(sidesOf(token, normals)));
  const members = Array.from({ length: 2 ** normals.length }, (_, cell) =>
    tokens.filter((_, t) => cells[t] === cell),
  );
  const encoded = members.map((members) => {
    if (members.length === 0) return new Float32Array(outputs);
    const sum = sumOf(members);
    const factor = isQuery ? 1 : centroidFactor(sum, members.length, exponent);
    return projected(sum, repetition).map((x) => x * factor);
  });
  if (isQuery || fill === 'none' || tokens.length === 0) return encoded;
  return encoded.map((values, cell) => {
    if (members[cell]!.length > 0) return values;
    if (fill === 'token') {
      const nearest = firstLeast(cells.map((other) => differingSides(other, cell)));
      return projected(tokens[nearest]!, repetition);
    }
    const distances = members.map(({ length }, other) =>
      length === 0 ? Infinity : differingSides(other, cell),
    );
    return encoded[firstLeast(distances)]!;
  });
}

/** How many sides of two cells differ. */
export function differingSides(a: number, b: number): number {
  let bits = a ^ (a >> 1) ^ b ^ (b >> 1);
  let count = 0;
  for (; bits > 0; bits >>= 1) count += bits & 1;
  return count;
}

function firstLeast(values: readonly number[]): number {
  return values.indexOf(Math.min(...values));
}

function sumOf(tokens: readonly Float32Array[]): Float32Array {
  const sum = tokens[0]!.slice();
  for (const token of tokens.slice(1)) {
    token.forEach((x, i) => {
      sum[i] = sum[i]! + x;
    });
  }
  return sum;
}

function centroidFactor(sum: Float32Array, count: number, exponent: number): number {
  if (exponent === 0) return fround(1 / count);
  const lanes = new Float64Array(4);
  sum.forEach((x, i) => {
    lanes[i % 4]! += x * x;
  });
  const length = Math.sqrt(lanes[0]! + lanes[2]! + (lanes[1]! + lanes[3]!));
  if (!(length > LENGTH_MIN)) return 0;
  if (exponent === 1) return fround(1 / length);
  return fround(1 / (count * (length / count) ** exponent));
}

function projected(x: Float32Array, { projection, outputs }: FdeRepetition): Float32Array {
  if (projection === undefined) return x.slice();
  return Float32Array.from({ length: outputs }, (_, j) =>
    x.reduce((sum, value, i) => fround(sum + fround(value * projection[i * outputs + j]!)), 0),
  );
}

/** With zeros up to a whole v128, as the kernel reads it. */
function padded(token: Float32Array): Float32Array {
  const row = new Float32Array(Math.ceil(token.length / 4) * 4);
  row.set(token);
  return row;
}
