// Distances between stored vectors of which only the primary codes are kept: ‖ẑ_a − ẑ_b‖² of what the
// codes stand for. For inner products ẑ are given unit length first: with links by distance the short
// vectors, near everything, would be everybody's neighbours, and long ones out of reach. Codes are
// unbiased, so ‖ẑ‖² exceeds ‖z‖² by a known share, which is taken off: else all would seem far apart,
// and the diversity heuristic would keep too many links.

import { sumI32 } from './dot';
import { Index, METRIC_DOT, primaryOf } from './layout';
import { primaryScale } from './primary';

let dotAB: v128 = i32x4.splat(0);
let dotAA: v128 = i32x4.splat(0);
let dotBB: v128 = i32x4.splat(0);

// @ts-ignore: decorator
@inline
function dotBytes(sum: v128, a: v128, b: v128): v128 {
  const low = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(a), i16x8.extend_low_i8x16_s(b));
  const high = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(a), i16x8.extend_high_i8x16_s(b));
  return i32x4.add(sum, i32x4.add(low, high));
}

/** Adds the products of sixteen codes of each; levels are 2 c − top, 0 where the mask is. */
// @ts-ignore: decorator
@inline
function addLevels(a: v128, b: v128, top: v128, mask: v128): void {
  const la = v128.and(i8x16.sub(i8x16.add(a, a), top), mask);
  const lb = v128.and(i8x16.sub(i8x16.add(b, b), top), mask);
  dotAB = dotBytes(dotAB, la, lb);
  dotAA = dotBytes(dotAA, la, la);
  dotBB = dotBytes(dotBB, lb, lb);
}

/** Bytes of a block of 16 that hold codes, as a mask: the last `constants` of a record do not. */
// @ts-ignore: decorator
@inline
function codeMask(isLast: bool, constants: u32): v128 {
  const all = i32x4.splat(-1);
  if (!isLast) return all;
  return constants == 8 ? i32x4(-1, -1, 0, 0) : i32x4(-1, -1, -1, 0);
}

/** Sums of products of twice the levels of two records, into dotAB, dotAA and dotBB. */
function multiplyLevels(a: usize, b: usize, bytes: u32, bits: u32, constants: u32): void {
  dotAB = i32x4.splat(0);
  dotAA = i32x4.splat(0);
  dotBB = i32x4.splat(0);
  // The highest code, which is also the mask of one.
  const most: i32 = (1 << <i32>bits) - 1;
  const top = i8x16.splat(<i8>most);
  const step: i32 = bits == 7 ? 8 : <i32>bits;
  for (let at: u32 = 0; at < bytes; at += 16) {
    const mask = codeMask(at + 16 == bytes, constants);
    const ca = v128.load(a + at), cb = v128.load(b + at);
    for (let shift: i32 = 0; shift < 8; shift += step) {
      // What is above the code in its byte is masked.
      const x = v128.and(i8x16.shr_u(ca, shift), top), y = v128.and(i8x16.shr_u(cb, shift), top);
      addLevels(x, y, top, mask);
    }
  }
}

/** The share of ‖ẑ‖² that is ‖z‖²: one less the grid's error on a gaussian (Max 1960). */
// @ts-ignore: decorator
@inline
function trueShare(bits: u32): f32 {
  return bits == 2 ? <f32>0.8812 : bits == 4 ? <f32>0.98846 : <f32>0.999696;
}

/** The distance of two nodes by their primary records. */
export function primaryPair(ix: Index, idA: u32, idB: u32): f32 {
  return primaryPairDistance(
    primaryOf(ix, idA), primaryOf(ix, idB), ix.primaryBytes, ix.primaryBits, ix.primaryConstants,
    u32(ix.metric == METRIC_DOT),
  );
}

/**
 * ‖ẑ_a − ẑ_b‖² of two records of 2, 4 or 7 bits, less what the grid adds to each; or that of their
 * directions, 2 where one has none.
 */
export function primaryPairDistance(
  a: usize, b: usize, bytes: u32, bits: u32, constants: u32, ofDirections: u32,
): f32 {
  multiplyLevels(a, b, bytes, bits, constants);
  const sa = primaryScale(a, bytes) * <f32>0.5, sb = primaryScale(b, bytes) * <f32>0.5;
  const ab = sa * sb * <f32>sumI32(dotAB);
  const aa = sa * sa * <f32>sumI32(dotAA), bb = sb * sb * <f32>sumI32(dotBB);
  if (!ofDirections) return trueShare(bits) * (aa + bb) - 2 * ab;
  const lengths = trueShare(bits) * Mathf.sqrt(aa) * Mathf.sqrt(bb);
  return lengths > 0 ? 2 - 2 * ab / lengths : 2;
}
