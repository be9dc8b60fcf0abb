import { outOfRange } from '../base/errors.js';
import { Kernels } from '../kernels/index.js';
import type { Originals, StoredField } from './types.js';

/** How vectors lie in the tables, little-endian: those of one point one behind the other. */
interface VectorCodec {
  byteLength(size: number): number;
  /** May be a view of the vectors. */
  encode(vectors: Float32Array, size: number): Buffer;
  decode(data: Buffer, into: Float32Array, size: number): void;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

/** As they are. */
const float32: VectorCodec = {
  byteLength: (size) => 4 * size,
  encode: bytesOf,
  decode: (data, into) => void bytesOf(into).set(data),
};

const HALF_MAX = 65_504;

let halves: { toHalf: (x: number) => number; values: Float32Array } | undefined;

function halfTable() {
  if (halves === undefined) {
    const { toHalf, halfToFloat } = new Kernels().call;
    halves = { toHalf, values: Float32Array.from({ length: 65_536 }, (_, h) => halfToFloat(h)) };
  }
  return halves;
}

/** binary16: off by at most 2^-11 of a number, or 2^-25 below 2^-14. */
const float16: VectorCodec = {
  byteLength: (size) => 2 * size,
  encode(vector) {
    const { toHalf } = halfTable();
    const data = Buffer.allocUnsafe(2 * vector.length);
    for (let i = 0; i < vector.length; i++) {
      if (Math.abs(vector[i]!) > HALF_MAX) {
        throw outOfRange(`column ${i} of a vector kept as float16`, `up to ${HALF_MAX}`, vector[i]);
      }
      data.writeUInt16LE(toHalf(vector[i]!), 2 * i);
    }
    return data;
  },
  decode(data, into) {
    const { values } = halfTable();
    for (let i = 0; i < into.length; i++) into[i] = values[data.readUInt16LE(2 * i)]!;
  },
};

const CODES_START = 8;

/**
 * LVQ's first level: least and step as float32, then a byte a dimension. Off by at most half a step,
 * which is 1/510 of the vector's own interval, and float32's own rounding.
 */
const codes8: VectorCodec = {
  byteLength: (size) => CODES_START + size,
  encode(vectors, size) {
    const data = Buffer.allocUnsafe((vectors.length / size) * (CODES_START + size));
    for (let from = 0, at = 0; from < vectors.length; from += size, at += CODES_START + size) {
      encodeCodes(vectors.subarray(from, from + size), data, at);
    }
    return data;
  },
  decode(data, into, size) {
    for (let from = 0, at = 0; from < into.length; from += size, at += CODES_START + size) {
      const least = data.readFloatLE(at);
      const step = data.readFloatLE(at + 4);
      const codes = at + CODES_START;
      for (let i = 0; i < size; i++) into[from + i] = least + step * data[codes + i]!;
    }
  },
};

function encodeCodes(vector: Float32Array, data: Buffer, at: number): void {
  let least = vector[0]!;
  let most = least;
  for (const x of vector) {
    if (x < least) least = x;
    if (x > most) most = x;
  }
  const step = Math.fround((most - least) / 255);
  data.writeFloatLE(least, at);
  data.writeFloatLE(step, at + 4);
  for (let i = 0; i < vector.length; i++) {
    const code = step === 0 ? 0 : Math.round((vector[i]! - least) / step);
    data[at + CODES_START + i] = Math.min(255, code);
  }
}

const CODECS: Readonly<Record<Originals, VectorCodec>> = { float32, float16, none: codes8 };

/** Bytes of one vector. */
export function vectorBytes({ size, originals }: StoredField): number {
  return CODECS[originals].byteLength(size);
}

/** How many vectors so many bytes are; undefined where no point of the field can have them. */
export function vectorCount(field: StoredField, byteLength: number): number | undefined {
  const count = byteLength / vectorBytes(field);
  const isPossible = field.multi ? Number.isInteger(count) && count > 0 : count === 1;
  return isPossible ? count : undefined;
}

/**
 * @param vectors the one of a point, or all it has in a multi field
 * @throws RangeError `INVALID_ARGUMENT` for a number that the field cannot hold.
 */
export function encodeVectors({ originals, size }: StoredField, vectors: Float32Array): Buffer {
  return CODECS[originals].encode(vectors, size);
}

/** @param into as many vectors as vectorCount() says of the bytes */
export function decodeVectors(
  { originals, size }: StoredField,
  data: Buffer,
  into: Float32Array,
): void {
  CODECS[originals].decode(data, into, size);
}

/** What a point has, decoded. */
export function decodedVectors(field: StoredField, data: Buffer): Float32Array {
  const vectors = new Float32Array((data.length / vectorBytes(field)) * field.size);
  decodeVectors(field, data, vectors);
  return vectors;
}

/** A function that decodes what a point has, into memory that its next call uses again. */
export function vectorDecoder(field: StoredField): (data: Buffer) => Float32Array {
  const { size } = field;
  const bytes = vectorBytes(field);
  let memory = new Float32Array(size);
  return (data) => {
    const length = (data.length / bytes) * size;
    if (memory.length < length) memory = new Float32Array(length);
    const vectors = memory.subarray(0, length);
    decodeVectors(field, data, vectors);
    return vectors;
  };
}
