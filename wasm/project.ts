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

/**
 * The int16 form of a vector, zero behind n up to a whole v128: length 32,767. Returns the factor
 * that undoes the scale.
 */
export function quantiseInput(x: usize, n: i32, out: usize): f32 {
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
  return <f32>(length / <f64>SCALE);
}

/**
 * 32 outputs of the projection, as integers. A function of its own, exported so that it stays one:
 * inlined in the loop over groups, V8 keeps the sums in memory and takes twice as long.
 */
export function projectGroup(input: usize, end: usize, packed: usize, out: usize): void {
  let s0 = i32x4.splat(0), s1 = i32x4.splat(0), s2 = i32x4.splat(0), s3 = i32x4.splat(0);
  let s4 = i32x4.splat(0), s5 = i32x4.splat(0), s6 = i32x4.splat(0), s7 = i32x4.splat(0);
  for (; input < end; input += 8, packed += 256) {
    let v = v128.load32_splat(input);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v, v128.load(packed)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v, v128.load(packed, 16)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v, v128.load(packed, 32)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v, v128.load(packed, 48)));
    s4 = i32x4.add(s4, i32x4.dot_i16x8_s(v, v128.load(packed, 64)));
    s5 = i32x4.add(s5, i32x4.dot_i16x8_s(v, v128.load(packed, 80)));
    s6 = i32x4.add(s6, i32x4.dot_i16x8_s(v, v128.load(packed, 96)));
    s7 = i32x4.add(s7, i32x4.dot_i16x8_s(v, v128.load(packed, 112)));
    v = v128.load32_splat(input, 4);
    s0 = i32x4.add(s0, i32x4.dot_i16x8_s(v, v128.load(packed, 128)));
    s1 = i32x4.add(s1, i32x4.dot_i16x8_s(v, v128.load(packed, 144)));
    s2 = i32x4.add(s2, i32x4.dot_i16x8_s(v, v128.load(packed, 160)));
    s3 = i32x4.add(s3, i32x4.dot_i16x8_s(v, v128.load(packed, 176)));
    s4 = i32x4.add(s4, i32x4.dot_i16x8_s(v, v128.load(packed, 192)));
    s5 = i32x4.add(s5, i32x4.dot_i16x8_s(v, v128.load(packed, 208)));
    s6 = i32x4.add(s6, i32x4.dot_i16x8_s(v, v128.load(packed, 224)));
    s7 = i32x4.add(s7, i32x4.dot_i16x8_s(v, v128.load(packed, 240)));
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
  v128.store(out, s2, 32);
  v128.store(out, s3, 48);
  v128.store(out, s4, 64);
  v128.store(out, s5, 80);
  v128.store(out, s6, 96);
  v128.store(out, s7, 112);
}

/**
 * The projection of an int16 vector (quantiseInput of n numbers, which returned `factor`) into
 * `slots` float32 at `out`.
 */
export function projectInput(
  input: usize, n: i32, factor: f32, packed: usize, slots: i32, out: usize,
): void {
  const end = input + (<usize>paddedInputs(n) << 1);
  const groupBytes = <usize>paddedInputs(n) << 6;
  const outEnd = out + (<usize>slots << 2);
  for (let group = out; group < outEnd; group += 128, packed += groupBytes) {
    projectGroup(input, end, packed, group);
  }
  const back = f32x4.splat(factor / SCALE);
  for (; out < outEnd; out += 16) {
    v128.store(out, f32x4.mul(f32x4.convert_i32x4_s(v128.load(out)), back));
  }
}

/** quantiseInput and projectInput; scratch: room for n int16, rounded up to whole v128. */
export function projectVector(
  x: usize, n: i32, packed: usize, slots: i32, scratch: usize, out: usize,
): void {
  projectInput(scratch, n, quantiseInput(x, n, scratch), packed, slots, out);
}
