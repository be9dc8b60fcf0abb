// Compressed KV-caches: coefficients of 16 tokens (a tile) as codes, component after component, each
// with its own width of 0 … 8 bits. A component of width w takes 2 w bytes: strips of 8, 4, 2 and 1
// bits, as w is a sum of these, the lowest bits of its codes in the widest strip.
//   8 bits: byte t is token t;
//   4 bits: byte t holds token t in its low and 8 + t in its high nibble;
//   2 bits: byte t holds tokens t, 4 + t, 8 + t, 12 + t from its low to its high bits;
//   1 bit: bit t of the 16 is token t.
// A value is step · (code − (2^w − 1) / 2).
// Unpacked, a tile is two panels (matrix.ts) of 8 tokens: a row of 8 float32 a component.

import { fromHalf, toHalf } from './half';

/** 0 … 2^w − 1 of sixteen float32 in units of a step, as bytes; ties to even. */
// @ts-ignore: decorator
@inline
function quantise16(low: usize, high: usize, scale: v128, offset: v128, top: v128): v128 {
  const zero = f32x4.splat(0);
  const a = f32x4.nearest(f32x4.add(f32x4.mul(v128.load(low), scale), offset));
  const b = f32x4.nearest(f32x4.add(f32x4.mul(v128.load(low, 16), scale), offset));
  const c = f32x4.nearest(f32x4.add(f32x4.mul(v128.load(high), scale), offset));
  const d = f32x4.nearest(f32x4.add(f32x4.mul(v128.load(high, 16), scale), offset));
  const ab = i16x8.narrow_i32x4_s(
    i32x4.trunc_sat_f32x4_s(f32x4.min(f32x4.max(a, zero), top)),
    i32x4.trunc_sat_f32x4_s(f32x4.min(f32x4.max(b, zero), top)),
  );
  const cd = i16x8.narrow_i32x4_s(
    i32x4.trunc_sat_f32x4_s(f32x4.min(f32x4.max(c, zero), top)),
    i32x4.trunc_sat_f32x4_s(f32x4.min(f32x4.max(d, zero), top)),
  );
  return i8x16.narrow_i16x8_u(ab, cd);
}

/** Writes sixteen codes of `width` bits as strips; returns the end. */
// @ts-ignore: decorator
@inline
function storeStrips(codes: v128, width: i32, out: usize): usize {
  if (width & 8) {
    v128.store(out, codes);
    return out + 16;
  }
  if (width & 4) {
    const nibbles = v128.and(codes, i8x16.splat(15));
    const high = i8x16.shl(v128.shuffle<i64>(nibbles, nibbles, 1, 0), 4);
    v128.store64_lane(out, v128.or(nibbles, high), 0);
    codes = i8x16.shr_u(codes, 4);
    out += 8;
  }
  if (width & 2) {
    const pairs = v128.and(codes, i8x16.splat(3));
    const b = i8x16.shl(v128.shuffle<i32>(pairs, pairs, 1, 1, 1, 1), 2);
    const c = i8x16.shl(v128.shuffle<i32>(pairs, pairs, 2, 2, 2, 2), 4);
    const d = i8x16.shl(v128.shuffle<i32>(pairs, pairs, 3, 3, 3, 3), 6);
    v128.store32_lane(out, v128.or(v128.or(pairs, b), v128.or(c, d)), 0);
    codes = i8x16.shr_u(codes, 2);
    out += 4;
  }
  if (width & 1) {
    store<u16>(out, <u16>i8x16.bitmask(i8x16.ne(v128.and(codes, i8x16.splat(1)), i8x16.splat(0))));
    out += 2;
  }
  return out;
}

/** The sixteen codes of a component of `width` bits. */
// @ts-ignore: decorator
@inline
export function loadStrips(from: usize, width: i32): v128 {
  if (width & 8) return v128.load(from);
  let codes = i8x16.splat(0), shift = 0;
  if (width & 4) {
    const v = v128.load64_zero(from);
    codes = v128.shuffle<i64>(v128.and(v, i8x16.splat(15)), i8x16.shr_u(v, 4), 0, 2);
    shift = 4;
    from += 8;
  }
  if (width & 2) {
    const v = v128.load32_splat(from);
    const ab = v128.shuffle<i32>(v, i8x16.shr_u(v, 2), 0, 5, 0, 5);
    const cd = v128.shuffle<i32>(i8x16.shr_u(v, 4), i8x16.shr_u(v, 6), 0, 5, 0, 5);
    const pairs = v128.and(v128.shuffle<i64>(ab, cd, 0, 2), i8x16.splat(3));
    codes = v128.or(codes, i8x16.shl(pairs, shift));
    shift += 2;
    from += 4;
  }
  if (width & 1) {
    const v = v128.load16_splat(from);
    const bytes = v128.shuffle<i8>(v, v, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
    const bits = v128.and(bytes, i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128));
    const ones = v128.and(i8x16.ne(bits, i8x16.splat(0)), i8x16.splat(1));
    codes = v128.or(codes, i8x16.shl(ones, shift));
  }
  return codes;
}

/**
 * Codes a tile: n components in two panels, with a width (u8) and a step (f32) each. Returns the end
 * of what it wrote.
 */
export function kvEncode(panels: usize, n: i32, widths: usize, steps: usize, tile: usize): usize {
  const second = panels + (<usize>n << 5);
  for (let j: usize = 0; j < <usize>n; j++) {
    const width = <i32>load<u8>(widths + j);
    const top = <f32>((1 << width) - 1);
    const scale = f32x4.splat(<f32>1 / load<f32>(steps + (j << 2)));
    const middle = f32x4.splat(top * <f32>0.5);
    const row = j << 5;
    const codes = quantise16(panels + row, second + row, scale, middle, f32x4.splat(top));
    tile = storeStrips(codes, width, tile);
  }
  return tile;
}

/** The two panels of a tile's n components: what kvEncode coded, to half a step. */
export function kvDecode(tile: usize, n: i32, widths: usize, steps: usize, panels: usize): void {
  const second = panels + (<usize>n << 5);
  for (let j: usize = 0; j < <usize>n; j++) {
    const width = <i32>load<u8>(widths + j);
    const step = load<f32>(steps + (j << 2));
    const scale = f32x4.splat(step);
    const middle = f32x4.splat(<f32>((1 << width) - 1) * <f32>0.5);
    const codes = loadStrips(tile, width);
    tile += <usize>width << 1;
    const low = i16x8.extend_low_i8x16_u(codes), high = i16x8.extend_high_i8x16_u(codes);
    const a = f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(low));
    const b = f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(low));
    const c = f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(high));
    const d = f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(high));
    const row = j << 5;
    v128.store(panels + row, f32x4.mul(f32x4.sub(a, middle), scale));
    v128.store(panels + row, f32x4.mul(f32x4.sub(b, middle), scale), 16);
    v128.store(second + row, f32x4.mul(f32x4.sub(c, middle), scale));
    v128.store(second + row, f32x4.mul(f32x4.sub(d, middle), scale), 16);
  }
}

/**
 * Puts rows of coefficients (`stride` floats from one to the next) into a tile's panels, as tokens
 * `slot`, slot + 1 ….
 */
export function kvToPanels(
  rows: usize, count: i32, stride: i32, n: i32, slot: i32, panels: usize,
): void {
  for (let r = 0; r < count; r++, rows += <usize>stride << 2) {
    const t = slot + r;
    let to = panels + (<usize>(t >> 3) * <usize>n << 5) + (<usize>(t & 7) << 2);
    for (let j: usize = 0; j < <usize>n; j++, to += 32) store<f32>(to, load<f32>(rows + (j << 2)));
  }
}

/** n float32 as binary16. */
export function kvToHalves(from: usize, n: i32, to: usize): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    store<u16>(to + (i << 1), <u16>toHalf(load<f32>(from + (i << 2))));
  }
}

/** Four finite binary16, in 32 bits each, as float32. */
// @ts-ignore: decorator
@inline
function fromHalves4(h: v128): v128 {
  const sign = i32x4.shl(v128.and(h, i32x4.splat(0x8000)), 16);
  const magnitude = i32x4.shl(v128.and(h, i32x4.splat(0x7fff)), 13);
  // 2^112 moves the exponent from bias 15 to bias 127 and normalises subnormals, as in half.ts.
  return v128.or(f32x4.mul(magnitude, i32x4.splat(0x77800000)), sign);
}

/** n finite binary16 as float32. */
export function kvFromHalves(from: usize, n: i32, to: usize): void {
  for (; n >= 8; n -= 8, from += 16, to += 32) {
    const h = v128.load(from);
    v128.store(to, fromHalves4(i32x4.extend_low_i16x8_u(h)));
    v128.store(to, fromHalves4(i32x4.extend_high_i16x8_u(h)), 16);
  }
  for (; n > 0; n--, from += 2, to += 4) store<f32>(to, fromHalf(<u32>load<u16>(from)));
}
