import { checkInteger } from '../base/check.js';
import { outOfRange, wrongDimension, wrongType } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { drain, type Steps } from '../base/steps.js';
import { Kernels } from '../kernels/index.js';
import { makeReflector, reflectFour, rowStride } from './householder.js';
import { powerOfTwoNear } from './scale.js';

const LENGTH_MAX = 2 ** 24;
const ORTHOGONAL_MAX = 8192;

export interface ThinQr {
  /** count × length: row j is column j of Q, orthonormal. */
  readonly q: Float64Array;
  /** count × count, row-major, upper triangular, diagonal ≥ 0. */
  readonly r: Float64Array;
}

/**
 * Thin QR of the matrix whose columns are the `count` vectors of `length` ≥ count numbers, stored
 * one after the other: vector j = Σ_{i ≤ j} r_ij q_i. Householder reflectors in float64, so q is
 * orthonormal to about count · 2^-53 whatever the vectors are, dependent and zero ones included.
 * The steps need `kernels` for themselves until they are done, about 16 bytes a number.
 *
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`: not such finite vectors.
 */
export function* thinQrSteps(
  kernels: Kernels,
  vectors: Float64Array,
  count: number,
  length: number,
): Steps<ThinQr> {
  requireVectors(vectors, count, length);
  const stride = rowStride(length);
  const size = Math.ceil(count / 4) * 4 * stride;
  const r = new Float64Array(count * count);
  const mark = kernels.mark();
  try {
    const pointer = kernels.alloc(size * 8);
    kernels.f64(pointer, size).fill(0);
    const scales = yield* copyScaled(kernels, vectors, length, pointer, stride);
    for (let first = 0; first < count; first += 4) {
      const done = { pointer, step: stride, length, growth: -1, count: first } as const;
      yield* reflectFour(kernels, pointer + first * stride * 8, stride, done);
      factorise(kernels.f64(pointer, size), stride, first, Math.min(count, first + 4), length, r);
    }
    const q = yield* formQ(kernels, pointer, stride, count, length);
    finish(q, r, scales);
    return { q, r };
  } finally {
    kernels.release(mark);
  }
}

/** thinQrSteps without a pause. */
export function thinQr(
  kernels: Kernels,
  vectors: Float64Array,
  count: number,
  length: number,
): ThinQr {
  return drain(thinQrSteps(kernels, vectors, count, length));
}

/**
 * A random orthogonal d × d matrix, uniform in the sense of Haar: Q of a Gaussian matrix, with the
 * signs that make the diagonal of R positive (Mezzadri 2007, section 5).
 */
export function* randomOrthogonalSteps(d: number, random: Random): Steps<Float64Array> {
  checkInteger('d', d, 1, ORTHOGONAL_MAX);
  const gaussian = new Float64Array(d * d);
  for (let i = 0; i < gaussian.length; i++) {
    gaussian[i] = random.gaussian();
    if (i % 65_536 === 0) yield;
  }
  const { q } = yield* thinQrSteps(new Kernels(), gaussian, d, d);
  return q;
}

/** randomOrthogonalSteps without a pause. */
export function randomOrthogonal(d: number, random: Random): Float64Array {
  return drain(randomOrthogonalSteps(d, random));
}

function requireVectors(vectors: Float64Array, count: number, length: number): void {
  if (!(vectors instanceof Float64Array)) throw wrongType('vectors', 'a Float64Array', vectors);
  checkInteger('count', count, 1, LENGTH_MAX);
  checkInteger('length', length, count, LENGTH_MAX);
  if (vectors.length !== count * length) {
    throw wrongDimension('vectors', count * length, vectors.length);
  }
}

/** Copies the vectors, each divided by a power of two, so that its squares stay in range. */
function* copyScaled(
  kernels: Kernels,
  vectors: Float64Array,
  length: number,
  pointer: number,
  stride: number,
): Steps<Float64Array> {
  const scales = new Float64Array(vectors.length / length);
  for (let j = 0; j < scales.length; j++) {
    const vector = vectors.subarray(j * length, (j + 1) * length);
    let largest = 0;
    for (let k = 0; k < length; k++) {
      const magnitude = Math.abs(vector[k]!);
      if (!(magnitude < Infinity)) {
        throw outOfRange(`number ${k} of vector ${j}`, 'a finite number', vector[k]);
      }
      if (magnitude > largest) largest = magnitude;
    }
    const scale = powerOfTwoNear(largest);
    const row = kernels.f64(pointer + j * stride * 8, length);
    for (let k = 0; k < length; k++) row[k] = vector[k]! / scale;
    scales[j] = scale;
    yield;
  }
  return scales;
}

/**
 * Turns rows first … end − 1, which the reflectors before them were applied to, into reflectors:
 * row j is mapped to numbers at length − 1 − i for i ≤ j, which are the r_ij.
 */
function factorise(
  rows: Float64Array,
  stride: number,
  first: number,
  end: number,
  length: number,
  r: Float64Array,
): void {
  const count = Math.sqrt(r.length);
  for (let j = first; j < end; j++) {
    const row = rows.subarray(j * stride, j * stride + length);
    for (let i = first; i < j; i++) {
      const v = rows.subarray(i * stride, i * stride + length - i);
      let sum = 0;
      for (let k = 0; k < v.length; k++) sum += v[k]! * row[k]!;
      for (let k = 0; k < v.length; k++) row[k] = row[k]! - sum * v[k]!;
    }
    for (let i = 0; i < j; i++) r[i * count + j] = row[length - 1 - i]!;
    row.fill(0, length - j);
    r[j * count + j] = makeReflector(row, length - j);
  }
}

/** Undoes the scaling of the vectors and makes the diagonal of R positive. */
function finish(q: Float64Array, r: Float64Array, scales: Float64Array): void {
  const count = scales.length;
  const length = q.length / count;
  for (let j = 0; j < count; j++) {
    const sign = r[j * count + j]! < 0 ? -1 : 1;
    for (let i = j; i < count; i++) r[j * count + i] = sign * scales[i]! * r[j * count + i]!;
    if (sign < 0) for (let i = j * length; i < (j + 1) * length; i++) q[i] = -q[i]!;
  }
}

/** Column j of Q: reflectors j, j − 1, … 0 applied to unit vector length − 1 − j. */
function* formQ(
  kernels: Kernels,
  reflectors: number,
  stride: number,
  count: number,
  length: number,
): Steps<Float64Array> {
  const q = new Float64Array(count * length);
  const rows = kernels.alloc(4 * stride * 8);
  for (let first = 0; first < count; first += 4) {
    const end = Math.min(count, first + 4);
    const four = kernels.f64(rows, 4 * stride).fill(0);
    for (let j = first; j < end; j++) four[(j - first) * stride + length - 1 - j] = 1;
    // Reflectors after j leave unit vector length − 1 − j alone, so all four rows take the same.
    yield* reflectFour(kernels, rows, stride, {
      pointer: reflectors + (end - 1) * stride * 8,
      step: -stride,
      length: length - end + 1,
      growth: 1,
      count: end,
    });
    const vectors = kernels.f64(rows, 4 * stride);
    for (let j = first; j < end; j++) {
      const from = (j - first) * stride;
      q.set(vectors.subarray(from, from + length), j * length);
    }
  }
  return q;
}
