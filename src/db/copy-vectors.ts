import { checkInteger } from '../base/check.js';
import { outOfRange, wrongDimension, wrongType } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';
import { MAGNITUDE_MAX } from '../graph/rows.js';
import type { Originals } from '../store/types.js';
import type { FieldConfig } from './config.js';
import { checkEntries, copyPairs, PAIR_NUMBERS, type SparseVector } from './sparse-vectors.js';

/** Vectors of one point in a field with several. */
const VECTORS_MAX = 16_384;
/** Of a number of a vector among several: more, and what is made of all of them leaves float32. */
const MULTI_MAX = 65_504;
const FLOAT16_MAX = 65_504;
/** What is stored of a vector needs a direction as well: smaller numbers may all become 0. */
const COSINE_LEAST: Readonly<Record<Originals, number>> = {
  float32: 0,
  float16: 2 ** -24,
  none: 2 ** -126,
};

/** Memory that goes to other threads without a copy. */
export function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}

/** How many numbers a point is given in all its vectors, before anything of them is checked. */
export function numbersGiven(vectors: unknown): number {
  if (vectors instanceof Float32Array) return vectors.length;
  if (typeof vectors !== 'object' || vectors === null) return 0;
  if (Array.isArray(vectors) && typeof vectors[0] === 'number') return vectors.length;
  let sum = 0;
  for (const one of Object.values(vectors)) sum += lengthOf(one);
  return sum;
}

/** Of a vector, or of several in an array or a matrix, or of a sparse one. */
function lengthOf(value: unknown): number {
  const { indices } = (value ?? {}) as { indices?: { length?: number } };
  if (indices?.length !== undefined) return PAIR_NUMBERS * indices.length;
  if (value instanceof Float32Array) return value.length;
  if (!Array.isArray(value)) return 0;
  if (typeof value[0] === 'number') return value.length;
  return value.reduce(
    (sum: number, one: { length?: number } | null) => sum + (one?.length ?? 0),
    0,
  );
}

/**
 * How many rows of numbers a point is given in a field: one, or those of an array or a matrix, or the
 * pairs of a sparse vector.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH` for what has no such number
 */
export function checkCount(
  what: string,
  value: unknown,
  { multivector, sparse, size }: FieldConfig,
): number {
  if (sparse !== undefined) return checkEntries(what, value);
  if (multivector === undefined) return 1;
  if (!(value instanceof Float32Array) && !Array.isArray(value)) {
    const expected = `an array of vectors of ${size} numbers, or a Float32Array of their rows`;
    throw wrongType(what, expected, value);
  }
  const isMatrix = value instanceof Float32Array;
  if (isMatrix && value.length % size !== 0) {
    throw wrongDimension(what, `a multiple of ${size}`, value.length);
  }
  const count = isMatrix ? value.length / size : value.length;
  return checkInteger(`the number of vectors of ${what}`, count, 1, VECTORS_MAX);
}

/**
 * Copies the vectors of a point to the begin of `into`, checked: a step each.
 * @param count as checkCount() gave it
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH` naming what is wrong
 */
export function* copyVectors(
  what: string,
  value: unknown,
  config: FieldConfig,
  count: number,
  into: Float32Array,
): Steps<void> {
  const { multivector, sparse, size } = config;
  if (sparse !== undefined) {
    copyPairs(what, value as SparseVector, into);
    yield;
    return;
  }
  if (multivector === undefined) {
    copyVector(what, value, config, into);
    yield;
    return;
  }
  const given = value as Float32Array | readonly unknown[];
  for (let i = 0; i < count; i++) {
    const row = into.subarray(i * size, (i + 1) * size);
    const isMatrix = given instanceof Float32Array;
    const vector = isMatrix ? given.subarray(i * size, (i + 1) * size) : given[i];
    copyVector(`${what}[${i}]`, vector, config, row);
    yield;
  }
}

/** A query as float32, its vectors one behind the other. @throws as copyVectors() */
export function checkQueryVectors(what: string, value: unknown, config: FieldConfig): Float32Array {
  const count = checkCount(what, value, config);
  const vectors = new Float32Array(count * config.size);
  // It is not stored.
  drain(copyVectors(what, value, { ...config, originals: 'float32' }, count, vectors));
  return vectors;
}

function copyVector(what: string, value: unknown, config: FieldConfig, into: Float32Array): void {
  const { size, distance, originals } = config;
  if (!(value instanceof Float32Array) && !Array.isArray(value)) {
    throw wrongType(what, `an array or Float32Array of ${size} numbers`, value);
  }
  if (value.length !== size) throw wrongDimension(what, size, value.length);
  const isTyped = value instanceof Float32Array;
  const limit = originals === 'float16' ? FLOAT16_MAX : Infinity;
  let largest = 0;
  for (let i = 0; i < size; i++) {
    const number: unknown = value[i];
    if (!isTyped && typeof number !== 'number')
      throw wrongType(`${what}[${i}]`, 'a number', number);
    into[i] = number as number;
    const magnitude = Math.abs(into[i]!);
    if (!(magnitude < Infinity)) throw outOfRange(`${what}[${i}]`, 'a finite float32', number);
    if (magnitude > largest) largest = magnitude;
  }
  if (largest > limit) throw outOfRange(what, `of numbers up to ${limit} (float16)`, largest);
  if (distance === 'Cosine') {
    if (largest === 0) throw outOfRange(what, 'a vector with a direction (Cosine)', 'only zeros');
    const least = COSINE_LEAST[originals];
    if (largest < least) {
      throw outOfRange(what, `of some numbers from ${least} on (Cosine, ${originals})`, largest);
    }
    return;
  }
  const most = config.multivector ? MULTI_MAX : MAGNITUDE_MAX;
  if (largest > most) throw outOfRange(what, `of numbers up to ${most}`, largest);
}
