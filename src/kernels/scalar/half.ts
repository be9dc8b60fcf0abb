/**
 * Scalar twin of wasm/half.ts: an oracle for the tests, not exported by the package. binary16 by the
 * arithmetic of its definition, where the kernel shifts bits.
 */
import { nearest } from './round.js';

const SIGN_BIT = 0x8000;
const INFINITY_BITS = 0x7c00;
const NAN_BITS = 0x7e00;
/** Halfway between the largest binary16, 65,504, and what would follow it. */
const OVERFLOW = 65_520;
const EXPONENT_MIN = -14;
const MANTISSA_STEPS = 1024;

/** A number → binary16 bits, round to nearest, ties to even; overflow becomes infinity. */
export function toHalf(x: number): number {
  if (Number.isNaN(x)) return NAN_BITS;
  const sign = x < 0 || Object.is(x, -0) ? SIGN_BIT : 0;
  const magnitude = Math.abs(x);
  if (magnitude >= OVERFLOW) return sign | INFINITY_BITS;
  const exponent = Math.max(EXPONENT_MIN, floorLog2(magnitude));
  // 1024 … 2048 steps in a binade; below the smallest one fewer, which are the subnormals.
  const steps = nearest((magnitude / 2 ** exponent) * MANTISSA_STEPS);
  return sign | ((exponent - EXPONENT_MIN) * MANTISSA_STEPS + steps);
}

/** binary16 bits → the number. */
export function fromHalf(bits: number): number {
  const sign = bits >= SIGN_BIT ? -1 : 1;
  const exponent = Math.floor(bits / MANTISSA_STEPS) % 32;
  const mantissa = (bits % MANTISSA_STEPS) / MANTISSA_STEPS;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * 2 ** EXPONENT_MIN * mantissa;
  return sign * 2 ** (exponent - 15) * (1 + mantissa);
}

export function roundToHalf(x: number): number {
  return fromHalf(toHalf(x));
}

/** The largest binary16 number not above x. */
export function halfBelow(x: number): number {
  const bits = toHalf(x);
  if (fromHalf(bits) <= x) return fromHalf(bits);
  return fromHalf(bits >= SIGN_BIT ? bits + 1 : bits - 1);
}

/** floor(log2 x), −Infinity for 0; Math.log2 may be off by one next to a power of two. */
function floorLog2(x: number): number {
  const guess = Math.floor(Math.log2(x));
  if (2 ** guess > x) return guess - 1;
  return 2 ** (guess + 1) <= x ? guess + 1 : guess;
}
