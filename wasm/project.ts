// The projection of queries and vectors: orthonormal rows as int16, which halves the memory that a
// query has to stream and uses the integer dot. Row and vector are scaled to length 32,767, so no
// partial sum exceeds 32,767² < 2^31 (Cauchy–Schwarz); each result errs by about 9e-6 of the
// vector's length, far below what any primary code does.
//
// Layout: groups of 32 outputs; in a group, for each pair of inputs (k, k + 1), eight v128 of
// [w(k, o), w(k + 1, o)] for four outputs o each.

import { squaredLength } from './float';

const SCALE: f32 = 32767;

/** Inputs rounded up to whole v128 of int16. */
// @ts-ignore: decorator
@inline
function paddedInputs(n: i32): i32 {
  return (n + 7) & ~7;
}

/** Bytes of a packed projection of n inputs and `slots` (a multiple of 32) outputs. */
export function projectionBytes(n: i32, slots: i32): i32 {
  return paddedInputs(n) * slots * 2;
}

/**
 * Puts one row of the projection (n float32 of length at most 1) in its slot. `packed` is zeroed
 * memory of projectionBytes.
 */
export function packProjectionRow(row: usize, n: i32, slot: i32, packed: usize): void {
  const group = packed + <usize>(slot >> 5) * (<usize>paddedInputs(n) << 6);
  const lane = <usize>((slot & 31) >> 2 << 4) + <usize>((slot & 3) << 2);
  for (let k = 0; k < n; k++) {
    const w = nearest(load<f32>(row + (<usize>k << 2)) * SCALE);
    const at = group + (<usize>(k >> 1) << 7) + lane + <usize>((k & 1) << 1);
    store<i16>(at, <i16>max(-SCALE, min(SCALE, w)));
  }
}

/** The int16 form of a vector and the factor that undoes both scales. */
// @ts-ignore: decorator
@inline
function quantiseInput(x: usize, n: i32, out: usize): f32 {
  const length = Math.sqrt(squaredLength(x, n));
  const factor = f32x4.splat(length > 0 ? <f32>(<f64>SCALE / length) : 0);
  const whole = n & ~7;
  for (let i = 0; i < whole; i += 8, x += 32, out += 16) {
    const a = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x), factor)));
    const b = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(x, 16), factor)));
    v128.store(out, i16x8.narrow_i32x4_s(a, b));
  }
  if (whole < n) {
    v128.store(out, i16x8.splat(0));
    for (let i = whole; i < n; i++, x += 4, out += 2) {
      store<i16>(out, <i16>nearest(load<f32>(x) * f32x4.extract_lane(factor, 0)));
    }
  }
  return <f32>(length / (<f64>SCALE * <f64>SCALE));
}

/**
 * The projection of n float32 into `slots` float32 at `out`. scratch: room for n int16, rounded up
 * to whole v128.
 */
export function projectVector(
  x: usize, n: i32, packed: usize, slots: i32, scratch: usize, out: usize,
): void {
  const back = f32x4.splat(quantiseInput(x, n, scratch));
  const end = scratch + (<usize>paddedInputs(n) << 1);
  for (let group = 0; group < slots; group += 32, out += 128) {
    let s0 = i32x4.splat(0), s1 = i32x4.splat(0), s2 = i32x4.splat(0), s3 = i32x4.splat(0);
    let s4 = i32x4.splat(0), s5 = i32x4.splat(0), s6 = i32x4.splat(0), s7 = i32x4.splat(0);
    for (let q = scratch; q < end; q += 4, packed += 128) {
      const v = v128.load32_splat(q);
      s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v, v128.load(packed)));
      s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v, v128.load(packed, 16)));
      s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v, v128.load(packed, 32)));
      s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v, v128.load(packed, 48)));
      s4 = i32x4.add(s4, i32x4.dot_i16x8_s(v, v128.load(packed, 64)));
      s5 = i32x4.add(s5, i32x4.dot_i16x8_s(v, v128.load(packed, 80)));
      s6 = i32x4.add(s6, i32x4.dot_i16x8_s(v, v128.load(packed, 96)));
      s7 = i32x4.add(s7, i32x4.dot_i16x8_s(v, v128.load(packed, 112)));
    }
    v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(s0), back));
    v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(s1), back), 16);
    v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(s2), back), 32);
    v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(s3), back), 48);
    v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(s4), back), 64);
    v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(s5), back), 80);
    v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(s6), back), 96);
    v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(s7), back), 112);
  }
}
