/**
 * Scalar twin of wasm/lvq.ts: an oracle for the tests, not exported by the package. It rounds to
 * float32 where the kernel works in float32, so constants and codes are the same.
 */
import { fromHalf, halfBelow, roundToHalf, toHalf } from './half.js';
import { type CodeBits, codeBytes, packCodes, quantise, unpackCodes } from './pack.js';

const { fround } = Math;

/** Steps narrower than this are those of an almost constant vector; the paper's constant. */
const STEP_MIN = fround(7e-5);

export interface LvqVector {
  scale: number;
  bias: number;
  codes: Uint8Array;
}

/** Codes of a centred vector on its min–max grid. */
export function lvqEncode(z: Float32Array, bits: CodeBits): LvqVector {
  const low = z.reduce((least, x) => Math.min(least, x));
  const high = z.reduce((most, x) => Math.max(most, x));
  const { scale, bias } = lvqConstants(low, high, 2 ** bits - 1);
  return { scale, bias, codes: quantise(z, bits, bias, scale) };
}

/** Rounded to nearest; outwards where that would leave an end more than half a step outside. */
function lvqConstants(low: number, high: number, steps: number): { scale: number; bias: number } {
  const range = fround(high - low);
  const flat = range <= fround(STEP_MIN * steps);
  const bias = roundToHalf(low);
  const scale = flat ? 1 : roundToHalf(fround(range / steps));
  const top = fround(bias + fround(steps * scale));
  if (Math.max(fround(bias - low), fround(high - top)) <= fround(scale / 2)) return { scale, bias };
  const below = halfBelow(low);
  return { scale: -halfBelow(fround(fround(below - high) / steps)), bias: below };
}

/** ẑ_j = scale · c_j + bias. */
export function lvqDecode({ scale, bias, codes }: LvqVector): Float32Array {
  return Float32Array.from(codes, (c) => fround(scale * c) + bias);
}

/** Residual codes: z − ẑ on a grid of 2^bits − 1 steps over one step of the first level. */
export function lvqEncodeResidual(z: Float32Array, first: LvqVector, bits: CodeBits): Uint8Array {
  const decoded = lvqDecode(first);
  const residual = z.map((x, j) => x - decoded[j]!);
  return quantise(residual, bits, -first.scale / 2, fround(first.scale / (2 ** bits - 1)));
}

/** z2_j = ẑ_j − scale / 2 + r_j · step. */
export function lvqDecodeTwoLevels(
  first: LvqVector,
  residual: Uint8Array,
  bits: CodeBits,
): Float32Array {
  const step = fround(first.scale / (2 ** bits - 1));
  return lvqDecode(first).map((x, j) => fround(x - first.scale / 2) + fround(residual[j]! * step));
}

/** The record: packed codes, scale and bias as binary16, the selector of the mean. */
export function lvqRecord(vector: LvqVector, bits: CodeBits, selector: number): Uint8Array {
  const packed = packCodes(vector.codes, bits);
  const record = new Uint8Array(packed.length + 5);
  record.set(packed);
  const constants = new DataView(record.buffer, packed.length);
  constants.setUint16(0, toHalf(vector.scale), true);
  constants.setUint16(2, toHalf(vector.bias), true);
  constants.setUint8(4, selector);
  return record;
}

/** What a record of n dimensions holds. */
export function parseLvqRecord(record: Uint8Array, n: number, bits: CodeBits): LvqVector {
  const constants = new DataView(record.buffer, record.byteOffset + codeBytes(n, bits), 4);
  return {
    scale: fromHalf(constants.getUint16(0, true)),
    bias: fromHalf(constants.getUint16(2, true)),
    codes: unpackCodes(record, n, bits),
  };
}
