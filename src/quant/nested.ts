import { Random } from '../base/random.js';
import type { Steps } from '../base/steps.js';
import { alignUp, type Kernels } from '../kernels/index.js';
import { randomOrthogonalSteps } from '../linalg/qr.js';
import { matrixProductSteps } from '../linalg/row-products.js';
import { allocateBlockBits } from './bit-allocation.js';
import { LINE_BYTES } from './layout.js';
import type { LeanVec } from './leanvec.js';

/** Coordinates in each block but the first, which is the primary's (wasm/nested.ts). */
export const NESTED_BLOCK = 128;
/** Bits a dimension that such a block may have. */
export const NESTED_WIDTHS: readonly number[] = [1, 2, 4];
/** Bits a slot of the primary. */
const CELL_BITS = 4;
const NORM_BYTES = 4;
const SCALE_BYTES = 2;

/** Principal components behind these vary so little that nobody misses them; they would take long. */
const COMPONENTS_MAX = 2048;

/** What the secondary records hold besides the primary's coordinates. */
export interface NestedModel {
  /** Bits a dimension of each block of 128 outputs. */
  bits: number[];
  /** 128 rows a block, of length up to 1: principal components behind the primary's, rotated. */
  projection: Float32Array;
}

/** Principal components that nested records may need. */
export function nestedTarget(dimensions: number): number {
  return Math.min(dimensions, COMPONENTS_MAX);
}

/** Bytes of the codes of a record. */
export function nestedCodeBytes(primaryBytes: number, bits: readonly number[]): number {
  const cells = (primaryBytes * 4 * CELL_BITS) / 8;
  return bits.reduce((sum, width) => sum + (NESTED_BLOCK * width) / 8, cells);
}

/** Bytes from one record to the next. */
export function nestedBytes(primaryBytes: number, bits: readonly number[]): number {
  const constants = NORM_BYTES + SCALE_BYTES * (1 + bits.length);
  return alignUp(nestedCodeBytes(primaryBytes, bits) + constants, 16);
}

/**
 * A third of a byte a dimension in whole cache lines, at least one line for what is not the
 * primary's: 256 bytes for 768 dimensions.
 */
function budget(dimensions: number, primaryBytes: number): number {
  const least = nestedCodeBytes(primaryBytes, []) + LINE_BYTES;
  return Math.max(least, alignUp(dimensions / 3, LINE_BYTES));
}

/**
 * Shares the budget out among blocks of the principal components behind the `used` first, and
 * rotates each block at random. The last block's few dimensions are spread over 128 outputs.
 */
export function* nestedSteps(
  kernels: Kernels,
  leanVec: LeanVec,
  used: number,
  primaryBytes: number,
  seed: number,
): Steps<NestedModel> {
  const { dimensions, target, basis, energies } = leanVec;
  const starts: number[] = [];
  for (let from = used; from < target; from += NESTED_BLOCK) starts.push(from);
  const sums = starts.map((from) =>
    energies.subarray(from, from + NESTED_BLOCK).reduce((sum, x) => sum + x, 0),
  );
  const { bits } = allocateBlockBits(
    // The error of inner products with queries like the data, spread evenly over the block.
    sums.map((sum) => ({ dimensions: NESTED_BLOCK, energy: sum ** 2 / NESTED_BLOCK })),
    budget(dimensions, primaryBytes) - nestedCodeBytes(primaryBytes, []) - NORM_BYTES - SCALE_BYTES,
    { widths: [0, ...NESTED_WIDTHS], constantBytes: SCALE_BYTES },
  );
  const kept = starts
    .map((from, b) => ({ from, width: bits[b]! }))
    .filter(({ width }) => width > 0);
  const projection = new Float32Array(kept.length * NESTED_BLOCK * dimensions);
  for (const [b, { from }] of kept.entries()) {
    const count = Math.min(NESTED_BLOCK, target - from);
    const rotation = yield* randomOrthogonalSteps(NESTED_BLOCK, new Random(seed + 1 + b));
    const rows = new Float64Array(NESTED_BLOCK * dimensions);
    rows.set(basis.subarray(from * dimensions, (from + count) * dimensions));
    const rotated = yield* matrixProductSteps(kernels, rotation, rows, NESTED_BLOCK);
    projection.set(rotated, b * NESTED_BLOCK * dimensions);
  }
  return { bits: kept.map(({ width }) => width), projection };
}

/** Whether bits of a saved model are those of blocks that a model can have. */
export function areNestedBits(bits: unknown): bits is number[] {
  return (
    Array.isArray(bits) &&
    bits.length <= COMPONENTS_MAX / NESTED_BLOCK &&
    bits.every((width) => NESTED_WIDTHS.includes(width))
  );
}
