/**
 * Scalar twin of wasm/nested.ts: an oracle for the tests, not exported by the package. The kernel
 * encodes in float64 as well, so codes and scales are the same to the bit.
 */
import { packCodes } from './pack.js';
import { clamp } from './round.js';

const { fround } = Math;

export const BLOCK = 128;
/** Magnitudes of an outer cell's levels, in 1/32 of the primary's step. */
export const OUTER_LEVELS = [33, 36, 39, 42, 46, 49, 53, 57, 61, 65, 70, 76, 83, 91, 101, 118];

/** Codes and levels of a block, and its scale before rounding. */
export interface CodedBlock {
  codes: Uint8Array;
  levels: Int8Array;
  scale: number;
}

/** The level of a code of block 0 in one of the primary's four cells. */
export function cellLevel(cell: number, code: number): number {
  const magnitude = cell === 1 || cell === 2 ? 2 * code + 1 : OUTER_LEVELS[code]!;
  return cell < 2 ? -magnitude : magnitude;
}

/** The code of the level nearest to x / unit; of two equally near the outer one. */
function cellCode(x: number, cell: number, unit: number): number {
  const v = (cell < 2 ? -x : x) / unit;
  if (cell === 1 || cell === 2) return clamp(Math.floor(v / 2), 0, 15);
  return OUTER_LEVELS.filter((level, i) => i > 0 && 2 * v >= OUTER_LEVELS[i - 1]! + level).length;
}

function sum(n: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < n; i++) total += term(i);
  return total;
}

/** Block 0: z and the primary's codes, one a slot; slots without a coordinate get code 0. */
export function encodeCells(
  z: Float32Array,
  cells: Uint8Array,
  isUsed: (slot: number) => boolean,
): CodedBlock {
  const n = z.length;
  const codes = new Uint8Array(n);
  const used = Array.from(codes.keys()).filter(isUsed);
  const over = (term: (i: number) => number) => sum(used.length, (i) => term(used[i]!));
  const levelOf = (i: number) => cellLevel(cells[i]!, codes[i]!);
  const bestUnit = (level: (i: number) => number) =>
    over((i) => z[i]! * level(i)) / over((i) => level(i) * level(i));
  const coarse = (i: number) => cells[i]! - 1.5;
  let scale = 0;
  if (over((i) => z[i]! * coarse(i)) > 0) {
    let unit = bestUnit(coarse) / 32;
    for (let round = 0; round < 2; round++) {
      for (const i of used) codes[i] = cellCode(z[i]!, cells[i]!, unit);
      unit = bestUnit(levelOf);
    }
    scale = fround(over((i) => z[i]! * z[i]!) / over((i) => z[i]! * levelOf(i)));
  }
  const levels = Int8Array.from(codes, (_, i) => (isUsed(i) ? levelOf(i) : 0));
  return { codes, levels, scale };
}

/** Half the step of a gaussian's best uniform grid, in standard deviations. */
const GAUSSIAN_UNIT: Record<number, number> = { 1: 0.7979, 2: 0.4979, 4: 0.1676 };

/** A block behind the first: 128 coordinates on a uniform grid of odd numbers. */
export function encodeBlock(z: Float32Array, bits: number): CodedBlock {
  const n = z.length;
  const top = 2 ** bits - 1;
  const codes = new Uint8Array(n);
  const levelOf = (i: number) => 2 * codes[i]! - top;
  const squares = sum(n, (i) => z[i]! * z[i]!);
  let scale = 0;
  if (squares > 0) {
    let unit = GAUSSIAN_UNIT[bits]! * Math.sqrt(squares / n);
    for (let round = 0; round < 3; round++) {
      z.forEach((x, i) => {
        codes[i] = clamp(Math.floor(x / unit / 2) + 2 ** (bits - 1), 0, top);
      });
      unit = sum(n, (i) => z[i]! * levelOf(i)) / sum(n, (i) => levelOf(i) ** 2);
    }
    scale = fround(squares / sum(n, (i) => z[i]! * levelOf(i)));
  }
  return { codes, levels: Int8Array.from(codes, (_, i) => levelOf(i)), scale };
}

const words = new DataView(new ArrayBuffer(4));

/** float32 → the nearest bfloat16, ties to even, as a number. */
export function roundToBfloat(x: number): number {
  words.setFloat32(0, x);
  const bits = words.getUint32(0);
  words.setUint32(0, ((bits + 0x7fff + ((bits >>> 16) & 1)) & 0xffff_0000) >>> 0);
  return words.getFloat32(0);
}

/** A record: codes, norm, scales. */
export function nestedRecord(blocks: readonly CodedBlock[], bits: readonly number[], norm: number) {
  const parts = blocks.map(({ codes }, b) =>
    b === 0 ? packCodes(codes, 4) : packBlock(codes, bits[b - 1]!),
  );
  const constants = new DataView(new ArrayBuffer(4 + 2 * blocks.length));
  constants.setFloat32(0, norm, true);
  blocks.forEach(({ scale }, b) => {
    words.setFloat32(0, roundToBfloat(scale));
    constants.setUint16(4 + 2 * b, words.getUint16(0), true);
  });
  return Uint8Array.from([...parts, new Uint8Array(constants.buffer)].flatMap((part) => [...part]));
}

/** Codes of 128 coordinates; with one bit, byte a holds dimensions a, 16 + a … 112 + a. */
function packBlock(codes: Uint8Array, bits: number): Uint8Array {
  if (bits !== 1) return packCodes(codes, bits as 2 | 4);
  const packed = new Uint8Array(16);
  codes.forEach((code, i) => {
    packed[i % 16]! |= code << (i >> 4);
  });
  return packed;
}

/** <q, ẑ> of an int16 query over all blocks, in its units. */
export function nestedDot(q: Int16Array, blocks: readonly CodedBlock[]): number {
  let from = 0;
  let total = 0;
  blocks.forEach(({ levels, scale }, b) => {
    const product = fround(sum(levels.length, (i) => q[from + i]! * levels[i]!));
    const term = fround(roundToBfloat(scale) * product);
    total = b === 0 ? term : fround(total + term);
    from += levels.length;
  });
  return total;
}
