/**
 * Scalar twin of wasm/primary.ts: an oracle for the tests, not exported by the package. It rounds to
 * float32 and sums in the kernel's order, so steps, codes and constants are the same.
 */
import { dot } from './float.js';
import { codePosition, packCodes, quantise, unpackCodes } from './pack.js';
import { clamp, nearest } from './round.js';

const { fround } = Math;

export type PrimaryCodeBits = 2 | 4 | 7;

/**
 * Bytes at the end of a record: its scale (float32) and, for euclidean distances, before it the
 * half norm (float32).
 */
export type ConstantBytes = 4 | 8;

/** The step of a gaussian's best uniform grid, in standard deviations (Max 1960, table II). */
const GAUSSIAN_STEP = { 2: fround(0.9957), 4: fround(0.3352), 7: fround(0.0569) };

export interface PrimaryQuery {
  codes: Int8Array;
  step: number;
  offset: number;
}

/** Positions in a record of `bytes` bytes, those of its constants included. */
export function primarySlots(bytes: number, bits: PrimaryCodeBits): number {
  return { 2: bytes * 4, 4: bytes * 2, 7: bytes }[bits];
}

/** The slots that hold coordinates 0, 1, …: all but those in the bytes of the constants. */
export function primarySlotOrder(
  bytes: number,
  bits: PrimaryCodeBits,
  constants: ConstantBytes,
): number[] {
  const slots = Array.from({ length: primarySlots(bytes, bits) }, (_, slot) => slot);
  return slots.filter((slot) => codePosition(slot, bits).byte < bytes - constants);
}

/** The level of a code: −half … half. */
function half(bits: PrimaryCodeBits): number {
  return (2 ** bits - 1) / 2;
}

/** Σ z l and Σ l l over the levels l that z takes at a step. */
export function measureStep(
  z: Float32Array,
  bits: PrimaryCodeBits,
  step: number,
): { zl: number; ll: number } {
  const h = half(bits);
  const inverse = fround(1 / step);
  const levels = z.map((x) => {
    const code = nearest(fround(fround(x * inverse) + h));
    return clamp(code, 0, 2 * h) - h;
  });
  return {
    zl: sumInLanes(z.map((x, i) => x * levels[i]!)),
    ll: sumInLanes(levels.map((l) => l * l)),
  };
}

/** Σ in float32 as four SIMD lanes add up. */
function sumInLanes(values: Float32Array): number {
  const lanes = new Float32Array(4);
  values.forEach((x, i) => {
    lanes[i % 4]! += x;
  });
  return fround(fround(lanes[0]! + lanes[2]!) + fround(lanes[1]! + lanes[3]!));
}

/** Σ z² in float32, one after another. */
function energyOf(z: Float32Array): number {
  return z.reduce((energy, x) => fround(energy + fround(x * x)), 0);
}

function largestOf(z: Float32Array): number {
  return z.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}

/**
 * The step with the largest <z, l>² / <l, l>: codes and scale in turn, three rounds each from
 * min–max and from .9, 1.1 and 1.3 of the gaussian's step.
 */
export function bestStep(z: Float32Array, used: number, bits: PrimaryCodeBits): number {
  const largest = largestOf(z);
  if (largest === 0) return 1;
  const sigma = fround(Math.sqrt(fround(energyOf(z) / used)));
  const gaussian = fround(GAUSSIAN_STEP[bits] * sigma);
  const factors = [1, 2, 3].map((start) => fround(fround(0.7) + fround(fround(0.15) * start)));
  const starts = [
    fround((2 * largest) / (2 ** bits - 1)),
    ...factors.map((f) => fround(gaussian * f)),
  ];
  const empty = (z.length - used) / 4;
  let best = { step: 0, gain: -1 };
  for (const start of starts) {
    let step = start;
    for (let round = 0; round < 3; round++) {
      const { zl, ll } = measureStep(z, bits, step);
      const used2 = fround(ll - empty);
      const gain = fround(fround(zl * zl) / used2);
      if (gain > best.gain) best = { step, gain };
      step = fround(zl / used2);
    }
  }
  return best.step;
}

/** z in slot order, 0 in the empty slots, as a record; with a half norm where one is given. */
export function primaryEncode(
  z: Float32Array,
  bits: PrimaryCodeBits,
  used: number,
  interval: 'optimised' | 'min-max',
  halfNorm?: number,
): Uint8Array {
  const h = half(bits);
  const largest = largestOf(z);
  const minMax = largest > 0 ? fround(largest / h) : 1;
  const step = interval === 'optimised' ? bestStep(z, used, bits) : minMax;
  const { zl } = measureStep(z, bits, step);
  const record = packCodes(quantise(z, bits, fround(-h * step), step), bits);
  const words = new DataView(record.buffer);
  words.setFloat32(record.length - 4, zl > 0 ? fround(energyOf(z) / zl) : 0, true);
  if (halfNorm !== undefined) words.setFloat32(record.length - 8, halfNorm, true);
  return record;
}

export function primaryScale(record: Uint8Array): number {
  return new DataView(record.buffer, record.byteOffset).getFloat32(record.length - 4, true);
}

/** Of a record with 8 bytes of constants. */
export function primaryHalfNorm(record: Uint8Array): number {
  return new DataView(record.buffer, record.byteOffset).getFloat32(record.length - 8, true);
}

/** ẑ = scale · level in every slot. */
export function primaryDecode(record: Uint8Array, bits: PrimaryCodeBits): Float32Array {
  const scale = primaryScale(record);
  const codes = unpackCodes(record, primarySlots(record.length, bits), bits);
  return Float32Array.from(codes, (c) => scale * (c - half(bits)));
}

/** The query as signed bytes, with the constants that turn integer sums into inner products. */
export function primaryQuery(p: Float32Array, bits: PrimaryCodeBits): PrimaryQuery {
  const largest = largestOf(p);
  const step = largest > 0 ? fround(largest / 127) : 1;
  const inverse = fround(1 / step);
  const codes = Int8Array.from(p, (x) => nearest(fround(x * inverse)));
  const total = codes.reduce((sum, c) => sum + c, 0);
  return { codes, step, offset: fround(total * half(bits)) };
}

/** Half norm (if records have one) − <q, ẑ>: smaller is nearer. Twin of wasm/score.ts. */
export function primaryDistance(
  query: PrimaryQuery,
  record: Uint8Array,
  bits: PrimaryCodeBits,
  hasNorm: boolean,
): number {
  const codes = unpackCodes(record, query.codes.length, bits);
  const levels = fround(fround(dot(query.codes, codes)) - query.offset);
  const product = fround(primaryScale(record) * fround(query.step * levels));
  return fround((hasNorm ? primaryHalfNorm(record) : 0) - product);
}
