import { outOfRange, wrongType } from '../../base/errors.js';
import type {
  MultiVector,
  SparseVector,
  StoredRecord,
  StoredSparseVector,
  StoredVector,
  Vector,
  Vectors,
} from '../../db/types.js';
import type { Served } from '../catalog.js';
import { refused, unsupported } from '../errors.js';
import { type WireVector, wireVector } from '../wire/float-text.js';
import { isObject } from './members.js';
import { storedName, wireName } from './unnamed.js';

/** One vector, several that are compared as one, or a sparse one. */
export type GivenVector = Vector | MultiVector | SparseVector;

/** The vectors of a point: the one it has, or those with names. */
export function readVectors(
  what: string,
  value: unknown,
  { unnamed, multi }: Pick<Served, 'unnamed' | 'multi'>,
): Vectors {
  const readOf = (name: string, what: string, vector: unknown) => {
    const read = readVector(what, vector);
    return multi.has(name) ? asRows(what, read) : read;
  };
  if (!isObject(value)) {
    const vector = readOf(unnamed, what, value) as Vector | MultiVector;
    return unnamed === '' ? vector : { [unnamed]: vector };
  }
  refuseOthers(what, value);
  return Object.fromEntries(
    Object.entries(value).map(([given, vector]) => {
      const name = storedName(given, unnamed);
      return [name, readOf(name, `${what}.${given}`, vector)];
    }),
  );
}

/**
 * Vectors of a point that has several; one by itself is one of several. In binary they lie row after row.
 * @throws 422 for none, empty ones, and those of different lengths, as Qdrant does
 */
export function asRows(what: string, vector: GivenVector): MultiVector {
  if (!Array.isArray(vector) && !ArrayBuffer.isView(vector)) {
    throw wrongType(what, 'several vectors', vector);
  }
  if (ArrayBuffer.isView(vector)) return vector as Float32Array;
  const isOne = typeof vector[0] === 'number';
  const rows = (isOne ? [vector] : vector) as readonly Vector[];
  const [first] = rows;
  if (first === undefined || first.length === 0) {
    throw refused(422, `Validation error in JSON body: ${what}: dense vector must not be empty`);
  }
  if (rows.every(({ length }) => length === first.length)) return rows;
  throw refused(
    422,
    `Validation error in JSON body: ${what}: all vectors must have the same dimension`,
  );
}

/** One vector as it came: numbers, float32 bytes, or rows of either. */
export function readVector(what: string, value: unknown): GivenVector {
  if (value instanceof Uint8Array) return floatsOf(what, value);
  if (Array.isArray(value)) return readRows(what, value);
  if (!isObject(value)) throw wrongType(what, 'a vector', value);
  refuseOthers(what, value);
  return readSparse(what, value);
}

/** All else is checked where it is used. @throws 422 for what Qdrant answers so */
function readSparse(what: string, value: Record<string, unknown>): SparseVector {
  const { indices, values } = value;
  const numbers = values instanceof Uint8Array ? floatsOf(`${what}.values`, values) : values;
  const length = (numbers as { length?: unknown } | undefined)?.length;
  if (Array.isArray(indices) && length !== undefined && length !== indices.length) {
    throw sparseProblem(what, 'values', 'must be the same length as indices');
  }
  if (Array.isArray(indices) && new Set(indices).size < indices.length) {
    throw sparseProblem(what, 'indices', 'must be unique');
  }
  return { ...value, ...(numbers !== undefined && { values: numbers }) } as SparseVector;
}

/** In the words of Qdrant, which does not say which of the vectors it is. */
function sparseProblem(what: string, member: string, rule: string): Error {
  const place = what.replace(/(\.vector)\..*$/, '$1.?');
  const problem = `${place}.${member}: Validation error: ${rule} [{}]`;
  return refused(422, `Validation error in JSON body: ${problem} (${what})`);
}

function readRows(what: string, value: readonly unknown[]): GivenVector {
  const [first] = value;
  if (first instanceof Uint8Array || Array.isArray(first)) {
    return value.map((row, i) => {
      if (row instanceof Uint8Array) return floatsOf(`${what}[${i}]`, row);
      if (Array.isArray(row)) return withoutBigints(row);
      throw wrongType(`${what}[${i}]`, 'a vector', row);
    });
  }
  return withoutBigints(value);
}

/** A long whole number in a vector is a number like others; what it is else is checked later. */
function withoutBigints(row: readonly unknown[]): readonly number[] {
  const hasBigint = row.some((x) => typeof x === 'bigint');
  return (hasBigint ? row.map((x) => (typeof x === 'bigint' ? Number(x) : x)) : row) as number[];
}

function floatsOf(what: string, bytes: Uint8Array): Float32Array {
  if (bytes.length % 4 !== 0) {
    throw outOfRange(what, 'float32 values of 4 bytes each', `${bytes.length} bytes`);
  }
  // A copy: the bytes need not lie where a Float32Array may begin.
  return new Float32Array(Uint8Array.from(bytes).buffer);
}

/** @throws LeandexError `UNSUPPORTED` for kinds of vectors that are not vectors by name. */
function refuseOthers(what: string, value: Record<string, unknown>): void {
  if (['text', 'image', 'object'].some((name) => name in value) && 'model' in value) {
    throw unsupported(what, 'vectors are not made here, of texts or images: give the numbers');
  }
}

/** The vectors of a record on their way out. */
export function wireVectors(vector: StoredRecord['vector']): unknown {
  if (vector === undefined) return undefined;
  if (vector instanceof Float32Array || Array.isArray(vector)) return wireOne(vector);
  const named = Object.entries(vector).map(([name, stored]) => [wireName(name), wireOne(stored)]);
  const [first] = named;
  // The one without a name is by itself where there is no other.
  return named.length === 1 && first![0] === '' ? first![1] : Object.fromEntries(named);
}

function wireOne(stored: StoredVector | StoredSparseVector): WireVector | WireVector[] | object {
  if ('indices' in stored) {
    return { indices: Array.from(stored.indices), values: wireVector(stored.values) };
  }
  return Array.isArray(stored) ? stored.map(wireVector) : wireVector(stored);
}
