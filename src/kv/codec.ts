import type { Steps } from '../base/steps.js';
import { alignUp, type Kernels } from '../kernels/index.js';
import { PANEL } from '../linalg/panel-products.js';
import type { KvBasis } from './basis.js';
import { type KvStream, TILE } from './stream.js';

/** Tokens that are projected by one call. */
const BLOCK = 4 * TILE;

/** What coding the tokens of a stream gives; energies are squared lengths of scaled, centred tokens. */
export interface CodedTokens {
  /** All codes of the stream, those of earlier tokens included. */
  readonly codes: Uint8Array;
  /** Of all tokens. */
  energy: number;
  /** What the coded components miss of it. */
  missed: number;
}

/** Widths, steps and working panels of a stream in the memory of kernels. */
export interface StagedStream {
  readonly widths: number;
  readonly steps: number;
  /** Room for the panels of a tile. */
  readonly panels: number;
}

export function stageStream(kernels: Kernels, { widths, steps }: KvStream): StagedStream {
  const n = widths.length;
  const staged = {
    widths: kernels.alloc(n),
    steps: kernels.alloc(n * 4),
    panels: kernels.alloc(n * TILE * 4),
  };
  kernels.u8(staged.widths, n).set(widths);
  kernels.f32(staged.steps, n).set(steps);
  return staged;
}

/** Rows from … to − 1 of U as float32, rank numbers each. */
export function* stageVectorsSteps(
  kernels: Kernels,
  { vectors, rank }: KvBasis,
  from: number,
  to: number,
): Steps<number> {
  const pointer = kernels.alloc((to - from) * rank * 4);
  const mark = kernels.mark();
  const halves = kernels.alloc(64 * rank * 2);
  for (let row = from; row < to; row += 64) {
    const part = vectors.subarray(row * rank, Math.min(to, row + 64) * rank);
    kernels.u16(halves, part.length).set(part);
    kernels.call.kvFromHalves(halves, part.length, pointer + (row - from) * rank * 4);
    yield;
  }
  kernels.release(mark);
  return pointer;
}

/**
 * Codes the tokens of a stream at positions from … to − 1; `fill` gives the numbers of one, as they are
 * in the cache. Tiles that are there keep their other tokens. The stream stays as it is.
 */
export function* encodeSteps(
  kernels: Kernels,
  stream: KvStream,
  from: number,
  to: number,
  fill: (position: number, row: Float32Array) => void,
): Steps<CodedTokens> {
  const { basis, widths } = stream;
  const { dimensions: d, rank } = basis;
  const n = widths.length;
  const codes = grownCodes(stream, to);
  const mark = kernels.mark();
  const stride = alignUp(Math.max(n, 1), PANEL);
  const matrix = kernels.alloc(d * stride * 4);
  const staged = stageStream(kernels, stream);
  const rows = kernels.alloc(BLOCK * d * 4);
  const products = kernels.alloc(BLOCK * stride * 4);
  const tile = kernels.alloc(stream.tileBytes);
  const whole = yield* stageVectorsSteps(kernels, basis, 0, d);
  kernels.call.packPanels(whole, d, n, rank, matrix);
  const found = { codes, energy: 0, missed: 0 };
  for (let start = from; start < to; ) {
    const end = Math.min(to, start - (start % TILE) + BLOCK);
    const count = end - start;
    const block = kernels.f32(rows, count * d);
    for (let i = 0; i < count; i++) fill(start + i, block.subarray(i * d, (i + 1) * d));
    const energy = scaleRows(block, basis);
    kernels.call.multiplyPanels(rows, d, count, d, matrix, stride / PANEL, products, stride);
    found.energy += energy;
    found.missed += energy - squares(kernels.f32(products, count * stride));
    for (let at = start; at < end; ) {
      const next = Math.min(end, at - (at % TILE) + TILE);
      const first = products + (at - start) * stride * 4;
      const place = codesOfTile(codes, stream, at);
      encodeTile(kernels, stream, staged, tile, place, at % TILE, next - at, first, stride);
      at = next;
    }
    start = end;
    yield;
  }
  kernels.release(mark);
  return found;
}

/** Codes `count` tokens of one tile from a slot on, given rows of coefficients. */
function encodeTile(
  kernels: Kernels,
  stream: KvStream,
  { widths, steps, panels }: StagedStream,
  tile: number,
  codes: Uint8Array,
  slot: number,
  count: number,
  rows: number,
  stride: number,
): void {
  const { tileBytes } = stream;
  const n = stream.widths.length;
  if (slot > 0) {
    // Coding what was decoded gives the same codes: the tokens before stay as they are.
    kernels.u8(tile, tileBytes).set(codes);
    kernels.call.kvDecode(tile, n, widths, steps, panels);
  } else {
    kernels.f32(panels, n * TILE).fill(0);
  }
  kernels.call.kvToPanels(rows, count, stride, n, slot, panels);
  kernels.call.kvEncode(panels, n, widths, steps, tile);
  codes.set(kernels.u8(tile, tileBytes));
}

/** A copy of the codes of a stream with room for so many tokens. */
function grownCodes({ codes, tileBytes }: KvStream, tokens: number): Uint8Array {
  const grown = new Uint8Array(Math.ceil(tokens / TILE) * tileBytes);
  grown.set(codes);
  return grown;
}

/** The bytes of the tile that a position is in. */
function codesOfTile(codes: Uint8Array, { tileBytes }: KvStream, position: number): Uint8Array {
  const tile = Math.floor(position / TILE);
  return codes.subarray(tile * tileBytes, (tile + 1) * tileBytes);
}

/** Rows of tokens ← S (x − mean); the sum of their squares. */
export function scaleRows(rows: Float32Array, { dimensions: d, mean, scale }: KvBasis): number {
  const width = d / scale.length;
  let sum = 0;
  for (let at = 0; at < rows.length; at += d) {
    for (let part = 0; part < scale.length; part++) {
      const factor = scale[part]!;
      for (let j = part * width; j < (part + 1) * width; j++) {
        const x = (rows[at + j]! - mean[j]!) * factor;
        rows[at + j] = x;
        sum += x * x;
      }
    }
  }
  return sum;
}

function squares(numbers: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < numbers.length; i++) sum += numbers[i]! * numbers[i]!;
  return sum;
}

/**
 * The numbers of one layer of a stream's coded tokens from … to − 1, as rows; those of exact tokens are
 * whatever their codes stand for.
 */
export function* decodeSteps(
  kernels: Kernels,
  stream: KvStream,
  part: number,
  from: number,
  to: number,
): Steps<Float32Array> {
  const { basis, tileBytes, codes } = stream;
  const width = basis.dimensions / basis.scale.length;
  const n = stream.widths.length;
  const out = new Float32Array((to - from) * width);
  const mark = kernels.mark();
  const matrix = yield* stageVectorsSteps(kernels, basis, part * width, (part + 1) * width);
  const { widths, steps, panels } = stageStream(kernels, stream);
  const tile = kernels.alloc(tileBytes);
  const block = kernels.alloc(width * PANEL * 4);
  const mean = basis.mean.subarray(part * width, (part + 1) * width);
  const inverse = 1 / basis.scale[part]!;
  for (let start = from - (from % TILE); start < to; start += TILE) {
    const at = (start / TILE) * tileBytes;
    kernels.u8(tile, tileBytes).set(codes.subarray(at, at + tileBytes));
    kernels.call.kvDecode(tile, n, widths, steps, panels);
    for (let half = 0; half < TILE; half += PANEL) {
      const panel = panels + half * n * 4;
      kernels.call.multiplyPanels(matrix, basis.rank, width, n, panel, 1, block, PANEL);
      const columns = kernels.f32(block, width * PANEL);
      const first = start + half;
      for (let t = Math.max(0, from - first); t < Math.min(PANEL, to - first); t++) {
        const row = out.subarray((first + t - from) * width, (first + t - from + 1) * width);
        for (let j = 0; j < width; j++) row[j] = mean[j]! + inverse * columns[j * PANEL + t]!;
      }
    }
    if (start % 256 === 0) yield;
  }
  kernels.release(mark);
  return out;
}
