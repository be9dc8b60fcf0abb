/**
 * Scalar twin of wasm/token.ts: an oracle for the tests, not exported by the package. Without the
 * rotation, records are the same to the bit.
 */
import { fromHalf, toHalf } from './half.js';
import { codeBytes, packCodes, quantise, unpackCodes } from './pack.js';

export type TokenBits = 32 | 16 | 8 | 4;

const { fround } = Math;

/** What a record of codes stands for: x̂_j = scale · c_j + bias. */
export interface CodedToken {
  scale: number;
  bias: number;
  codes: Uint8Array;
}

/** The record of a token. */
export function encodeToken(x: Float32Array, bits: TokenBits): Uint8Array {
  if (bits === 32) {
    const padded = new Float32Array(Math.ceil(x.length / 4) * 4);
    padded.set(x);
    return new Uint8Array(padded.buffer);
  }
  if (bits === 16) {
    const padded = new Uint16Array(Math.ceil(x.length / 8) * 8);
    padded.set(Array.from(x, toHalf));
    return new Uint8Array(padded.buffer);
  }
  const [low, high] = [Math.min(...x), Math.max(...x)];
  const scale = fround(fround(high - low) / (2 ** bits - 1)) || 1;
  const codes = packCodes(quantise(x, bits, low, scale), bits);
  const record = new Uint8Array(codes.length + 8);
  record.set(codes);
  record.set(new Uint8Array(Float32Array.of(scale, low).buffer), codes.length);
  return record;
}

/** The codes and constants of a record of 8 or 4 bits. */
export function parseCodes(record: Uint8Array, d: number, bits: 8 | 4): CodedToken {
  const constants = new DataView(record.buffer, record.byteOffset + codeBytes(d, bits), 8);
  return {
    scale: constants.getFloat32(0, true),
    bias: constants.getFloat32(4, true),
    codes: unpackCodes(record, d, bits),
  };
}

/** The d numbers that a record stands for. */
export function decodeToken(record: Uint8Array, d: number, bits: TokenBits): Float32Array {
  const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
  if (bits === 32) return Float32Array.from({ length: d }, (_, j) => view.getFloat32(4 * j, true));
  if (bits === 16) {
    return Float32Array.from({ length: d }, (_, j) => fromHalf(view.getUint16(2 * j, true)));
  }
  const { scale, bias, codes } = parseCodes(record, d, bits);
  return Float32Array.from(codes, (c) => fround(scale * c) + bias);
}
