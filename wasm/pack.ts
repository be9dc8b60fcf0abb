// Layout of packed codes, shared by every codec. A block is 16 bytes and holds 128 / B dimensions:
//   B = 8 (and 7): byte a is dimension a;
//   B = 4: byte a holds dimension a in its low and 16 + a in its high nibble;
//   B = 2: byte a holds dimensions a, 16 + a, 32 + a, 48 + a from its low to its high bits;
//   B = 3: three blocks together hold 128 dimensions: two with the low bits of 64 each, as above,
//     and one with the high bits: byte a holds those of dimensions a, 16 + a … 112 + a.
// So one load, shifts and masks give sixteen dimensions in natural order (the v128 form of the
// "Turbo" layout, arXiv 2402.02044). A tail is padded to a whole block with code 0.

/** Bytes of the codes of n dimensions, padded to whole blocks. */
export function codeBytes(n: i32, bits: i32): i32 {
  if (bits == 2) return ((n + 63) >> 6) << 4;
  if (bits == 3) return ((n + 127) >> 7) * 48;
  if (bits == 4) return ((n + 31) >> 5) << 4;
  return ((n + 15) >> 4) << 4;
}

// @ts-ignore: decorator
@inline
function quantise4(z: usize, bias: v128, scale: v128, top: v128): v128 {
  const steps = f32x4.nearest(f32x4.div(f32x4.sub(v128.load(z), bias), scale));
  return i32x4.trunc_sat_f32x4_s(f32x4.min(f32x4.max(steps, f32x4.splat(0)), top));
}

/** clamp(round((z − bias) / scale), 0, top) of sixteen float32 as sixteen bytes; ties to even. */
// @ts-ignore: decorator
@inline
export function quantise16(z: usize, bias: v128, scale: v128, top: v128): v128 {
  const a = i16x8.narrow_i32x4_s(quantise4(z, bias, scale, top), quantise4(z + 16, bias, scale, top));
  const b = i16x8.narrow_i32x4_s(quantise4(z + 32, bias, scale, top), quantise4(z + 48, bias, scale, top));
  return i8x16.narrow_i16x8_u(a, b);
}

/** Groups of sixteen dimensions among `n` (rounded up to 64), at most the eight of a 3-bit block. */
// @ts-ignore: decorator
@inline
export function groups3(n: i32): i32 {
  return n > 64 ? 8 : 4;
}

/** The 3-bit codes of group g of a block of 48 bytes. */
// @ts-ignore: decorator
@inline
export function codes3(block: usize, g: i32): v128 {
  const low = i16x8.shr_u(v128.load(block + (<usize>(g >> 2) << 4)), (g & 3) << 1);
  const high = i16x8.shr_u(v128.load(block, 32), g);
  const shifted = i8x16.shl(v128.and(high, i8x16.splat(1)), 2);
  return v128.or(v128.and(low, i8x16.splat(3)), shifted);
}

/** packCodes for 3 bits. */
function packCodes3(z: usize, n: i32, bias: v128, scale: v128, top: v128, out: usize): void {
  for (; n > 0; n -= 128, out += 48, z += 512) {
    let low0 = i8x16.splat(0), low1 = low0, high = low0;
    for (let g = 0; g < groups3(n); g++) {
      const c = quantise16(z + (<usize>g << 6), bias, scale, top);
      const low = i8x16.shl(v128.and(c, i8x16.splat(3)), (g & 3) << 1);
      if (g < 4) low0 = v128.or(low0, low);
      else low1 = v128.or(low1, low);
      high = v128.or(high, i8x16.shl(i8x16.shr_u(c, 2), g));
    }
    v128.store(out, low0);
    v128.store(out, low1, 16);
    v128.store(out, high, 32);
  }
}

/**
 * Codes of n float32 into `out`. z must be readable up to a whole block of dimensions; what lies
 * behind dimension n must be −infinity (code 0) or whatever the caller wants there.
 */
export function packCodes(z: usize, n: i32, bits: i32, bias: f32, scale: f32, out: usize): void {
  const b = f32x4.splat(bias), s = f32x4.splat(scale);
  const top = f32x4.splat(<f32>((1 << bits) - 1));
  const end = out + <usize>codeBytes(n, bits);
  if (bits == 3) {
    packCodes3(z, n, b, s, top, out);
  } else if (bits == 2) {
    for (; out < end; out += 16, z += 256) {
      const c0 = quantise16(z, b, s, top), c1 = quantise16(z + 64, b, s, top);
      const c2 = quantise16(z + 128, b, s, top), c3 = quantise16(z + 192, b, s, top);
      const low = v128.or(c0, i8x16.shl(c1, 2));
      v128.store(out, v128.or(low, v128.or(i8x16.shl(c2, 4), i8x16.shl(c3, 6))));
    }
  } else if (bits == 4) {
    for (; out < end; out += 16, z += 128) {
      const c0 = quantise16(z, b, s, top), c1 = quantise16(z + 64, b, s, top);
      v128.store(out, v128.or(c0, i8x16.shl(c1, 4)));
    }
  } else {
    for (; out < end; out += 16, z += 64) v128.store(out, quantise16(z, b, s, top));
  }
}

/** Unpacks the codes of n dimensions (rounded up to whole blocks) into one byte each. */
export function unpackCodes(codes: usize, n: i32, bits: i32, out: usize): void {
  const end = codes + <usize>codeBytes(n, bits);
  if (bits == 3) {
    for (; n > 0; n -= 128, codes += 48, out += 128) {
      for (let g = 0; g < groups3(n); g++) v128.store(out + (<usize>g << 4), codes3(codes, g));
    }
  } else if (bits == 2) {
    const three = i8x16.splat(3);
    for (; codes < end; codes += 16, out += 64) {
      const v = v128.load(codes);
      v128.store(out, v128.and(v, three));
      v128.store(out, v128.and(i8x16.shr_u(v, 2), three), 16);
      v128.store(out, v128.and(i8x16.shr_u(v, 4), three), 32);
      v128.store(out, i8x16.shr_u(v, 6), 48);
    }
  } else if (bits == 4) {
    for (; codes < end; codes += 16, out += 32) {
      const v = v128.load(codes);
      v128.store(out, v128.and(v, i8x16.splat(15)));
      v128.store(out, i8x16.shr_u(v, 4), 16);
    }
  } else {
    memory.copy(out, codes, end - codes);
  }
}

/** Floats that a buffer of n dimensions must hold so that packing may read whole blocks. */
// @ts-ignore: decorator
@inline
export function paddedDimensions(n: i32): i32 {
  return (n + 63) & ~63;
}
