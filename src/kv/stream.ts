import { Kernels } from '../kernels/index.js';
import type { KvBasis } from './basis.js';
import { stepOf } from './fit.js';
import { bitsOf } from './plan.js';

/** Tokens that are coded together (wasm/kv.ts). */
export const TILE = 16;

/** The tokens of a basis: tiles of codes, and those that are kept exact. Positions count from the segment's start. */
export interface KvStream {
  readonly basis: KvBasis;
  /** Bits of each component, up to the last that is coded. */
  readonly widths: Uint8Array;
  /** Of each coded component: what makes its step (stepOf). */
  readonly exponents: Int8Array;
  /** Quantisation step of each coded component. */
  readonly steps: Float32Array;
  /** Bytes of a tile. */
  readonly tileBytes: number;
  /** Whole tiles from position 0 on; slots of tokens that are not there yet are coded as 0. */
  readonly codes: Uint8Array;
  /** Rows of binary16, basis.dimensions of each, by rising position. */
  readonly exact: ReadonlyMap<number, Uint16Array>;
}

/** A stream without tokens. `exponents`: see stepOf(), one a component. */
export function newStream(basis: KvBasis, widths: Uint8Array, exponents: Int8Array): KvStream {
  const steps = Float32Array.from(widths, (width, i) => {
    return stepOf(basis.variances[i]!, width, exponents[i]!);
  });
  const tileBytes = (bitsOf(widths) * TILE) / 8;
  const codes = new Uint8Array(0);
  return { basis, widths, exponents, steps, tileBytes, codes, exact: new Map() };
}

/** Bytes of all tokens, exact ones with their positions, and of what their codes mean. */
export function streamBytes({ codes, exact, basis, widths }: KvStream): number {
  return codes.length + exact.size * exactBytes(basis) + meaningBytes(widths.length);
}

/** Bytes of the widths and exponents of so many components: a nibble and a byte each. */
export function meaningBytes(components: number): number {
  return Math.ceil(components / 2) + components;
}

/** Bytes of a token that is kept exact. */
export function exactBytes(basis: KvBasis): number {
  return 2 * basis.dimensions + 4;
}

/** Kernels for rows of tokens that are kept exact, at first use. */
let rowKernels: Kernels | undefined;

/** Numbers as binary16. */
export function halvesOf(row: Float32Array): Uint16Array {
  rowKernels ??= new Kernels();
  const kernels = rowKernels;
  const mark = kernels.mark();
  const from = kernels.copyF32(row);
  const to = kernels.alloc(row.length * 2);
  kernels.call.kvToHalves(from, row.length, to);
  const halves = kernels.u16(to, row.length).slice();
  kernels.release(mark);
  return halves;
}

/** binary16 numbers as float32. */
export function floatsOf(halves: Uint16Array): Float32Array {
  rowKernels ??= new Kernels();
  const kernels = rowKernels;
  const mark = kernels.mark();
  const from = kernels.alloc(halves.length * 2);
  const to = kernels.alloc(halves.length * 4);
  kernels.u16(from, halves.length).set(halves);
  kernels.call.kvFromHalves(from, halves.length, to);
  const row = kernels.f32(to, halves.length).slice();
  kernels.release(mark);
  return row;
}
