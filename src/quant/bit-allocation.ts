import { checkInteger } from '../base/check.js';
import { outOfRange } from '../base/errors.js';

/** A bit halves the error of a coordinate, so its energy, the square, falls to a quarter. */
const BIT_FACTOR = 4;

/**
 * Mean squared error of a gaussian of variance 1 coded with 0 … 8 bits on the best levels (Lloyd
 * and Max; Max 1960, table I; from 6 bits on by the same fixed point, the last two to 1 %).
 */
export const GAUSSIAN_DISTORTION: readonly number[] = [
  1, 0.36338, 0.117482, 0.0345478, 0.00950101, 0.00250467, 0.00064424, 0.0001634, 0.0000412,
];

/** The widths that blocks take unless told otherwise. */
const WIDTHS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 8];

/** Dimensions that are coded alike, with one width. */
export interface Block {
  readonly dimensions: number;
  /** What an uncoded block adds to the error; see rotatedEnergy. */
  readonly energy: number;
  /** Error left by each width, from 0 bits on, as a share of the energy. Default: a gaussian's. */
  readonly distortion?: readonly number[];
}

export interface BlockAllocation {
  /** Bits a dimension of each block. */
  readonly bits: Uint8Array;
  /** What they take, constants included: at most the budget. */
  readonly bytes: number;
  /** Expected error: Σ energy · distortion(bits). */
  readonly distortion: number;
}

export interface BlockOptions {
  /** Widths to choose from. Default 0, 1, 2, 3, 4, 5, 6 and 8. */
  widths?: readonly number[];
  /** Bytes that a block with any codes takes besides them. Default 2: a scale of 16 bits. */
  constantBytes?: number;
}

/**
 * Bits a dimension by greedy reverse water-filling (SQUASH, arXiv 2502.01528): each bit goes where
 * the most energy is left, the lowest index of equal ones, and leaves a quarter of it.
 *
 * @param energies of the dimensions, finite and not negative.
 * @param budget bits in all; what is beyond energies.length · max stays unspent.
 * @param max bits that a dimension takes at the most, 1 … 16.
 * @returns bits that do not rise from an energy to a smaller one.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`.
 */
export function allocateBits(energies: ArrayLike<number>, budget: number, max = 8): Uint8Array {
  checkInteger('budget', budget, 0, Number.MAX_SAFE_INTEGER);
  checkInteger('max', max, 1, 16);
  const left = Float64Array.from(energies);
  left.forEach((energy, i) => {
    checkEnergy(`energies[${i}]`, energy);
  });
  const bits = new Uint8Array(left.length);
  for (let spent = Math.min(budget, max * left.length); spent > 0; spent--) {
    let best = -1;
    for (let i = 0; i < left.length; i++) {
      if (bits[i]! < max && (best < 0 || left[i]! > left[best]!)) best = i;
    }
    bits[best] = bits[best]! + 1;
    left[best] = left[best]! / BIT_FACTOR;
  }
  return bits;
}

/**
 * The widths of blocks with the least expected error within a budget of bytes: exact, by dynamic
 * programming over the bytes. Of equal errors the one with fewer bytes is taken.
 *
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, also where the smallest widths exceed the budget.
 */
export function allocateBlockBits(
  blocks: readonly Block[],
  budget: number,
  options: BlockOptions = {},
): BlockAllocation {
  checkInteger('budget', budget, 0, 2 ** 20);
  const constantBytes = checkInteger('constantBytes', options.constantBytes ?? 2, 0, 64);
  const widths = options.widths ?? WIDTHS;
  widths.forEach((width, i) => {
    checkInteger(`widths[${i}]`, width, 0, 16);
  });
  // errors[b]: the least error of the blocks so far in b bytes exactly; choices: its last width.
  let errors = new Float64Array(budget + 1).fill(Infinity);
  errors[0] = 0;
  const choices = blocks.map((block, i) => {
    const next = new Float64Array(budget + 1).fill(Infinity);
    const choice = new Int8Array(budget + 1).fill(-1);
    for (const width of widths) {
      const error = errorOf(block, width, i);
      const bytes = bytesOf(block, width, constantBytes);
      for (let b = bytes; b <= budget; b++) {
        if (errors[b - bytes]! + error >= next[b]!) continue;
        next[b] = errors[b - bytes]! + error;
        choice[b] = width;
      }
    }
    errors = next;
    return choice;
  });
  const total = errors.indexOf(errors.reduce((least, error) => Math.min(least, error)));
  const distortion = errors[total]!;
  if (!(distortion < Infinity))
    throw outOfRange('budget', 'enough for the smallest widths', budget);
  const bits = new Uint8Array(blocks.length);
  let b = total;
  for (let i = blocks.length - 1; i >= 0; i--) {
    bits[i] = choices[i]![b]!;
    b -= bytesOf(blocks[i]!, bits[i]!, constantBytes);
  }
  return { bits, bytes: total, distortion };
}

/**
 * What an uncoded block of dimensions from … to − 1 adds to the squared error of inner products
 * after a random rotation within it: Σ λ · Σ w / n, since the rotation gives all its n dimensions
 * the mean of the data's variances λ and of the queries' second moments w. Without knowledge of the
 * queries λ stands for w: the error counts where the data, and so queries like them, vary.
 */
export function rotatedEnergy(
  dataVariances: ArrayLike<number>,
  queryVariances: ArrayLike<number>,
  from: number,
  to: number,
): number {
  let [data, queries] = [0, 0];
  for (let i = from; i < to; i++) {
    data += dataVariances[i]!;
    queries += queryVariances[i]!;
  }
  return (data * queries) / (to - from);
}

function bytesOf({ dimensions }: Block, bits: number, constantBytes: number): number {
  return bits === 0 ? 0 : Math.ceil((dimensions * bits) / 8) + constantBytes;
}

function errorOf({ energy, distortion }: Block, bits: number, index: number): number {
  checkEnergy(`the energy of block ${index}`, energy);
  const shares = distortion ?? GAUSSIAN_DISTORTION;
  const share = shares[bits];
  if (share === undefined) {
    throw outOfRange('widths', `at most ${shares.length - 1}, whose distortion is known`, bits);
  }
  return energy * share;
}

function checkEnergy(what: string, energy: number): void {
  if (!(energy >= 0 && energy < Infinity)) throw outOfRange(what, 'finite, not negative', energy);
}
