import { checkInteger } from '../src/base/check.js';
import { wrongDimension, wrongType } from '../src/base/errors.js';
import { bytesOf, type ElementType, elementsAt } from './elements.js';
import { corrupt, unsupported } from './errors.js';
import { readBytes, writeBytes } from './file.js';
import { decodeFloat16 } from './float16.js';
import { encodeNpyHeader, type NpyHeader, parseNpyHeader } from './npy-header.js';

/** What the elements of each type become in memory; float16 is widened, exactly. */
type DataOf = {
  f2: Float32Array;
  f4: Float32Array;
  f8: Float64Array;
  i1: Int8Array;
  u1: Uint8Array;
  i4: Int32Array;
  u4: Uint32Array;
  i8: BigInt64Array;
};

export type NpyType = keyof DataOf;

/** An array of a .npy file in C order: `data` holds the product of `shape` numbers. */
export type NpyArray = {
  [Type in NpyType]: {
    readonly shape: number[];
    readonly dtype: Type;
    readonly data: DataOf[Type];
  };
}[NpyType];

/** The arrays that can be written. */
export type NpyData = DataOf[NpyType];

type Stored = Uint16Array | NpyData;

/** What the elements of each type are stored as. */
export const NPY_TYPES: Record<NpyType, ElementType<Stored>> = {
  f2: Uint16Array,
  f4: Float32Array,
  f8: Float64Array,
  i1: Int8Array,
  u1: Uint8Array,
  i4: Int32Array,
  u4: Uint32Array,
  i8: BigInt64Array,
};

/**
 * Reads a .npy array of type f2, f4, f8, i1, u1, i4, u4 or i8, little-endian, in C order.
 * The data shares memory with `bytes` when it is aligned there (float16 is always copied).
 * Throws CORRUPT for damage (bad magic, truncation, bytes after the data) and UNSUPPORTED for
 * big-endian, Fortran order, objects and other types; both name file, offset, what was expected
 * and what was received.
 *
 * @param name the file's name, for messages.
 */
export function parseNpy(bytes: Uint8Array, name: string): NpyArray {
  const header = parseNpyHeader(bytes, name);
  const dtype = checkNpyData(header, bytes.length, name);
  const count = header.shape.reduce((product, size) => product * size, 1);
  const stored = elementsAt<Stored>(NPY_TYPES[dtype], bytes, header.dataOffset, count);
  const data = stored instanceof Uint16Array ? decodeFloat16(stored) : stored;
  return { shape: header.shape, dtype, data } as NpyArray;
}

/**
 * The type of the elements of a file of so many bytes.
 * Throws UNSUPPORTED for other types, CORRUPT for more or fewer bytes than its shape takes.
 */
export function checkNpyData(header: NpyHeader, byteLength: number, name: string): NpyType {
  const dtype = typeOf(header, name);
  const count = header.shape.reduce((product, size) => product * size, 1);
  const expected = count * NPY_TYPES[dtype].BYTES_PER_ELEMENT;
  const received = byteLength - header.dataOffset;
  if (received === expected) return dtype;
  throw corrupt(
    name,
    { offset: header.dataOffset + Math.min(expected, received) },
    `${expected} bytes of data for shape (${header.shape}) of ${dtype}`,
    `${received} bytes`,
  );
}

/** `parseNpy` of a file; also throws NOT_FOUND. */
export function readNpy(path: string): NpyArray {
  return parseNpy(readBytes(path), path);
}

/**
 * The numbers of an array as float32: the data itself, not a copy, for f2 and f4; the nearest
 * float32 of each number for the other types, so f8, i4, u4 and i8 may lose digits.
 */
export function toFloat32(array: NpyArray): Float32Array {
  if (array.dtype === 'f2' || array.dtype === 'f4') return array.data;
  if (array.dtype === 'i8') return Float32Array.from(array.data, Number);
  return new Float32Array(array.data);
}

/**
 * The bytes of a .npy file, version 1.0, in C order, with the type that the typed array has.
 * Throws when the shape does not fit the number of elements.
 */
export function encodeNpy(shape: readonly number[], data: NpyData): Uint8Array {
  const header = headerFor(shape, data);
  const bytes = new Uint8Array(header.length + data.byteLength);
  bytes.set(header);
  bytes.set(bytesOf(data), header.length);
  return bytes;
}

/** Writes what `encodeNpy` gives, without a second copy of the data in memory. */
export function writeNpy(path: string, shape: readonly number[], data: NpyData): void {
  writeBytes(path, [headerFor(shape, data), bytesOf(data)]);
}

function headerFor(shape: readonly number[], data: NpyData): Uint8Array {
  const types = Object.entries(NPY_TYPES) as [NpyType, ElementType<Stored>][];
  const found = types.find(([type, Type]) => type !== 'f2' && data?.constructor === Type);
  if (found === undefined) throw wrongType('data', 'a typed array that .npy can hold', data);
  for (const size of shape) checkInteger('a size of the shape', size, 0, Number.MAX_SAFE_INTEGER);
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== data.length) {
    throw wrongDimension('data', `${count} for shape (${shape})`, data.length);
  }
  const [type, Type] = found;
  return encodeNpyHeader(`${Type.BYTES_PER_ELEMENT === 1 ? '|' : '<'}${type}`, shape);
}

function typeOf(header: NpyHeader, file: string): NpyType {
  const order = header.descr[0];
  const type = header.descr.slice(1);
  const place = { offset: header.descrOffset };
  const expected = `one of <f2, <f4, <f8, |i1, |u1, <i4, <u4, <i8`;
  if (!Object.hasOwn(NPY_TYPES, type)) {
    const objects = type.startsWith('O') ? ' (Python objects)' : '';
    throw unsupported(file, place, expected, `"${header.descr}"${objects}`);
  }
  // A single byte has no order; numpy writes "|" for it.
  const oneByte = NPY_TYPES[type as NpyType].BYTES_PER_ELEMENT === 1;
  if (order !== '<' && !(oneByte && order === '|')) {
    const endian = order === '>' ? ' (big-endian)' : '';
    throw unsupported(file, place, expected, `"${header.descr}"${endian}`);
  }
  return type as NpyType;
}
