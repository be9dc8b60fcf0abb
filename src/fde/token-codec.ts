import { checkInteger, checkOneOf } from '../base/check.js';
import { outOfRange } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { checkRowValues } from '../graph/rows.js';
import { type Kernels, paddedDimensions } from '../kernels/index.js';
import { isRotated } from '../quant/layout.js';
import { writeSigns } from '../quant/rotation.js';

/** Bits of a stored number: float32, float16, or LVQ codes (arXiv 2304.04759). */
export type TokenBits = 32 | 16 | 8 | 4;
export const TOKEN_BITS: readonly TokenBits[] = [32, 16, 8, 4];

const DIMENSIONS_MAX = 32_768;
/** The largest binary16. */
const HALF_MAX = 65_504;
/** Rows that are copied to the kernels at a time. */
const STAGED_ROWS = 64;
/** A part of the saved form: the codes depend on it. */
const ROTATION_SEED = 1;

/** Tokens as records in the memory of kernels, and back (wasm/token.ts). */
export class TokenCodec {
  readonly kernels: Kernels;
  readonly dimensions: number;
  readonly bits: TokenBits;
  readonly recordBytes: number;
  /** Signs of the rotation that codes are made after; 0 for none. */
  readonly signs: number;
  private readonly staged: number;
  private readonly work: number;

  /** @throws TypeError, RangeError `INVALID_ARGUMENT` */
  constructor(kernels: Kernels, dimensions: number, bits: TokenBits) {
    this.kernels = kernels;
    this.dimensions = checkInteger('dimensions', dimensions, 1, DIMENSIONS_MAX);
    this.bits = checkOneOf('bits', bits, TOKEN_BITS);
    this.recordBytes = kernels.call.tokenBytes(dimensions, bits);
    const rotates = bits !== 16 && isRotated(dimensions, bits);
    this.signs = rotates ? writeSigns(kernels, dimensions, ROTATION_SEED) : 0;
    this.staged = kernels.alloc(STAGED_ROWS * dimensions * 4);
    this.work = kernels.alloc(paddedDimensions(dimensions) * 5);
  }

  /** @throws RangeError for NaN, infinity, and numbers that records or dot products do not hold. */
  *checkSteps(what: string, rows: Float32Array, bits: TokenBits = this.bits): Steps<void> {
    const { dimensions } = this;
    yield* checkRowValues(rows, { dimensions, distance: 'Dot', model: undefined }, what);
    if (bits !== 16) return;
    for (const { from, size } of this.parts(rows.length / dimensions)) {
      const part = rows.subarray(from * dimensions, (from + size) * dimensions);
      const at = part.findIndex((x) => Math.abs(x) > HALF_MAX);
      if (at >= 0) {
        const where = `row ${from + Math.floor(at / dimensions)}, column ${at % dimensions}`;
        throw outOfRange(`${what} at ${where}`, `at most ${HALF_MAX} with 16 bits`, part[at]);
      }
      yield;
    }
  }

  /** Writes the records of checked rows. */
  encode(rows: Float32Array, address: number): void {
    const { dimensions, bits, signs, work } = this;
    for (const { from, size } of this.parts(rows.length / dimensions)) {
      const part = rows.subarray(from * dimensions, (from + size) * dimensions);
      this.kernels.f32(this.staged, part.length).set(part);
      const at = address + from * this.recordBytes;
      this.kernels.call.encodeTokens(this.staged, size, dimensions, bits, signs, work, at);
    }
  }

  /** The tokens that records stand for, count x dimensions. */
  decode(address: number, count: number): Float32Array {
    const { dimensions, bits, signs, staged, work } = this;
    const rows = new Float32Array(count * dimensions);
    for (const { from, size } of this.parts(count)) {
      const at = address + from * this.recordBytes;
      this.kernels.call.decodeTokens(at, size, dimensions, bits, signs, work, staged);
      rows.set(this.kernels.f32(staged, size * dimensions), from * dimensions);
    }
    return rows;
  }

  /** The length of the longest token; NaN or infinity if one has a number that is neither. */
  longest(address: number, count: number): number {
    return this.kernels.call.longestToken(address, count, this.dimensions, this.bits, this.work);
  }

  private *parts(count: number): Generator<{ from: number; size: number }> {
    for (let from = 0; from < count; from += STAGED_ROWS) {
      yield { from, size: Math.min(STAGED_ROWS, count - from) };
    }
  }
}
