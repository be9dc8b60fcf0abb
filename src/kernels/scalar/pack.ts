/**
 * Scalar twin of wasm/pack.ts: an oracle for the tests, not exported by the package. Codes of 7 bits
 * take a byte each, like those of 8.
 */
import { clamp, nearest } from './round.js';

export type CodeBits = 2 | 3 | 4 | 7 | 8;

const BLOCK_BYTES = 16;

/** Dimensions whose codes fill a block of 16 bytes, or with 3 bits the three blocks of 48. */
export function dimensionsPerBlock(bits: CodeBits): number {
  return { 2: 64, 3: 128, 4: 32, 7: 16, 8: 16 }[bits];
}

/** Bytes of the codes of n dimensions: whole blocks. */
export function codeBytes(n: number, bits: CodeBits): number {
  return Math.ceil(n / dimensionsPerBlock(bits)) * BLOCK_BYTES * (bits === 3 ? 3 : 1);
}

/** Where the code of a dimension is: its byte and its lowest bit there. */
export function codePosition(dimension: number, bits: CodeBits): { byte: number; shift: number } {
  const perBlock = dimensionsPerBlock(bits);
  const inBlock = dimension % perBlock;
  const byte = Math.floor(dimension / perBlock) * BLOCK_BYTES + (inBlock % BLOCK_BYTES);
  return { byte, shift: Math.floor(inBlock / BLOCK_BYTES) * bits };
}

/** The parts that a code is stored in: where, and which of its bits, from `first` on. */
function codeParts(dimension: number, bits: CodeBits) {
  if (bits !== 3) return [{ ...codePosition(dimension, bits), first: 0, width: bits }];
  const start = Math.floor(dimension / 128) * 48;
  const inBlock = dimension % 128;
  const low = codePosition(inBlock, 2);
  const high = { byte: start + 32 + (inBlock % 16), shift: Math.floor(inBlock / 16) };
  return [
    { byte: start + low.byte, shift: low.shift, first: 0, width: 2 },
    { ...high, first: 2, width: 1 },
  ];
}

/** The codes, one a dimension, packed; code 0 behind the last. */
export function packCodes(codes: ArrayLike<number>, bits: CodeBits): Uint8Array {
  const packed = new Uint8Array(codeBytes(codes.length, bits));
  for (let i = 0; i < codes.length; i++) {
    for (const { byte, shift, first, width } of codeParts(i, bits)) {
      packed[byte]! |= ((codes[i]! >> first) & (2 ** width - 1)) << shift;
    }
  }
  return packed;
}

/** The first n codes of packed ones. */
export function unpackCodes(packed: Uint8Array, n: number, bits: CodeBits): Uint8Array {
  const codes = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    for (const { byte, shift, first, width } of codeParts(i, bits)) {
      codes[i]! |= ((packed[byte]! >> shift) & (2 ** width - 1)) << first;
    }
  }
  return codes;
}

/** clamp(round((z − bias) / scale), 0, 2^bits − 1) in float32, ties to even. */
export function quantise(
  z: ArrayLike<number>,
  bits: CodeBits,
  bias: number,
  scale: number,
): Uint8Array {
  return Uint8Array.from(z, (x) => {
    const steps = Math.fround(Math.fround(x - bias) / scale);
    return clamp(nearest(steps), 0, 2 ** bits - 1);
  });
}
