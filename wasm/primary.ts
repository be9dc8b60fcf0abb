// The primary code: what the traversal reads, a whole number of 64-byte cache lines a vector.
// z is the projected, rotated and centred vector, so its coordinates have equal variances and a
// symmetric grid serves: level l_j = c_j − (2^B − 1) / 2, ẑ = scale · l. The step minimises the
// squared error (optimised interval), the scale stored makes <z, ẑ> = <z, z> (unbiased).
//
// A record is the packed codes of all slots; its last bytes, which the last slots give up, hold the
// constants: the scale (f32, last four bytes) and, before it, the half squared norm (f32) that
// euclidean distances alone need, so other metrics keep those slots for coordinates.
// Codes of 7 bits stand for "8-bit": the relaxed dot wants one operand in 0 … 127.

import { packCodes } from './pack';
import { sumI32 } from './dot';
import { sumLanes } from './float';

/** Slots of a record of `bytes` bytes: the positions that codes and constants share. */
// @ts-ignore: decorator
@inline
export function primarySlots(bytes: i32, bits: i32): i32 {
  if (bits == 32) return (bytes - 64) >> 2; // float32, unprojected, and a line of constants
  return bits == 2 ? bytes << 2 : bits == 4 ? bytes << 1 : bytes;
}

// @ts-ignore: decorator
@inline
export function primaryScale(record: usize, bytes: usize): f32 {
  return load<f32>(record + bytes - 4);
}

let energy: f32 = 0;
let largest: f32 = 0;

/** Σ z² and max |z|, all slots. */
function measureSize(z: usize, slots: i32): void {
  energy = 0;
  largest = 0;
  for (let i = 0; i < slots; i++) {
    const x = load<f32>(z + (<usize>i << 2));
    energy += x * x;
    largest = max(largest, abs(x));
  }
}

let sumZL: f32 = 0;
let sumLL: f32 = 0;

/** Σ z l and Σ l l at a step, all slots; empty slots (z = 0) add 0 and 1/4 each. */
function measureStep(z: usize, slots: i32, bits: i32, step: f32): void {
  const half = <f32>((1 << bits) - 1) * <f32>0.5;
  const h = f32x4.splat(half), inverse = f32x4.splat(<f32>1 / step);
  const zero = f32x4.splat(0), top = f32x4.splat(half * 2);
  let zl = zero, ll = zero;
  const end = z + (<usize>slots << 2);
  for (; z < end; z += 16) {
    const v = v128.load(z);
    const c = f32x4.nearest(f32x4.add(f32x4.mul(v, inverse), h));
    const l = f32x4.sub(f32x4.min(f32x4.max(c, zero), top), h);
    zl = f32x4.add(zl, f32x4.mul(v, l));
    ll = f32x4.add(ll, f32x4.mul(l, l));
  }
  sumZL = sumLanes(zl);
  sumLL = sumLanes(ll);
}

/** The step of a gaussian's best uniform grid, in standard deviations (Max 1960, table II). */
// @ts-ignore: decorator
@inline
function gaussianStep(bits: i32): f32 {
  return bits == 2 ? <f32>0.9957 : bits == 4 ? <f32>0.3352 : <f32>0.0569;
}

/**
 * The step with the largest <z, l>² / <l, l>, that is, the smallest squared error once the scale is
 * fitted. Alternates codes and scale from starts around the gaussian's step and from the vector's
 * own range, so it is never worse than the symmetric min–max interval.
 */
export function bestStep(z: usize, slots: i32, used: i32, bits: i32): f32 {
  measureSize(z, slots);
  if (largest == 0) return 1;
  const sigma = sqrt(energy / <f32>used);
  const empty = <f32>(slots - used) * <f32>0.25;
  let best: f32 = 0, bestGain: f32 = -1;
  for (let start = 0; start < 4; start++) {
    let step = gaussianStep(bits) * sigma;
    if (start == 0) step = 2 * largest / <f32>((1 << bits) - 1);
    else step *= <f32>0.7 + <f32>0.15 * <f32>start;
    for (let round = 0; round < 3; round++) {
      measureStep(z, slots, bits, step);
      const ll = sumLL - empty;
      const gain = sumZL * sumZL / ll;
      if (gain > bestGain) {
        bestGain = gain;
        best = step;
      }
      const next = sumZL / ll;
      if (next == step) break;
      step = next;
    }
  }
  return best;
}

/**
 * Encodes z (`slots` float32 in slot order, zero in the slots that hold no coordinate; `used` of
 * them do) into a record of `bytes` bytes. interval: 0 optimised, 1 symmetric min–max. halfNorm is
 * stored where `constants` is 8, the bytes that constants take.
 */
export function primaryEncode(
  z: usize, bytes: i32, bits: i32, used: i32, interval: i32, constants: i32, halfNorm: f32,
  record: usize,
): void {
  const slots = primarySlots(bytes, bits);
  const half = <f32>((1 << bits) - 1) * <f32>0.5;
  let step = <f32>1;
  if (interval == 0) {
    step = bestStep(z, slots, used, bits);
  } else {
    measureSize(z, slots);
    if (largest > 0) step = largest / half;
  }
  measureStep(z, slots, bits, step);
  packCodes(z, slots, bits, -half * step, step, record);
  const scale = sumZL > 0 ? energy / sumZL : <f32>0;
  store<f32>(record + <usize>bytes - 4, scale);
  if (constants == 8) store<f32>(record + <usize>bytes - 8, halfNorm);
}

/** ẑ of a record into `slots` float32 (slots that hold no coordinate decode to noise). */
export function primaryDecode(record: usize, bytes: i32, bits: i32, out: usize): void {
  const slots = primarySlots(bytes, bits);
  const half = <f32>((1 << bits) - 1) * <f32>0.5;
  const scale = primaryScale(record, bytes);
  for (let i = 0; i < slots; i++) {
    let c: u32 = 0;
    if (bits == 2) c = (load<u8>(record + ((i >> 6) << 4) + (i & 15)) >> (((i >> 4) & 3) << 1)) & 3;
    else if (bits == 4) c = (load<u8>(record + ((i >> 5) << 4) + (i & 15)) >> (((i >> 4) & 1) << 2)) & 15;
    else c = load<u8>(record + i);
    store<f32>(out + (<usize>i << 2), scale * (<f32>c - half));
  }
}

/** Which slot holds coordinate j, for j = 0 … slots − constants − 1, as u32 into out. */
export function primarySlotOrder(bytes: i32, bits: i32, constants: i32, out: usize): i32 {
  const slots = primarySlots(bytes, bits);
  const perBlock = 128 / (bits == 7 ? 8 : bits);
  let j = 0;
  for (let slot = 0; slot < slots; slot++) {
    const byte = slot / perBlock * 16 + (slot & 15);
    if (byte >= bytes - constants) continue;
    store<u32>(out + (<usize>j << 2), slot);
    j++;
  }
  return j;
}

/**
 * Quantises a projected query (`slots` float32, zero in empty slots) to signed bytes of ±127.
 * Writes to `constants`: the factor that turns integer sums into inner products, and the offset
 * Σ q̃ · (2^B − 1) / 2 that makes codes into levels.
 */
export function primaryQuery(p: usize, slots: i32, bits: i32, q: usize, constants: usize): void {
  let largest = f32x4.splat(0);
  const end = p + (<usize>slots << 2);
  for (let a = p; a < end; a += 16) largest = f32x4.max(largest, f32x4.abs(v128.load(a)));
  const m = f32x4.max(largest, v128.shuffle<f32>(largest, largest, 2, 3, 0, 1));
  const top = max(f32x4.extract_lane(m, 0), f32x4.extract_lane(m, 1));
  const step = top > 0 ? top / 127 : <f32>1;
  const inverse = f32x4.splat(<f32>1 / step);
  let sum = i32x4.splat(0);
  for (; p < end; p += 64, q += 16) {
    const a = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(p), inverse)));
    const b = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(p, 16), inverse)));
    const c = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(p, 32), inverse)));
    const d = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(p, 48), inverse)));
    v128.store(q, i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)));
    sum = i32x4.add(i32x4.add(sum, i32x4.add(a, b)), i32x4.add(c, d));
  }
  store<f32>(constants, step);
  store<f32>(constants, <f32>sumI32(sum) * <f32>((1 << bits) - 1) * <f32>0.5, 4);
}

