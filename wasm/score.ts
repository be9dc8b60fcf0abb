// Traversal distances of primary records: half norm − <q, ẑ>, smaller is nearer. Four records at a
// time: they share the loads of the query, and their sums are added up together.
//
// Each width has a function of its own, exported so that it stays one: inlined in the search loop,
// V8 keeps the sums in memory and takes twice as long.

import { addDot16, addDot32 } from './dot';
import { dotF32 } from './float';
import { primarySlots } from './primary';

/** acc + the products of sixty-four query bytes and one block of 2-bit codes. */
// @ts-ignore: decorator
@inline
function block2(acc: v128, v: v128, q0: v128, q1: v128, q2: v128, q3: v128): v128 {
  const three = i8x16.splat(3);
  acc = addDot16(acc, q0, v128.and(v, three));
  acc = addDot16(acc, q1, v128.and(i16x8.shr_u(v, 2), three));
  acc = addDot16(acc, q2, v128.and(i16x8.shr_u(v, 4), three));
  return addDot16(acc, q3, v128.and(i16x8.shr_u(v, 6), three));
}

/** The same for thirty-two query bytes and 4-bit codes. */
// @ts-ignore: decorator
@inline
function block4(acc: v128, v: v128, q0: v128, q1: v128): v128 {
  const low = i8x16.splat(15);
  acc = addDot16(acc, q0, v128.and(v, low));
  return addDot16(acc, q1, v128.and(i16x8.shr_u(v, 4), low));
}

/** i16 lanes to i32 lanes, added to acc. */
// @ts-ignore: decorator
@inline
function widen(acc: v128, sums: v128): v128 {
  return i32x4.add(acc, i32x4.extadd_pairwise_i16x8_s(sums));
}

/** [Σ a, Σ b, Σ c, Σ d] of four i32x4. */
// @ts-ignore: decorator
@inline
function sumFour(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(
    v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7),
  );
  const cd = i32x4.add(
    v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7),
  );
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

/** One float32 of each of four records. */
// @ts-ignore: decorator
@inline
function loadFour(records: usize, at: usize): v128 {
  let v = v128.load32_zero(<usize>load<u32>(records) + at);
  v = v128.load_lane<u32>(<usize>load<u32>(records, 4) + at, v, 1);
  v = v128.load_lane<u32>(<usize>load<u32>(records, 8) + at, v, 2);
  return v128.load_lane<u32>(<usize>load<u32>(records, 12) + at, v, 3);
}

/** From integer sums to distances; query constants as primaryQuery wrote them. */
// @ts-ignore: decorator
@inline
function storeDistances(
  sums: v128, records: usize, bytes: usize, constants: usize, hasNorm: bool, distances: usize,
): void {
  const step = v128.load32_splat(constants), offset = v128.load32_splat(constants, 4);
  const levels = f32x4.mul(step, f32x4.sub(f32x4.convert_i32x4_s(sums), offset));
  const dots = f32x4.mul(loadFour(records, bytes - 4), levels);
  const norms = hasNorm ? loadFour(records, bytes - 8) : f32x4.splat(0);
  v128.store(distances, f32x4.sub(norms, dots));
}

/**
 * Distances of `groups` times four records, whose addresses are at `records`, from the query codes
 * q. A lane takes 8 products of at most 3 · 128 a block: the 4 blocks of a cache line (12,288) stay
 * far below 2^15.
 */
export function scoreRecords2(
  q: usize, constants: usize, hasNorm: bool, records: usize, groups: u32, bytes: usize,
  distances: usize,
): void {
  for (; groups > 0; groups--, records += 16, distances += 16) {
    const a: usize = load<u32>(records), b: usize = load<u32>(records, 4);
    const c: usize = load<u32>(records, 8), d: usize = load<u32>(records, 12);
    let ta = i32x4.splat(0), tb = ta, tc = ta, td = ta;
    for (let line: usize = 0; line < bytes; line += 64) {
      let sa = i16x8.splat(0), sb = sa, sc = sa, sd = sa;
      for (let at = line, end = min(line + 64, bytes); at < end; at += 16) {
        const query = q + (at << 2);
        const q0 = v128.load(query), q1 = v128.load(query, 16);
        const q2 = v128.load(query, 32), q3 = v128.load(query, 48);
        sa = block2(sa, v128.load(a + at), q0, q1, q2, q3);
        sb = block2(sb, v128.load(b + at), q0, q1, q2, q3);
        sc = block2(sc, v128.load(c + at), q0, q1, q2, q3);
        sd = block2(sd, v128.load(d + at), q0, q1, q2, q3);
      }
      ta = widen(ta, sa);
      tb = widen(tb, sb);
      tc = widen(tc, sc);
      td = widen(td, sd);
    }
    storeDistances(sumFour(ta, tb, tc, td), records, bytes, constants, hasNorm, distances);
  }
}

/**
 * The same for 4-bit codes: a lane takes 4 products of at most 15 · 128 a block, 30,720 a line.
 */
export function scoreRecords4(
  q: usize, constants: usize, hasNorm: bool, records: usize, groups: u32, bytes: usize,
  distances: usize,
): void {
  for (; groups > 0; groups--, records += 16, distances += 16) {
    const a: usize = load<u32>(records), b: usize = load<u32>(records, 4);
    const c: usize = load<u32>(records, 8), d: usize = load<u32>(records, 12);
    let ta = i32x4.splat(0), tb = ta, tc = ta, td = ta;
    for (let line: usize = 0; line < bytes; line += 64) {
      let sa = i16x8.splat(0), sb = sa, sc = sa, sd = sa;
      for (let at = line, end = min(line + 64, bytes); at < end; at += 16) {
        const query = q + (at << 1);
        const q0 = v128.load(query), q1 = v128.load(query, 16);
        sa = block4(sa, v128.load(a + at), q0, q1);
        sb = block4(sb, v128.load(b + at), q0, q1);
        sc = block4(sc, v128.load(c + at), q0, q1);
        sd = block4(sd, v128.load(d + at), q0, q1);
      }
      ta = widen(ta, sa);
      tb = widen(tb, sb);
      tc = widen(tc, sc);
      td = widen(td, sd);
    }
    storeDistances(sumFour(ta, tb, tc, td), records, bytes, constants, hasNorm, distances);
  }
}

/** The same for codes of up to 7 bits in a byte each. */
export function scoreRecords7(
  q: usize, constants: usize, hasNorm: bool, records: usize, groups: u32, bytes: usize,
  distances: usize,
): void {
  for (; groups > 0; groups--, records += 16, distances += 16) {
    const a: usize = load<u32>(records), b: usize = load<u32>(records, 4);
    const c: usize = load<u32>(records, 8), d: usize = load<u32>(records, 12);
    let ta = i32x4.splat(0), tb = ta, tc = ta, td = ta;
    for (let at: usize = 0; at < bytes; at += 16) {
      const query = v128.load(q + at);
      ta = addDot32(ta, query, v128.load(a + at));
      tb = addDot32(tb, query, v128.load(b + at));
      tc = addDot32(tc, query, v128.load(c + at));
      td = addDot32(td, query, v128.load(d + at));
    }
    storeDistances(sumFour(ta, tb, tc, td), records, bytes, constants, hasNorm, distances);
  }
}

/** The same for float32 vectors of `slots` numbers, whose query is float32 too. */
export function scoreFloats(
  q: usize, hasNorm: bool, records: usize, count: u32, bytes: usize, slots: i32, distances: usize,
): void {
  for (const end = records + (<usize>count << 2); records < end; records += 4, distances += 4) {
    const record = <usize>load<u32>(records);
    const norm = hasNorm ? load<f32>(record + bytes - 8) : <f32>0;
    store<f32>(distances, norm - dotF32(q, record, slots));
  }
}

/** The kernel for the width of the codes. */
// @ts-ignore: decorator
@inline
export function scoreRecords(
  q: usize, constants: usize, hasNorm: bool, records: usize, count: u32, bytes: usize, bits: u32,
  distances: usize,
): void {
  if (bits == 32) {
    const slots = primarySlots(<i32>bytes, 32);
    scoreFloats(q, hasNorm, records, count, bytes, slots, distances);
    return;
  }
  // A group needs four records: the last one is repeated.
  const last = load<u32>(records + (<usize>(count - 1) << 2));
  for (let i = count; i & 3; i++) store<u32>(records + (<usize>i << 2), last);
  const groups = (count + 3) >> 2;
  if (bits == 2) scoreRecords2(q, constants, hasNorm, records, groups, bytes, distances);
  else if (bits == 4) scoreRecords4(q, constants, hasNorm, records, groups, bytes, distances);
  else scoreRecords7(q, constants, hasNorm, records, groups, bytes, distances);
}
