// The nested secondary: what a 2-bit primary leaves out, at a third of LVQ-8's bytes. Blocks of a
// vector's coordinates on its principal components, each block rotated at random:
//   block 0 is the primary's; 4 more bits a dimension say where in its cell the coordinate is;
//   the blocks behind it hold 128 coordinates each, of 4, 2 or 1 bits; less varying ones go without.
// A record: codes of block 0 (a nibble a slot), codes of the other blocks (pack.ts), `norm` (f32),
// one scale a block (bfloat16), aligned to 4. Scales make <z, ẑ> = <z, z> block by block (unbiased).
//
// Levels are small integers, which one scale a block and vector turns into numbers:
//   block 0, in 1/32 of the primary's step: given its cell, 16 levels. The inner cells [0, 1] are
//     divided evenly, since a gaussian is nearly flat there; the outer cells, from 1 on, by the
//     levels of Lloyd and Max for a gaussian beyond the step .9957 σ (Max 1960), to the nearest
//     integer. Negative cells are their mirror image.
//   other blocks: odd numbers around 0, the uniform grid with the step that errs least.
// Of a gaussian's energy block 0 loses .0007, and blocks of 4, 2 and 1 bits .012, .13 and .57.

import { sumI32 } from './dot';
import { Index, Scratch } from './layout';

/** Coordinates in each block but the first. */
const BLOCK: i32 = 128;

/** Magnitudes of an outer cell's levels. */
// @ts-ignore: decorator
@inline
function outerLevels(): v128 {
  return i8x16(33, 36, 39, 42, 46, 49, 53, 57, 61, 65, 70, 76, 83, 91, 101, 118);
}

/** The same in memory, where an encoder puts them: a binary with data would write when it starts. */
const OUTER: usize = memory.data(16, 16);

// @ts-ignore: decorator
@unmanaged
export class Nested {
  /** Blocks behind the first, and their bits a dimension, as words. */
  blocks: u32;
  bits: u32;
  /** A byte a slot of the primary: 255 where it holds a coordinate, else 0. */
  mask: u32;
  /** Bytes of all codes, so where the norm begins. */
  codeBytes: u32;
}

// @ts-ignore: decorator
@inline
function nestedOf(ix: Index): Nested {
  return changetype<Nested>(<usize>ix.nested);
}

/** The upper half of a float32, ties to even. */
// @ts-ignore: decorator
@inline
function toBfloat(x: f32): u32 {
  const bits = reinterpret<u32>(x);
  return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
}

// @ts-ignore: decorator
@inline
function loadBfloat(at: usize): f32 {
  return reinterpret<f32>(<u32>load<u16>(at) << 16);
}

/** The place of code i of `bits` bits, as pack.ts has it: its byte and its lowest bit there. */
// @ts-ignore: decorator
@inline
function byteOf(i: i32, bits: i32): usize {
  const perVector = 128 / bits;
  return <usize>(i / perVector * 16 + (i & 15));
}

// @ts-ignore: decorator
@inline
function shiftOf(i: i32, bits: i32): i32 {
  return ((i & (128 / bits - 1)) >> 4) * bits;
}

// @ts-ignore: decorator
@inline
function addCode(codes: usize, i: i32, bits: i32, code: i32): void {
  const at = codes + byteOf(i, bits);
  store<u8>(at, <u8>(load<u8>(at) | (code << shiftOf(i, bits))));
}

/** The primary's code of slot i. */
// @ts-ignore: decorator
@inline
function cellOf(primary: usize, i: i32): i32 {
  return (<i32>load<u8>(primary + byteOf(i, 2)) >> shiftOf(i, 2)) & 3;
}

/** The outer level nearest to v. */
function outerCode(v: f64): i32 {
  let code = 0;
  for (let half = 8; half > 0; half >>= 1) {
    const next = OUTER + <usize>(code + half);
    if (2 * v >= <f64>(<i32>load<u8>(next - 1) + <i32>load<u8>(next))) code += half;
  }
  return code;
}

let sumZL: f64 = 0;
let sumLL: f64 = 0;

/** Codes of block 0 at a unit (1/32 of the primary's step), with Σ z l and Σ l l. */
function codeCells(
  z: usize, primary: usize, slots: i32, mask: usize, unit: f64, codes: usize,
): void {
  sumZL = 0;
  sumLL = 0;
  v128.store(OUTER, outerLevels());
  memory.fill(codes, 0, <usize>slots >> 1);
  for (let i = 0; i < slots; i++) {
    if (load<u8>(mask + <usize>i) == 0) continue;
    const cell = cellOf(primary, i);
    const x = <f64>load<f32>(z + (<usize>i << 2));
    const v = (cell < 2 ? -x : x) / unit;
    const inner = cell == 1 || cell == 2;
    const code = inner ? <i32>max<f64>(0, min<f64>(15, floor(v / 2))) : outerCode(v);
    const magnitude = inner ? 2 * code + 1 : <i32>load<u8>(OUTER + <usize>code);
    const level = <f64>(cell < 2 ? -magnitude : magnitude);
    sumZL += x * level;
    sumLL += level * level;
    addCode(codes, i, 4, code);
  }
}

/** What makes block 0 of length ‖z‖ in the direction of z; 0 for a zero vector. */
function encodeCells(z: usize, primary: usize, slots: i32, mask: usize, codes: usize): f32 {
  let squares: f64 = 0, zl: f64 = 0, ll: f64 = 0;
  for (let i = 0; i < slots; i++) {
    if (load<u8>(mask + <usize>i) == 0) continue;
    const x = <f64>load<f32>(z + (<usize>i << 2));
    const cell = cellOf(primary, i);
    const level = <f64>cell - 1.5;
    squares += x * x;
    zl += x * level;
    ll += level * level;
  }
  if (!(zl > 0)) {
    memory.fill(codes, 0, <usize>slots >> 1);
    return 0;
  }
  codeCells(z, primary, slots, mask, zl / ll / 32, codes);
  codeCells(z, primary, slots, mask, sumZL / sumLL, codes);
  return <f32>(squares / sumZL);
}

/** Half the step of a gaussian's best uniform grid, in standard deviations (Max 1960, table II). */
// @ts-ignore: decorator
@inline
function gaussianUnit(bits: i32): f64 {
  return bits == 1 ? 0.7979 : bits == 2 ? 0.4979 : 0.1676;
}

/** Codes of a block behind the first; returns its scale. */
function encodeBlock(z: usize, bits: i32, codes: usize): f32 {
  let squares: f64 = 0;
  for (let i = 0; i < BLOCK; i++) {
    const x = <f64>load<f32>(z + (<usize>i << 2));
    squares += x * x;
  }
  const top = (1 << bits) - 1, bytes = <usize>(16 * bits);
  memory.fill(codes, 0, bytes);
  if (squares == 0) return 0;
  let unit = gaussianUnit(bits) * sqrt(squares / <f64>BLOCK);
  let zl: f64 = 0;
  // Levels for a unit and the unit for levels in turn: the error only falls.
  for (let round = 0; round < 3; round++) {
    memory.fill(codes, 0, bytes);
    let ll: f64 = 0;
    zl = 0;
    for (let i = 0; i < BLOCK; i++) {
      const x = <f64>load<f32>(z + (<usize>i << 2));
      const code = <i32>max<f64>(0, min<f64>(<f64>top, floor(x / unit / 2) + <f64>(1 << (bits - 1))));
      const level = <f64>(2 * code - top);
      zl += x * level;
      ll += level * level;
      addCode(codes, i, bits, code);
    }
    unit = zl / ll;
  }
  return <f32>(squares / zl);
}

/**
 * Encodes a projected vector z (the primary's slots, then the blocks) whose primary record is
 * written. norm is kept for pair.ts. Returns 0 where it is not finite.
 */
export function nestedEncode(
  nested: Nested, z: usize, primary: usize, primaryBytes: i32, norm: f32, record: usize,
): i32 {
  const slots = primaryBytes << 2;
  const tail = record + <usize>nested.codeBytes;
  store<f32>(tail, norm);
  let scales = tail + 4;
  store<u16>(scales, <u16>toBfloat(encodeCells(z, primary, slots, nested.mask, record)));
  let codes = record + <usize>(slots >> 1);
  z += <usize>slots << 2;
  for (let b: u32 = 0; b < nested.blocks; b++) {
    const bits = load<i32>(<usize>nested.bits + (<usize>b << 2));
    scales += 2;
    store<u16>(scales, <u16>toBfloat(encodeBlock(z, bits, codes)));
    codes += <usize>(16 * bits);
    z += <usize>BLOCK << 2;
  }
  return i32(abs(norm) < Infinity);
}

/** Levels of sixteen dimensions of block 0, as signed bytes. */
// @ts-ignore: decorator
@inline
function cellLevels(cells: v128, codes: v128, outer: v128): v128 {
  const one = i8x16.splat(1), two = i8x16.splat(2);
  const inner = i8x16.eq(v128.and(i8x16.add(cells, one), two), two);
  const odd = i8x16.add(i8x16.add(codes, codes), one);
  const magnitude = v128.bitselect(odd, i8x16.swizzle(outer, codes), inner);
  const negative = i8x16.lt_s(cells, two);
  return i8x16.sub(v128.xor(magnitude, negative), negative);
}

/** acc + Σ of sixteen int16 and as many signed bytes, in four i32 lanes. */
// @ts-ignore: decorator
@inline
function addShorts(acc: v128, q: usize, levels: v128): v128 {
  acc = i32x4.add(acc, i32x4.dot_i16x8_s(v128.load(q), i16x8.extend_low_i8x16_s(levels)));
  return i32x4.add(
    acc, i32x4.dot_i16x8_s(v128.load(q, 16), i16x8.extend_high_i8x16_s(levels)),
  );
}

/**
 * Σ q_j l_j of an int16 query of length up to 32,767 over the slots of block 0, where it is zero in
 * those that hold no coordinate: at most 32,767 · 118 · √1024 < 2^31. Exported so that it stays a
 * function: inlined in a loop over records, V8 keeps its sums in memory.
 */
export function dotCells(q: usize, primary: usize, bytes: usize, codes: usize): i32 {
  const outer = outerLevels(), three = i8x16.splat(3), low = i8x16.splat(15);
  let s0 = i32x4.splat(0), s1 = s0;
  for (const end = primary + bytes; primary < end; primary += 16, codes += 32, q += 128) {
    const cells = v128.load(primary), a = v128.load(codes), b = v128.load(codes, 16);
    const c1 = v128.and(i16x8.shr_u(cells, 2), three), c2 = v128.and(i16x8.shr_u(cells, 4), three);
    const c3 = v128.and(i16x8.shr_u(cells, 6), three);
    s0 = addShorts(s0, q, cellLevels(v128.and(cells, three), v128.and(a, low), outer));
    s1 = addShorts(s1, q + 32, cellLevels(c1, v128.and(i16x8.shr_u(a, 4), low), outer));
    s0 = addShorts(s0, q + 64, cellLevels(c2, v128.and(b, low), outer));
    s1 = addShorts(s1, q + 96, cellLevels(c3, v128.and(i16x8.shr_u(b, 4), low), outer));
  }
  return sumI32(i32x4.add(s0, s1));
}

/** 2 c − top. */
// @ts-ignore: decorator
@inline
function oddLevels(codes: v128, top: i8): v128 {
  return i8x16.sub(i8x16.add(codes, codes), i8x16.splat(top));
}

/** 1 where a bit is set, else −1. */
// @ts-ignore: decorator
@inline
function signs(v: v128, bit: i32): v128 {
  const clear = i8x16.eq(v128.and(v, i8x16.splat(<i8>bit)), i8x16.splat(0));
  return v128.or(clear, i8x16.splat(1));
}

/** The same for a block behind the first. */
export function dotBlock(q: usize, codes: usize, bits: i32): i32 {
  let s0 = i32x4.splat(0), s1 = s0;
  if (bits == 4) {
    const low = i8x16.splat(15);
    for (const end = codes + 64; codes < end; codes += 16, q += 64) {
      const v = v128.load(codes);
      s0 = addShorts(s0, q, oddLevels(v128.and(v, low), 15));
      s1 = addShorts(s1, q + 32, oddLevels(v128.and(i16x8.shr_u(v, 4), low), 15));
    }
  } else if (bits == 2) {
    const three = i8x16.splat(3);
    for (const end = codes + 32; codes < end; codes += 16, q += 128) {
      const v = v128.load(codes);
      s0 = addShorts(s0, q, oddLevels(v128.and(v, three), 3));
      s1 = addShorts(s1, q + 32, oddLevels(v128.and(i16x8.shr_u(v, 2), three), 3));
      s0 = addShorts(s0, q + 64, oddLevels(v128.and(i16x8.shr_u(v, 4), three), 3));
      s1 = addShorts(s1, q + 96, oddLevels(v128.and(i16x8.shr_u(v, 6), three), 3));
    }
  } else {
    const v = v128.load(codes);
    for (let bit = 1; bit < 256; bit <<= 2, q += 64) {
      s0 = addShorts(s0, q, signs(v, bit));
      s1 = addShorts(s1, q + 32, signs(v, bit << 1));
    }
  }
  return sumI32(i32x4.add(s0, s1));
}

/** Σ scale · Σ q_j l_j over all blocks: <q, ẑ> in the query's int16 units. */
export function nestedDot(
  nested: Nested, q: usize, primary: usize, primaryBytes: i32, record: usize,
): f32 {
  let scales = record + <usize>nested.codeBytes + 4;
  let sum = loadBfloat(scales) * <f32>dotCells(q, primary, primaryBytes, record);
  let codes = record + (<usize>primaryBytes << 1);
  q += <usize>primaryBytes << 3;
  for (let b: u32 = 0; b < nested.blocks; b++) {
    const bits = load<i32>(<usize>nested.bits + (<usize>b << 2));
    scales += 2;
    sum += loadBfloat(scales) * <f32>dotBlock(q, codes, bits);
    codes += <usize>(16 * bits);
    q += <usize>BLOCK << 1;
  }
  return sum;
}

/** Re-rank distance but for what is the same for all vectors; half norms are the primary's. */
// @ts-ignore: decorator
@inline
export function nestedDistance(
  ix: Index, scratch: Scratch, primary: usize, record: usize, hasNorm: bool,
): f32 {
  const bytes = <i32>ix.primaryBytes;
  const dot = scratch.shortFactor * nestedDot(nestedOf(ix), scratch.short, primary, bytes, record);
  return hasNorm ? 2 * (load<f32>(primary + <usize>bytes - 8) - dot) : -dot;
}

/** Σ of sixteen products of signed bytes, in four i32 lanes. */
// @ts-ignore: decorator
@inline
function addLevels(acc: v128, a: v128, b: v128): v128 {
  acc = i32x4.add(
    acc, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(a), i16x8.extend_low_i8x16_s(b)),
  );
  return i32x4.add(
    acc, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(a), i16x8.extend_high_i8x16_s(b)),
  );
}

/** Σ l_j l'_j of two vectors' codes of block 0. */
export function dotCellPair(
  primaryA: usize, codesA: usize, primaryB: usize, codesB: usize, bytes: usize, mask: usize,
): i32 {
  const outer = outerLevels(), three = i8x16.splat(3), low = i8x16.splat(15);
  let sum = i32x4.splat(0);
  for (const end = primaryA + bytes; primaryA < end; primaryA += 16, primaryB += 16) {
    for (let g = 0; g < 8; g += 2, mask += 16) {
      const at = <usize>(g & 4) << 2, shift = (g & 2) << 1;
      const cellsA = v128.and(i16x8.shr_u(v128.load(primaryA), g), three);
      const cellsB = v128.and(i16x8.shr_u(v128.load(primaryB), g), three);
      const a = cellLevels(
        cellsA, v128.and(i16x8.shr_u(v128.load(codesA + at), shift), low), outer,
      );
      const b = cellLevels(
        cellsB, v128.and(i16x8.shr_u(v128.load(codesB + at), shift), low), outer,
      );
      sum = addLevels(sum, v128.and(a, v128.load(mask)), b);
    }
    codesA += 32;
    codesB += 32;
  }
  return sumI32(sum);
}

/** <ẑ_a, ẑ_b> on block 0. */
export function nestedPairDot(ix: Index, primaryA: usize, a: usize, primaryB: usize, b: usize): f32 {
  const nested = nestedOf(ix), bytes = <usize>ix.primaryBytes;
  const at = <usize>nested.codeBytes + 4;
  const levels = dotCellPair(primaryA, a, primaryB, b, bytes, nested.mask);
  return loadBfloat(a + at) * loadBfloat(b + at) * <f32>levels;
}

/** The norm word of a record. */
// @ts-ignore: decorator
@inline
export function nestedNorm(ix: Index, record: usize): f32 {
  return load<f32>(record + <usize>nestedOf(ix).codeBytes);
}

/** Bytes of a record: codes, norm and scales. */
// @ts-ignore: decorator
@inline
export function nestedBytes(ix: Index): usize {
  const nested = nestedOf(ix);
  return <usize>(nested.codeBytes + 6 + 2 * nested.blocks);
}
