// Fixed dimensional encodings of token sets (MUVERA, arXiv 2405.19504): one vector a set, so that
// the inner product of a query's with a document's is about Σ_q max_p <q, p>. Random hyperplanes cut
// the space into cells; a query sums its tokens in each cell, a document has their centroid there.
// Maps are linear, so a cell's tokens are added up first and projected once.
//
// Cells are found with the int16 projection (project.ts): a token whose product with a hyperplane is
// below 1e-5 of its length may come to the other side. Sums and projections are float32, in the order
// of the tokens and of their numbers: each errs by at most (n + d) · 2^-24 of Σ|x|.
// TypeScript writes these structures (src/fde/fields.ts): the order of the fields is the contract.

import { squaredLength } from './float';
import { projectGroup, quantiseInput } from './project';

/** What the empty cells of a document get. */
const FILL_TOKEN: u32 = 1;
const FILL_CENTROID: u32 = 2;

/** Cells that are shorter than this have no direction. */
const LENGTH_MIN: f64 = 1e-30;

/** What documents and queries are encoded with. */
// @ts-ignore: decorator
@unmanaged
export class Fde {
  /** Numbers in a token, and in a row of tokens: rounded up to 4, zero behind. */
  dimensions: u32;
  stride: u32;
  /** Hyperplanes a repetition: 2^partitionBits cells. */
  partitionBits: u32;
  repetitions: u32;
  /** The hyperplanes' normals of all repetitions, packed as project.ts has it, in groups of 32. */
  directions: u32;
  groups: u32;
  /** Numbers of a cell, and in a row of the inner projection: rounded up to 4, zero behind. */
  outputs: u32;
  outputStride: u32;
  /** A repetition after the other, `stride` rows of outputStride floats; 0 for the identity. */
  projection: u32;
  /** Centroids are divided by their length to this power. */
  exponent: f32;
  fill: u32;
  /** Numbers of an encoding, and before the final projection. */
  total: u32;
  whole: u32;
  /** Where each of `whole` numbers is added, with its sign in bit 31; 0 for no final projection. */
  places: u32;
}

/** The working memory of one thread. */
// @ts-ignore: decorator
@unmanaged
export class FdeScratch {
  /** A token as int16, and its products with 32 normals. */
  input: u32;
  products: u32;
  /** The cell of each token, a repetition after the other. */
  cells: u32;
  cellCapacity: u32;
  /** Sums (stride floats a cell) and counts of tokens, of one repetition. */
  sums: u32;
  counts: u32;
  /** outputStride floats. */
  row: u32;
  /** The encoding before the final projection. */
  whole: u32;
}

/**
 * Cells of n tokens in all repetitions. Their numbers are Gray codes of the sides, most significant
 * first: number ^ (number >> 1) are the sides again.
 */
function findCells(fde: Fde, scratch: FdeScratch, tokens: usize, n: u32): void {
  const bits = fde.partitionBits, repetitions = fde.repetitions;
  const products: usize = scratch.products, input: usize = scratch.input;
  const inputBytes = <usize>((fde.stride + 7) & ~7) << 1;
  const groupBytes = inputBytes << 5;
  for (let t: u32 = 0; t < n; t++) {
    quantiseInput(tokens + (<usize>(t * fde.stride) << 2), fde.stride, input);
    for (let g: u32 = 0; g < fde.groups; g++) {
      const out = products + (<usize>g << 7);
      projectGroup(input, input + inputBytes, <usize>fde.directions + <usize>g * groupBytes, out);
    }
    let product = products;
    let cell = <usize>scratch.cells + (<usize>t << 2);
    for (let r: u32 = 0; r < repetitions; r++) {
      let number: u32 = 0;
      for (let b: u32 = 0; b < bits; b++, product += 4) {
        number = (number << 1) + (u32(load<i32>(product) > 0) ^ (number & 1));
      }
      store<u32>(cell, number);
      cell += <usize>scratch.cellCapacity << 2;
    }
  }
}

/** Sums and counts of the tokens in each cell; sums of empty cells are left as they are. */
function sumCells(fde: Fde, scratch: FdeScratch, tokens: usize, n: u32, cells: usize): void {
  const bytes = <usize>fde.stride << 2;
  const counts: usize = scratch.counts;
  memory.fill(counts, 0, <usize>4 << fde.partitionBits);
  for (let t: u32 = 0; t < n; t++, tokens += bytes, cells += 4) {
    const cell = <usize>load<u32>(cells);
    const count = counts + (cell << 2);
    const tokensThere = load<u32>(count);
    store<u32>(count, tokensThere + 1);
    const sum = <usize>scratch.sums + cell * bytes;
    if (tokensThere == 0) memory.copy(sum, tokens, bytes);
    else addRow(sum, tokens, bytes);
  }
}

// @ts-ignore: decorator
@inline
function addRow(sum: usize, row: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(sum + i, f32x4.add(v128.load(sum + i), v128.load(row + i)));
  }
}

/**
 * The products of x with the columns of a projection, into `out`. A function of its own, exported so
 * that it stays one: see projectGroup.
 */
export function projectCell(
  x: usize, end: usize, projection: usize, strideBytes: usize, out: usize,
): void {
  let column: usize = 0;
  for (; column + 64 <= strideBytes; column += 64) {
    let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
    let row = projection + column;
    for (let at = x; at < end; at += 4, row += strideBytes) {
      const v = v128.load32_splat(at);
      s0 = f32x4.add(s0, f32x4.mul(v, v128.load(row)));
      s1 = f32x4.add(s1, f32x4.mul(v, v128.load(row, 16)));
      s2 = f32x4.add(s2, f32x4.mul(v, v128.load(row, 32)));
      s3 = f32x4.add(s3, f32x4.mul(v, v128.load(row, 48)));
    }
    v128.store(out + column, s0);
    v128.store(out + column, s1, 16);
    v128.store(out + column, s2, 32);
    v128.store(out + column, s3, 48);
  }
  for (; column < strideBytes; column += 16) {
    let s = f32x4.splat(0);
    let row = projection + column;
    for (let at = x; at < end; at += 4, row += strideBytes) {
      s = f32x4.add(s, f32x4.mul(v128.load32_splat(at), v128.load(row)));
    }
    v128.store(out + column, s);
  }
}

/** Writes factor · ψ(x), where ψ is the inner projection of a repetition. */
function writeCell(
  fde: Fde, scratch: FdeScratch, x: usize, factor: f32, projection: usize, out: usize,
): void {
  let row = x;
  if (projection != 0) {
    row = scratch.row;
    const strideBytes = <usize>fde.outputStride << 2;
    projectCell(x, x + (<usize>fde.stride << 2), projection, strideBytes, row);
  }
  const n = <usize>fde.outputs << 2, whole = n & ~15;
  const f = f32x4.splat(factor);
  let i: usize = 0;
  for (; i < whole; i += 16) v128.store(out + i, f32x4.mul(v128.load(row + i), f));
  for (; i < n; i += 4) store<f32>(out + i, load<f32>(row + i) * factor);
}

/** What makes a sum of `count` tokens the centroid of a cell, divided by its length^exponent. */
function centroidFactor(fde: Fde, sum: usize, count: u32): f32 {
  if (fde.exponent == 0) return <f32>(1 / <f64>count);
  const length = Math.sqrt(squaredLength(sum, fde.stride));
  if (!(length > LENGTH_MIN)) return 0;
  if (fde.exponent == 1) return <f32>(1 / length);
  return <f32>(1 / (<f64>count * power(length / <f64>count, <f64>fde.exponent)));
}

/**
 * x to an exponent between 0 and 1, as the product of the square roots that its binary digits name:
 * Math.pow would bring tables of its own along.
 */
function power(x: f64, exponent: f64): f64 {
  let product: f64 = 1;
  for (let digit: u32 = 0; digit < 53 && exponent > 0; digit++) {
    x = Math.sqrt(x);
    exponent *= 2;
    if (exponent < 1) continue;
    product *= x;
    exponent -= 1;
  }
  return product;
}

/** The token whose sides differ in the fewest places from those of a cell, the first of several. */
function nearestToken(cells: usize, n: u32, sides: u32): u32 {
  let nearest: u32 = 0;
  let least: u32 = 33;
  for (let t: u32 = 0; t < n; t++) {
    const number = load<u32>(cells + (<usize>t << 2));
    const differing = popcnt(number ^ (number >> 1) ^ sides);
    if (differing < least) {
      least = differing;
      nearest = t;
    }
  }
  return nearest;
}

/** The cell with tokens whose sides differ in the fewest places, the lowest of several. */
function nearestCell(counts: usize, cells: u32, sides: u32): u32 {
  let nearest: u32 = 0;
  let least: u32 = 33;
  for (let c: u32 = 0; c < cells; c++) {
    if (load<u32>(counts + (<usize>c << 2)) == 0) continue;
    const differing = popcnt(c ^ (c >> 1) ^ sides);
    if (differing < least) {
      least = differing;
      nearest = c;
    }
  }
  return nearest;
}

/** One repetition of a set of n > 0 tokens. */
function encodeRepetition(
  fde: Fde, scratch: FdeScratch, tokens: usize, n: u32, cells: usize, projection: usize,
  isQuery: bool, out: usize,
): void {
  const count: u32 = 1 << fde.partitionBits;
  const cellBytes = <usize>fde.outputs << 2;
  const counts: usize = scratch.counts;
  sumCells(fde, scratch, tokens, n, cells);
  for (let c: u32 = 0; c < count; c++) {
    const tokensThere = load<u32>(counts + (<usize>c << 2));
    if (tokensThere == 0) continue;
    const sum = <usize>scratch.sums + (<usize>(c * fde.stride) << 2);
    const factor = isQuery ? <f32>1 : centroidFactor(fde, sum, tokensThere);
    writeCell(fde, scratch, sum, factor, projection, out + <usize>c * cellBytes);
  }
  if (isQuery || fde.fill == 0) return;
  for (let c: u32 = 0; c < count; c++) {
    if (load<u32>(counts + (<usize>c << 2)) != 0) continue;
    const to = out + <usize>c * cellBytes, sides = c ^ (c >> 1);
    if (fde.fill == FILL_TOKEN) {
      const token = nearestToken(cells, n, sides);
      writeCell(fde, scratch, tokens + (<usize>(token * fde.stride) << 2), 1, projection, to);
    } else if (fde.fill == FILL_CENTROID) {
      memory.copy(to, out + <usize>nearestCell(counts, count, sides) * cellBytes, cellBytes);
    }
  }
}

/** The final projection: each number is added to one place, or subtracted. */
function sketch(fde: Fde, from: usize, out: usize): void {
  memory.fill(out, 0, <usize>fde.total << 2);
  for (let i: usize = 0; i < <usize>fde.whole << 2; i += 4) {
    const place = load<u32>(<usize>fde.places + i);
    const to = out + (<usize>(place & 0x7fffffff) << 2);
    const value = reinterpret<f32>(reinterpret<u32>(load<f32>(from + i)) ^ (place & 0x80000000));
    store<f32>(to, load<f32>(to) + value);
  }
}

/**
 * Encodes the sets of tokens with the numbers from … to − 1 of those at `tokens` (rows of `stride`
 * floats): set i has the rows offsets[i] … offsets[i + 1] − 1, at most cellCapacity; without any its
 * encoding is zero. Set i goes to out + i · total floats.
 */
export function encodeSets(
  fde: Fde, scratch: FdeScratch, tokens: usize, offsets: usize, from: u32, to: u32,
  isQuery: u32, out: usize,
): void {
  const repetitionBytes = <usize>fde.outputs << <usize>(fde.partitionBits + 2);
  const projectionBytes = <usize>(fde.stride * fde.outputStride) << 2;
  for (let i = from; i < to; i++) {
    const first = load<u32>(offsets + (<usize>i << 2));
    const n = load<u32>(offsets + (<usize>i << 2), 4) - first;
    const rows = tokens + (<usize>first * <usize>fde.stride << 2);
    const encoding = out + (<usize>i * <usize>fde.total << 2);
    const whole = fde.places == 0 ? encoding : <usize>scratch.whole;
    memory.fill(whole, 0, <usize>fde.whole << 2);
    if (n > 0) findCells(fde, scratch, rows, n);
    for (let r: u32 = 0; r < fde.repetitions && n > 0; r++) {
      const projection = fde.projection == 0 ? <usize>0 : <usize>fde.projection + <usize>r * projectionBytes;
      const cells = <usize>scratch.cells + (<usize>(r * scratch.cellCapacity) << 2);
      const at = whole + <usize>r * repetitionBytes;
      encodeRepetition(fde, scratch, rows, n, cells, projection, isQuery != 0, at);
    }
    if (fde.places != 0) sketch(fde, whole, encoding);
  }
}
