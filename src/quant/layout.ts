import type { Distance } from '../base/distance.js';
import { paddedDimensions } from '../kernels/index.js';

/** Widths of primary codes; 7 bits take a byte, because the relaxed dot wants one operand in 0 … 127. */
export type PrimaryBits = 2 | 4 | 7 | 32;
export const PRIMARY_BITS: readonly PrimaryBits[] = [2, 4, 7, 32];
/** Those that are codes: 32 keeps the vector as float32, unprojected, to compare with. */
export type PrimaryCodeBits = Exclude<PrimaryBits, 32>;
export const PRIMARY_CODE_BITS: readonly PrimaryCodeBits[] = [2, 4, 7];

/**
 * Widths of secondary codes; 32 stands for float32, 'nested' refines 2-bit primaries (nested.ts),
 * 'none' keeps the primary codes alone.
 */
export type SecondaryBits = 4 | 8 | 32 | 'nested' | 'none';
export const SECONDARY_BITS: readonly SecondaryBits[] = [4, 8, 32, 'nested', 'none'];

/** Fewer dimensions have nothing to spread. */
const ROTATED_DIMENSIONS_MIN = 16;

/** Whether vectors are rotated before their full-dimensional codes are made. */
export function isRotated(dimensions: number, secondaryBits: SecondaryBits): boolean {
  // Float32 needs no rotation, and nested codes are of what the projection has rotated.
  return dimensions >= ROTATED_DIMENSIONS_MIN && (secondaryBits === 4 || secondaryBits === 8);
}

/** Bytes of a cache line, the unit of primary records. */
export const LINE_BYTES = 64;

/** Bytes of a primary record's constants: scale and, for euclidean distances, half norm (float32). */
export function primaryConstants(distance: Distance): number {
  return distance === 'Euclid' ? 8 : 4;
}

/** Positions in a primary record, those that its constants take up included. */
export function primarySlots(bytes: number, bits: PrimaryBits): number {
  // float32 numbers are followed by one line of constants.
  if (bits === 32) return (bytes - LINE_BYTES) / 4;
  return (bytes * 8) / storedBits(bits);
}

/** Dimensions that a primary record of so many cache lines holds. */
export function primaryCapacity(lines: number, bits: PrimaryBits, distance: Distance): number {
  return ((lines * LINE_BYTES - primaryConstants(distance)) * 8) / storedBits(bits);
}

/** Half a line: the projection's outputs come in groups of 32, a byte each at the most. */
const RECORD_UNIT = 32;

/**
 * Bytes of the smallest primary record that holds so many dimensions: whole cache lines, half ones
 * where these are the only codes and every byte counts.
 */
export function primaryBytes(
  dimensions: number,
  bits: PrimaryBits,
  distance: Distance,
  secondaryBits?: SecondaryBits,
): number {
  if (bits === 32) return paddedDimensions(dimensions) * 4 + LINE_BYTES;
  const bytes = (dimensions * storedBits(bits)) / 8 + primaryConstants(distance);
  const unit = secondaryBits === 'none' ? RECORD_UNIT : LINE_BYTES;
  return Math.ceil(bytes / unit) * unit;
}

function storedBits(bits: PrimaryBits): number {
  return bits === 7 ? 8 : bits;
}

/**
 * Squared error of the best uniform grid on a gaussian of variance 1 (Max 1960, table II; 7 bits by
 * the same method): what quantization costs, as a share of the energy that is coded.
 */
export function gaussianDistortion(bits: PrimaryBits): number {
  return { 2: 0.1188, 4: 0.01154, 7: 0.000304, 32: 0 }[bits];
}
