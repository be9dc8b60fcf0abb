// Dot products of packed codes: integer × integer for traversal and building, float32 × integer
// for the re-rank. The integer ones are exact, so every binary gives the same bits.

import { sumLanes } from './float';
import { codeBytes, codes3, groups3 } from './pack';

// @ts-ignore: decorator
@inline
export function sumI32(v: v128): i32 {
  const pairs = i32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

/**
 * The products of a (signed bytes) and b (0 … 127), two a lane of eight i16: 2 · 128 · 127 fits.
 * Which two share a lane differs between the binaries; the total of the lanes does not.
 */
// @ts-ignore: decorator
@inline
function dot16(a: v128, b: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return v128.relaxed_dot<i16>(a, b);
  return i16x8.add(i16x8.extmul_low_i8x16_s(a, b), i16x8.extmul_high_i8x16_s(a, b));
}

/** acc + the products of a and b, in eight i16 lanes. */
// @ts-ignore: decorator
@inline
export function addDot16(acc: v128, a: v128, b: v128): v128 {
  return i16x8.add(acc, dot16(a, b));
}

/**
 * acc + the products of a and b, in four i32 lanes. Relaxed SIMD has one instruction for it, but
 * Node 20's baseline compiler (V8 11.3, x64) takes the wrong accumulator: its results are wrong
 * until the function is optimised.
 */
// @ts-ignore: decorator
@inline
export function addDot32(acc: v128, a: v128, b: v128): v128 {
  return i32x4.add(acc, i32x4.extadd_pairwise_i16x8_s(dot16(a, b)));
}

/** The four dots of one block of sixty-four 2-bit codes, into i16 lanes. */
// @ts-ignore: decorator
@inline
function block2(acc: v128, q: usize, codes: usize): v128 {
  const v = v128.load(codes), three = i8x16.splat(3);
  acc = addDot16(acc, v128.load(q), v128.and(v, three));
  acc = addDot16(acc, v128.load(q, 16), v128.and(i16x8.shr_u(v, 2), three));
  acc = addDot16(acc, v128.load(q, 32), v128.and(i16x8.shr_u(v, 4), three));
  return addDot16(acc, v128.load(q, 48), v128.and(i16x8.shr_u(v, 6), three));
}

/**
 * Σ q_j c_j of n 2-bit codes and a query of signed bytes, zero behind n up to a whole block.
 * A lane takes 8 products of at most 3 · 128 a block: 4 blocks (12,288) stay far below 2^15.
 */
// @ts-ignore: decorator
@inline
export function dotQuery2(q: usize, codes: usize, blocks: i32): i32 {
  let total = i32x4.splat(0);
  while (blocks >= 4) {
    let acc = block2(i16x8.splat(0), q, codes);
    acc = block2(acc, q + 64, codes + 16);
    acc = block2(acc, q + 128, codes + 32);
    acc = block2(acc, q + 192, codes + 48);
    total = i32x4.add(total, i32x4.extadd_pairwise_i16x8_s(acc));
    q += 256;
    codes += 64;
    blocks -= 4;
  }
  let rest = i16x8.splat(0);
  for (; blocks > 0; blocks--, q += 64, codes += 16) rest = block2(rest, q, codes);
  return sumI32(i32x4.add(total, i32x4.extadd_pairwise_i16x8_s(rest)));
}

/**
 * The same for 4-bit codes. A lane takes 4 products of at most 15 · 128 a block: 4 blocks
 * (30,720) fit before widening.
 */
// @ts-ignore: decorator
@inline
export function dotQuery4(q: usize, codes: usize, blocks: i32): i32 {
  const low = i8x16.splat(15);
  let total = i32x4.splat(0);
  while (blocks > 0) {
    let acc = i16x8.splat(0);
    const chunk = min(blocks, 4);
    for (let i = 0; i < chunk; i++, q += 32, codes += 16) {
      const v = v128.load(codes);
      acc = addDot16(acc, v128.load(q), v128.and(v, low));
      acc = addDot16(acc, v128.load(q, 16), v128.and(i16x8.shr_u(v, 4), low));
    }
    total = i32x4.add(total, i32x4.extadd_pairwise_i16x8_s(acc));
    blocks -= chunk;
  }
  return sumI32(total);
}

/** The same for n 3-bit codes; the query is read up to n rounded up to 64. */
function dotQuery3(q: usize, codes: usize, n: i32): i32 {
  let sum = i32x4.splat(0);
  for (; n > 0; n -= 128, codes += 48, q += 128) {
    for (let g = 0; g < groups3(n); g++) {
      sum = addDot32(sum, v128.load(q + (<usize>g << 4)), codes3(codes, g));
    }
  }
  return sumI32(sum);
}

/** The same for codes of up to 7 bits in a byte each. */
// @ts-ignore: decorator
@inline
export function dotQuery7(q: usize, codes: usize, blocks: i32): i32 {
  let s0 = i32x4.splat(0), s1 = i32x4.splat(0);
  for (; blocks >= 2; blocks -= 2, q += 32, codes += 32) {
    s0 = addDot32(s0, v128.load(q), v128.load(codes));
    s1 = addDot32(s1, v128.load(q, 16), v128.load(codes, 16));
  }
  if (blocks > 0) s0 = addDot32(s0, v128.load(q), v128.load(codes));
  return sumI32(i32x4.add(s0, s1));
}

/** Σ u_j (c_j − 128) of 8-bit codes c and a query u of 0 … 127. */
// @ts-ignore: decorator
@inline
export function dotQuery8(u: usize, codes: usize, blocks: i32): i32 {
  const flip = i8x16.splat(-128);
  let s0 = i32x4.splat(0), s1 = i32x4.splat(0);
  for (; blocks >= 2; blocks -= 2, u += 32, codes += 32) {
    s0 = addDot32(s0, v128.xor(v128.load(codes), flip), v128.load(u));
    s1 = addDot32(s1, v128.xor(v128.load(codes, 16), flip), v128.load(u, 16));
  }
  if (blocks > 0) s0 = addDot32(s0, v128.xor(v128.load(codes), flip), v128.load(u));
  return sumI32(i32x4.add(s0, s1));
}

/** Σ q_j c_j over n dimensions: bits 2, 4 or 7 with signed query bytes, 8 as in dotQuery8. */
export function dotQueryCodes(q: usize, codes: usize, n: i32, bits: i32): i32 {
  const blocks = codeBytes(n, bits) >> 4;
  if (bits == 2) return dotQuery2(q, codes, blocks);
  if (bits == 4) return dotQuery4(q, codes, blocks);
  if (bits == 3) return dotQuery3(q, codes, n);
  if (bits == 7) return dotQuery7(q, codes, blocks);
  return dotQuery8(q, codes, blocks);
}

// @ts-ignore: decorator
@inline
function addPair8(acc: v128, a: v128, b: v128): v128 {
  acc = i32x4.add(acc, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(a), i16x8.extend_low_i8x16_u(b)));
  return i32x4.add(acc, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(a), i16x8.extend_high_i8x16_u(b)));
}

/** Σ a_j b_j of two vectors of codes with the same layout (8, 4, 3 or 2 bits); n up to 33,000. */
export function dotCodePair(a: usize, b: usize, n: i32, bits: i32): i32 {
  const end = a + <usize>codeBytes(n, bits);
  let s0 = i32x4.splat(0), s1 = i32x4.splat(0);
  if (bits == 8) {
    for (; a + 32 <= end; a += 32, b += 32) {
      s0 = addPair8(s0, v128.load(a), v128.load(b));
      s1 = addPair8(s1, v128.load(a, 16), v128.load(b, 16));
    }
    if (a < end) s0 = addPair8(s0, v128.load(a), v128.load(b));
    return sumI32(i32x4.add(s0, s1));
  }
  if (bits == 3) {
    for (; n > 0; n -= 128, a += 48, b += 48) {
      for (let g = 0; g < groups3(n); g++) s0 = addDot32(s0, codes3(a, g), codes3(b, g));
    }
    return sumI32(s0);
  }
  const mask = i8x16.splat(<i8>(bits == 4 ? 15 : 3));
  for (; a < end; a += 16, b += 16) {
    const va = v128.load(a), vb = v128.load(b);
    let products = addDot16(i16x8.splat(0), v128.and(va, mask), v128.and(vb, mask));
    for (let shift = bits; shift < 8; shift += bits) {
      const sa = v128.and(i16x8.shr_u(va, shift), mask);
      products = addDot16(products, sa, v128.and(i16x8.shr_u(vb, shift), mask));
    }
    s0 = i32x4.add(s0, i32x4.extadd_pairwise_i16x8_s(products));
  }
  return sumI32(s0);
}

/** sumCodes for 3 bits. */
function sumCodes3(codes: usize, n: i32): i32 {
  let sum = i32x4.splat(0);
  for (; n > 0; n -= 128, codes += 48) {
    for (let g = 0; g < groups3(n); g++) {
      const pairs = i16x8.extadd_pairwise_i8x16_u(codes3(codes, g));
      sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_u(pairs));
    }
  }
  return sumI32(sum);
}

/** Σ c_j over n dimensions. */
export function sumCodes(codes: usize, n: i32, bits: i32): i32 {
  const end = codes + <usize>codeBytes(n, bits);
  if (bits == 3) return sumCodes3(codes, n);
  const ones: i32 = (1 << bits) - 1;
  const mask = i8x16.splat(<i8>ones);
  let sum = i32x4.splat(0);
  for (; codes < end; codes += 16) {
    const v = v128.load(codes);
    for (let shift = 0; shift + bits <= 8; shift += bits) {
      const c = v128.and(i16x8.shr_u(v, shift), mask);
      sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(c)));
    }
  }
  return sumI32(sum);
}

// @ts-ignore: decorator
@inline
function addMixed(acc: v128, q: usize, c: v128): v128 {
  const low = i16x8.extend_low_i8x16_u(c), high = i16x8.extend_high_i8x16_u(c);
  const c0 = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(low));
  const c1 = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(low));
  const c2 = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(high));
  const c3 = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(high));
  const t0 = f32x4.add(f32x4.mul(v128.load(q), c0), f32x4.mul(v128.load(q, 16), c1));
  const t1 = f32x4.add(f32x4.mul(v128.load(q, 32), c2), f32x4.mul(v128.load(q, 48), c3));
  return f32x4.add(acc, f32x4.add(t0, t1));
}

/** Σ q_j c_j of a float32 query (zero behind n up to a whole block) and n codes. */
export function dotFloatCodes(q: usize, codes: usize, n: i32, bits: i32): f32 {
  const end = codes + <usize>codeBytes(n, bits);
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0);
  if (bits > 4) {
    for (; codes + 32 <= end; codes += 32, q += 128) {
      s0 = addMixed(s0, q, v128.load(codes));
      s1 = addMixed(s1, q + 64, v128.load(codes, 16));
    }
    if (codes < end) s0 = addMixed(s0, q, v128.load(codes));
  } else if (bits == 4) {
    for (; codes < end; codes += 16, q += 128) {
      const v = v128.load(codes);
      s0 = addMixed(s0, q, v128.and(v, i8x16.splat(15)));
      s1 = addMixed(s1, q + 64, i8x16.shr_u(v, 4));
    }
  } else if (bits == 3) {
    for (; n > 0; n -= 128, codes += 48, q += 512) {
      for (let g = 0; g < groups3(n); g++) s0 = addMixed(s0, q + (<usize>g << 6), codes3(codes, g));
    }
  } else {
    const three = i8x16.splat(3);
    for (; codes < end; codes += 16, q += 256) {
      const v = v128.load(codes);
      s0 = addMixed(s0, q, v128.and(v, three));
      s1 = addMixed(s1, q + 64, v128.and(i8x16.shr_u(v, 2), three));
      s0 = addMixed(s0, q + 128, v128.and(i8x16.shr_u(v, 4), three));
      s1 = addMixed(s1, q + 192, i8x16.shr_u(v, 6));
    }
  }
  return sumLanes(f32x4.add(s0, s1));
}

// @ts-ignore: decorator
@inline
function addShort(acc: v128, q: usize, c: v128): v128 {
  acc = i32x4.add(acc, i32x4.dot_i16x8_s(v128.load(q), i16x8.extend_low_i8x16_u(c)));
  return i32x4.add(acc, i32x4.dot_i16x8_s(v128.load(q, 16), i16x8.extend_high_i8x16_u(c)));
}

/**
 * Σ q_j c_j of an int16 query (zero behind n up to a whole block) and n codes of 8 or 4 bits. With
 * a query of length 32,767 no partial sum exceeds 32,767 · 255 · √16,384 < 2^31 (Cauchy–Schwarz).
 */
export function dotShortCodes(q: usize, codes: usize, n: i32, bits: i32): i32 {
  const end = codes + <usize>codeBytes(n, bits);
  let s0 = i32x4.splat(0), s1 = i32x4.splat(0);
  if (bits == 4) {
    for (; codes < end; codes += 16, q += 64) {
      const v = v128.load(codes);
      s0 = addShort(s0, q, v128.and(v, i8x16.splat(15)));
      s1 = addShort(s1, q + 32, i8x16.shr_u(v, 4));
    }
    return sumI32(i32x4.add(s0, s1));
  }
  for (; codes + 64 <= end; codes += 64, q += 128) {
    s0 = addShort(s0, q, v128.load(codes));
    s1 = addShort(s1, q + 32, v128.load(codes, 16));
    s0 = addShort(s0, q + 64, v128.load(codes, 32));
    s1 = addShort(s1, q + 96, v128.load(codes, 48));
  }
  for (; codes < end; codes += 16, q += 32) s0 = addShort(s0, q, v128.load(codes));
  return sumI32(i32x4.add(s0, s1));
}
