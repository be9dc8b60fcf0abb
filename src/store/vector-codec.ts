import { outOfRange } from '../base/errors.js';
import { Kernels } from '../kernels/index.js';
import type { Originals, StoredField } from './types.js';

/** How vectors lie in the tables, little-endian. */
interface VectorCodec {
  byteLength(size: number): number;
  /** May be a view of the vector. */
  encode(vector: Float32Array): Buffer;
  decode(data: Buffer, into: Float32Array): void;
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
  encode(vector) {
    let least = vector[0]!;
    let most = least;
    for (const x of vector) {
      if (x < least) least = x;
      if (x > most) most = x;
    }
    const step = Math.fround((most - least) / 255);
    const data = Buffer.allocUnsafe(CODES_START + vector.length);
    data.writeFloatLE(least, 0);
    data.writeFloatLE(step, 4);
    for (let i = 0; i < vector.length; i++) {
      const code = step === 0 ? 0 : Math.round((vector[i]! - least) / step);
      data[CODES_START + i] = Math.min(255, code);
    }
    return data;
  },
  decode(data, into) {
    const least = data.readFloatLE(0);
    const step = data.readFloatLE(4);
    for (let i = 0; i < into.length; i++) into[i] = least + step * data[CODES_START + i]!;
  },
};

const CODECS: Readonly<Record<Originals, VectorCodec>> = { float32, float16, none: codes8 };

export function vectorBytes({ size, originals }: StoredField): number {
  return CODECS[originals].byteLength(size);
}

/** @throws RangeError `INVALID_ARGUMENT` for a number that the field cannot hold. */
export function encodeVector({ originals }: StoredField, vector: Float32Array): Buffer {
  return CODECS[originals].encode(vector);
}

/** @param data as many bytes as vectorBytes() says */
export function decodeVector({ originals }: StoredField, data: Buffer, into: Float32Array): void {
  CODECS[originals].decode(data, into);
}
