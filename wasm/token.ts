// Token vectors as records. With d dimensions and `width` of them stored (zero behind d):
//   32 bits: width float32; 16 bits: width binary16;
//   8 and 4 bits: LVQ (lvq.ts) of the rotated token (rotate.ts), packed codes (pack.ts), then scale and
//   bias. Tokens of a model have few large dimensions: 4 bits lose a third less after the rotation.
// The constants are float32, four bytes more a token than binary16: lengths of tokens are not known
// beforehand, and float32 fits them all. The error is |x − x̂| ≤ scale / 2 (times 1.0001 for rounding) of
// the rotated numbers. Rotations leave dot products as they are, if the query is rotated too.

import { squaredLength } from './float';
import { fromHalf, toHalf } from './half';
import { codeBytes, packCodes, paddedDimensions, unpackCodes } from './pack';
import { rotate, rotateBack } from './rotate';

/** Dimensions of a record, with its padding. */
export function tokenWidth(d: i32, bits: i32): i32 {
  if (bits == 32) return (d + 3) & ~3;
  if (bits == 16) return (d + 7) & ~7;
  return bits == 8 ? (d + 15) & ~15 : (d + 31) & ~31;
}

/** Bytes of a record. */
export function tokenBytes(d: i32, bits: i32): i32 {
  if (bits == 32) return tokenWidth(d, bits) << 2;
  if (bits == 16) return tokenWidth(d, bits) << 1;
  return codeBytes(d, bits) + 8;
}

/** Bytes of a token as expandTokens leaves it; 0 with 32 bits, where records serve as they are. */
export function expandedBytes(d: i32, bits: i32): i32 {
  if (bits == 32) return 0;
  return tokenWidth(d, bits) << (bits == 16 ? 2 : 1);
}

/** LVQ of one row; z is the row, with −infinity behind d up to paddedDimensions(d). */
function encodeCodes(z: usize, d: i32, bits: i32, record: usize): void {
  let lows = v128.load32_splat(z), highs = lows;
  const whole = z + (<usize>(d & ~3) << 2), end = z + (<usize>d << 2);
  let at = z;
  for (; at < whole; at += 16) {
    const x = v128.load(at);
    lows = f32x4.pmin(lows, x);
    highs = f32x4.pmax(highs, x);
  }
  for (; at < end; at += 4) {
    const x = v128.load32_splat(at);
    lows = f32x4.pmin(lows, x);
    highs = f32x4.pmax(highs, x);
  }
  lows = f32x4.pmin(lows, v128.shuffle<i32>(lows, lows, 2, 3, 0, 1));
  highs = f32x4.pmax(highs, v128.shuffle<i32>(highs, highs, 2, 3, 0, 1));
  const low = min(f32x4.extract_lane(lows, 0), f32x4.extract_lane(lows, 1));
  const high = max(f32x4.extract_lane(highs, 0), f32x4.extract_lane(highs, 1));
  const step = (high - low) / <f32>((1 << bits) - 1);
  // Equal numbers, or so nearly equal that their step vanishes: all codes 0.
  const scale: f32 = step > 0 ? step : 1;
  packCodes(z, d, bits, low, scale, record);
  const constants = record + <usize>codeBytes(d, bits);
  store<f32>(constants, scale);
  store<f32>(constants, low, 4);
}

/**
 * Records of `count` rows of d float32, one after the other. row: room for paddedDimensions(d)
 * floats; signs: of the rotation that codes are made after, 0 for none. Numbers must be finite, their
 * sums too, and with 16 bits at most 65,504.
 */
export function encodeTokens(
  rows: usize, count: i32, d: i32, bits: i32, signs: usize, row: usize, records: usize,
): void {
  const rowBytes = <usize>d << 2, bytes = <usize>tokenBytes(d, bits);
  for (let i = d; i < paddedDimensions(d); i++) store<f32>(row + (<usize>i << 2), -Infinity);
  for (; count > 0; count--, rows += rowBytes, records += bytes) {
    if (bits == 32) {
      memory.copy(records, rows, rowBytes);
      memory.fill(records + rowBytes, 0, bytes - rowBytes);
    } else if (bits == 16) {
      for (let i: usize = 0; i < <usize>d; i++) {
        store<u16>(records + (i << 1), <u16>toHalf(load<f32>(rows + (i << 2))));
      }
      memory.fill(records + (<usize>d << 1), 0, bytes - (<usize>d << 1));
    } else {
      memory.copy(row, rows, rowBytes);
      if (signs != 0) rotate(row, signs, d);
      encodeCodes(row, d, bits, records);
    }
  }
}

/** The float32 that a record stands for, all its `width` numbers. */
function decodeToken(record: usize, d: i32, bits: i32, out: usize, bytesBuffer: usize): void {
  const width = <usize>tokenWidth(d, bits);
  if (bits == 32) {
    memory.copy(out, record, width << 2);
  } else if (bits == 16) {
    for (let i: usize = 0; i < width; i++) {
      store<f32>(out + (i << 2), fromHalf(load<u16>(record + (i << 1))));
    }
  } else {
    const constants = record + <usize>codeBytes(d, bits);
    const scale = load<f32>(constants), bias = load<f32>(constants, 4);
    unpackCodes(record, d, bits, bytesBuffer);
    for (let i: usize = 0; i < <usize>d; i++) {
      store<f32>(out + (i << 2), scale * <f32>load<u8>(bytesBuffer + i) + bias);
    }
  }
}

/**
 * `count` rows of d float32; signs as for encodeTokens, work: room for paddedDimensions(d) floats and
 * as many bytes.
 */
export function decodeTokens(
  records: usize, count: i32, d: i32, bits: i32, signs: usize, work: usize, rows: usize,
): void {
  const rowBytes = <usize>d << 2, bytes = <usize>tokenBytes(d, bits);
  for (; count > 0; count--, rows += rowBytes, records += bytes) {
    decodeToken(records, d, bits, work, work + (<usize>paddedDimensions(d) << 2));
    if (signs != 0) rotateBack(work, signs, d);
    memory.copy(rows, work, rowBytes);
  }
}

/**
 * The length of the longest of `count` tokens; NaN or infinity if one has a number that is neither
 * (padding included). work as for decodeTokens.
 */
export function longestToken(records: usize, count: i32, d: i32, bits: i32, work: usize): f64 {
  const bytes = <usize>tokenBytes(d, bits);
  const numbers = bits > 8 ? tokenWidth(d, bits) : d;
  let most: f64 = 0;
  for (; count > 0; count--, records += bytes) {
    decodeToken(records, d, bits, work, work + (<usize>paddedDimensions(d) << 2));
    const squared = squaredLength(work, numbers);
    // max() of NaN is NaN.
    most = max(most, squared);
  }
  return Math.sqrt(most);
}

/** binary16 → float32 of width numbers, exact; records hold no infinity or NaN. */
function expandHalf(record: usize, end: usize, out: usize): void {
  // 2^112 moves the exponent from bias 15 to bias 127 and normalises subnormals.
  const rebias = v128.splat<u32>(0x77800000);
  for (; record < end; record += 8, out += 16) {
    const h = v128.load_ext<u16>(record);
    const magnitude = i32x4.shl(v128.and(h, i32x4.splat(0x7fff)), 13);
    const sign = i32x4.shl(v128.and(h, i32x4.splat(0x8000)), 16);
    v128.store(out, v128.or(f32x4.mul(magnitude, rebias), sign));
  }
}

/** 8-bit codes → int16. */
function expandCodes8(codes: usize, end: usize, out: usize): void {
  for (; codes < end; codes += 16, out += 32) {
    const c = v128.load(codes);
    v128.store(out, i16x8.extend_low_i8x16_u(c));
    v128.store(out, i16x8.extend_high_i8x16_u(c), 16);
  }
}

/** 4-bit codes → int16. */
function expandCodes4(codes: usize, end: usize, out: usize): void {
  for (; codes < end; codes += 16, out += 64) {
    const v = v128.load(codes);
    const low = v128.and(v, i8x16.splat(15)), high = i8x16.shr_u(v, 4);
    v128.store(out, i16x8.extend_low_i8x16_u(low));
    v128.store(out, i16x8.extend_high_i8x16_u(low), 16);
    v128.store(out, i16x8.extend_low_i8x16_u(high), 32);
    v128.store(out, i16x8.extend_high_i8x16_u(high), 48);
  }
}

/** `count` tokens as float32 (16 bits) or their codes as int16 (8 and 4 bits), `width` numbers each. */
export function expandTokens(records: usize, count: i32, d: i32, bits: i32, out: usize): void {
  const bytes = <usize>tokenBytes(d, bits), outBytes = <usize>expandedBytes(d, bits);
  const used = bits == 16 ? bytes : bytes - 8;
  for (; count > 0; count--, records += bytes, out += outBytes) {
    if (bits == 16) expandHalf(records, records + used, out);
    else if (bits == 8) expandCodes8(records, records + used, out);
    else expandCodes4(records, records + used, out);
  }
}
