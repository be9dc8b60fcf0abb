// LVQ, locally-adaptive vector quantization (arXiv 2304.04759, sections 3 and 4).
// A record is: packed codes, scale and bias as binary16, the mean's selector (one byte).
// Min–max interval of the centred vector z; codes are taken with the rounded constants, so the
// error is |z − ẑ| ≤ scale / 2 (times 1.003 for float32 rounding). Where |l| is so large against
// u − l that rounding the constants to nearest would clip, they are rounded outwards instead.

import { codeBytes, packCodes, paddedDimensions, unpackCodes } from './pack';
import { fromHalf, halfBelow, roundToHalf, toHalf } from './half';

/** Bytes of a record without padding: the codes and five bytes of constants. */
export function lvqRecordBytes(n: i32, bits: i32): i32 {
  return codeBytes(n, bits) + 5;
}

// @ts-ignore: decorator
@inline
export function lvqScale(record: usize, bytes: usize): f32 {
  return fromHalf(load<u16>(record + bytes));
}

// @ts-ignore: decorator
@inline
export function lvqBias(record: usize, bytes: usize): f32 {
  return fromHalf(load<u16>(record + bytes, 2));
}

/**
 * Encodes n float32 (already centred) into a record. z must have room for paddedDimensions(n)
 * floats: what lies behind n is overwritten with −infinity. Returns 0 where the constants do not
 * fit binary16 (|z| above 65,504), else 1.
 */
export function lvqEncode(z: usize, n: i32, bits: i32, selector: i32, record: usize): i32 {
  let low = load<f32>(z), high = low;
  for (let i = 1; i < n; i++) {
    const x = load<f32>(z + (<usize>i << 2));
    low = min(low, x);
    high = max(high, x);
  }
  for (let i = n; i < paddedDimensions(n); i++) store<f32>(z + (<usize>i << 2), -Infinity);
  const steps = <f32>((1 << bits) - 1);
  let bias = roundToHalf(low);
  // An almost constant vector has no step that binary16 can hold (paper's released constant).
  const flat = high - low <= <f32>7e-5 * steps;
  let scale: f32 = flat ? 1 : roundToHalf((high - low) / steps);
  if (max(bias - low, high - (bias + steps * scale)) > scale * <f32>0.5) {
    bias = halfBelow(low);
    scale = -halfBelow((bias - high) / steps);
  }
  packCodes(z, n, bits, bias, scale, record);
  const constants = record + <usize>codeBytes(n, bits);
  store<u16>(constants, <u16>toHalf(scale));
  store<u16>(constants, <u16>toHalf(bias), 2);
  store<u8>(constants, <u8>selector, 4);
  return i32(abs(bias) < Infinity && scale < Infinity);
}

/** ẑ_j = scale · c_j + bias for n dimensions; out must hold paddedDimensions(n) floats. */
export function lvqDecode(record: usize, n: i32, bits: i32, out: usize, bytesBuffer: usize): void {
  const bytes = <usize>codeBytes(n, bits);
  const scale = lvqScale(record, bytes), bias = lvqBias(record, bytes);
  unpackCodes(record, n, bits, bytesBuffer);
  for (let i: usize = 0; i < <usize>n; i++) {
    store<f32>(out + (i << 2), scale * <f32>load<u8>(bytesBuffer + i) + bias);
  }
}

/**
 * Second level (section 4): residual codes of B2 bits on the grid step = scale / (2^B2 − 1) over
 * one first-level step. z as in lvqEncode; scratch holds paddedDimensions(n) floats and bytes.
 */
export function lvqEncodeResidual(
  z: usize, n: i32, bits: i32, record: usize, bits2: i32, out: usize, scratch: usize,
): void {
  const bytes = <usize>codeBytes(n, bits);
  const scale = lvqScale(record, bytes);
  const step = scale / <f32>((1 << bits2) - 1);
  const padded = paddedDimensions(n);
  lvqDecode(record, n, bits, scratch, scratch + (<usize>padded << 2));
  for (let i = 0; i < padded; i++) {
    const p = scratch + (<usize>i << 2);
    store<f32>(p, i < n ? load<f32>(z + (<usize>i << 2)) - load<f32>(p) : -Infinity);
  }
  packCodes(scratch, n, bits2, -scale * <f32>0.5, step, out);
}

/** z2_j = ẑ_j − scale / 2 + r_j · step. out as in lvqDecode. */
export function lvqDecodeTwoLevels(
  record: usize, n: i32, bits: i32, residual: usize, bits2: i32, out: usize, bytesBuffer: usize,
): void {
  lvqDecode(record, n, bits, out, bytesBuffer);
  const scale = lvqScale(record, <usize>codeBytes(n, bits));
  const step = scale / <f32>((1 << bits2) - 1);
  unpackCodes(residual, n, bits2, bytesBuffer);
  for (let i: usize = 0; i < <usize>n; i++) {
    const p = out + (i << 2);
    store<f32>(p, load<f32>(p) - scale * <f32>0.5 + <f32>load<u8>(bytesBuffer + i) * step);
  }
}
