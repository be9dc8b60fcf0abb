// Distances between stored vectors, which choose the links. They are taken on secondary codes: those
// between two 2-bit codes are too noisy for the diversity heuristic; of nested records block 0
// serves. While a whole graph is built, secondary records hold build codes instead (the projected
// vector, 7 bits a number): a third of the bytes, a fifth of the time; the real records replace them
// at the end.

import { addDot32, dotCodePair, sumI32 } from './dot';
import { dotF32, squaredL2F32 } from './float';
import { Index, METRIC_DOT, onlyPrimary, primaryOf, secondaryOf } from './layout';
import { lvqBias, lvqScale } from './lvq';
import { nestedBytes, nestedNorm, nestedPairDot } from './nested';
import { codeBytes, packCodes } from './pack';
import { bestStep, primarySlots } from './primary';
import { primaryPair } from './primary-pair';
import { secondaryTail } from './secondary';

/** The middle of the 7-bit codes. */
const CENTRE: f32 = 63.5;

/** Positions of a build code: a primary's slots, for 2 bits but those that its constants take. */
// @ts-ignore: decorator
@inline
function buildSlots(bytes: i32, bits: i32, constants: i32): i32 {
  const slots = primarySlots(bytes, bits);
  return bits == 2 ? slots - 4 * constants : slots;
}

/**
 * Bytes of a build code: a byte a position, then scale, norm (both f32) and Σ codes (u32); and room
 * for a byte a slot while it is written.
 */
export function buildCodeBytes(bytes: i32, bits: i32, constants: i32): i32 {
  return max(primarySlots(bytes, bits), buildSlots(bytes, bits, constants) + 12);
}

/** Closes the gaps where the slots of 2-bit constants are: the ends of the last four sixteens. */
// @ts-ignore: decorator
@inline
function closeGaps(codes: usize, slots: i32, constants: i32): void {
  const last = codes + <usize>(slots - 64);
  const kept = <usize>(16 - constants);
  for (let g: usize = 1; g < 4; g++) memory.copy(last + g * kept, last + (g << 4), kept);
}

/**
 * Encodes the projected vector z (slots float32) of the centred `row`. Its norm word is ‖ẑ‖², so that
 * distances are those of the codes and copies are at distance 0, or <mean, row> for inner products.
 */
export function encodeBuildCode(ix: Index, z: usize, row: usize, record: usize): void {
  const slots = primarySlots(ix.primaryBytes, ix.primaryBits);
  const step = bestStep(z, slots, ix.primaryUsed, 7);
  packCodes(z, slots, 7, -CENTRE * step, step, record);
  const positions = buildSlots(ix.primaryBytes, ix.primaryBits, ix.primaryConstants);
  if (positions < slots) closeGaps(record, slots, ix.primaryConstants);
  const tail = record + <usize>positions;
  let sum: u32 = 0;
  for (let i: usize = 0; i < <usize>positions; i++) sum += load<u8>(record + i);
  store<f32>(tail, step);
  const norm = ix.metric == METRIC_DOT
    ? dotF32(ix.mean, row, ix.dimensions)
    : step * step * levelProduct(record, record, sum << 1, positions);
  store<f32>(tail, norm, 4);
  store<u32>(tail, sum, 8);
}

/** Σ a_j b_j of two build codes; `slots` is a multiple of 16. */
export function dotBuildCodes(a: usize, b: usize, slots: i32): i32 {
  let s0 = i32x4.splat(0), s1 = i32x4.splat(0);
  const end = a + <usize>slots;
  for (; a + 32 <= end; a += 32, b += 32) {
    s0 = addDot32(s0, v128.load(a), v128.load(b));
    s1 = addDot32(s1, v128.load(a, 16), v128.load(b, 16));
  }
  if (a < end) s0 = addDot32(s0, v128.load(a), v128.load(b));
  return sumI32(i32x4.add(s0, s1));
}

/** Σ l_a l_b over the levels of two build codes; sums is Σ c_a + Σ c_b. */
// @ts-ignore: decorator
@inline
function levelProduct(a: usize, b: usize, sums: u32, slots: i32): f32 {
  const codes = <f32>dotBuildCodes(a, b, slots);
  return codes - CENTRE * <f32>sums + <f32>slots * CENTRE * CENTRE;
}

// @ts-ignore: decorator
@inline
function buildPair(ix: Index, a: usize, b: usize): f32 {
  const slots = buildSlots(ix.primaryBytes, ix.primaryBits, ix.primaryConstants);
  const ta = a + <usize>slots, tb = b + <usize>slots;
  const levels = levelProduct(a, b, load<u32>(ta, 8) + load<u32>(tb, 8), slots);
  const dot = load<f32>(ta) * load<f32>(tb) * levels;
  const na = load<f32>(ta, 4), nb = load<f32>(tb, 4);
  return ix.metric == METRIC_DOT ? -dot - na - nb : na + nb - 2 * dot;
}

/** <ẑ_a, ẑ_b> of two records. */
// @ts-ignore: decorator
@inline
function pairDot(n: i32, bits: i32, a: usize, b: usize, tail: usize): f32 {
  if (bits == 32) return dotF32(a, b, n);
  const bytes = <usize>codeBytes(n, bits);
  const sa = lvqScale(a, bytes), ba = lvqBias(a, bytes);
  const sb = lvqScale(b, bytes), bb = lvqBias(b, bytes);
  const codes = <f32>dotCodePair(a, b, n, bits);
  const sumA = <f32>load<u32>(a + tail, 4), sumB = <f32>load<u32>(b + tail, 4);
  return sa * (sb * codes + bb * sumA) + ba * (sb * sumB + <f32>n * bb);
}

// @ts-ignore: decorator
@inline
function nestedPair(ix: Index, primaryA: usize, a: usize, primaryB: usize, b: usize): f32 {
  const dot = nestedPairDot(ix, primaryA, a, primaryB, b);
  const na = nestedNorm(ix, a), nb = nestedNorm(ix, b);
  return ix.metric == METRIC_DOT ? -dot - na - nb : na + nb - 2 * dot;
}

/**
 * Distance of two nodes for building: ‖ẑ_a − ẑ_b‖², or −<x_a, x_b> (less a constant) for inner
 * products. For unit vectors the former orders like the cosine.
 */
// @ts-ignore: decorator
@inline
export function pairDistance(ix: Index, idA: u32, idB: u32): f32 {
  if (onlyPrimary(ix)) return primaryPair(ix, idA, idB);
  const a = secondaryOf(ix, idA), b = secondaryOf(ix, idB);
  if (ix.building) return buildPair(ix, a, b);
  if (ix.nested != 0) return nestedPair(ix, primaryOf(ix, idA), a, primaryOf(ix, idB), b);
  const n = <i32>ix.dimensions, bits = <i32>ix.secondaryBits;
  if (bits == 32 && ix.metric != METRIC_DOT) return squaredL2F32(a, b, n);
  const tail = secondaryTail(n, bits);
  const dot = pairDot(n, bits, a, b, tail);
  const na = load<f32>(a + tail), nb = load<f32>(b + tail);
  if (ix.metric == METRIC_DOT) return -dot - na - nb;
  return na + nb - 2 * dot;
}

/** The record that distances depend on, and its bytes. */
// @ts-ignore: decorator
@inline
export function pairRecord(ix: Index, id: u32): usize {
  return onlyPrimary(ix) ? primaryOf(ix, id) : secondaryOf(ix, id);
}

// @ts-ignore: decorator
@inline
export function pairBytes(ix: Index): usize {
  if (onlyPrimary(ix)) return ix.primaryBytes;
  if (ix.building) {
    return <usize>buildSlots(ix.primaryBytes, ix.primaryBits, ix.primaryConstants) + 12;
  }
  if (ix.nested != 0) return nestedBytes(ix);
  return secondaryTail(ix.dimensions, ix.secondaryBits);
}

/** Whether two nodes hold the same codes and constants. */
export function sameCodes(ix: Index, a: u32, b: u32): bool {
  if (memory.compare(pairRecord(ix, a), pairRecord(ix, b), pairBytes(ix)) != 0) return false;
  if (ix.nested == 0) return true;
  return memory.compare(primaryOf(ix, a), primaryOf(ix, b), ix.primaryBytes) == 0;
}
