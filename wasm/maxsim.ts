// MaxSim, the score of late interaction (ColBERT, arXiv 2004.12832; Chamfer similarity in MUVERA,
// arXiv 2405.19504): the sum over a query's rows of the largest dot product with a row of the document.
// Documents without rows score 0.
//
// Query rows are taken four at a time (a panel), two document rows each: eight sums in registers.
// Float records are multiplied in float32, codes as integers with an int16 query of length 32,767 as
// in the re-rank (project.ts). Errors of one dot of query row q with decoded row x̂:
//   32 and 16 bits: at most (d / 4 + 4) · 2^-24 · Σ|q_j x̂_j|;
//   8 and 4 bits: rounding the query costs at most ‖q‖ / 65,000 · Σ|c_j − c_mid| scale, with c_mid half
//   of the highest code (some 1e-5 ‖q‖‖x̂‖ in practice), the constants 16 √d · 2^-24 · ‖q‖ max|x̂_j|.
//
// A panel: 64 bytes of constants (four factors, four offsets, four sums Σq_j, then the f64 sum of the
// lengths of the rows in all later panels), then for each 16 bytes of a row those of its four rows.
// Rows of zeros fill the last panel: they add 0 to a score.

import { offerKey, keyDistance, makeKey } from './beam';
import { squaredLength } from './float';
import { codeBytes } from './pack';
import { quantiseInput } from './project';
import { rotate } from './rotate';
import { expandedBytes, expandTokens, tokenBytes, tokenWidth } from './token';

const HEAD: usize = 64;

/** Bytes of a number of a query row, of a number of an expanded document row. */
// @ts-ignore: decorator
@inline
function numberShift(bits: i32): usize {
  return bits > 8 ? 2 : 1;
}

export function panelBytes(d: i32, bits: i32): usize {
  return HEAD + (<usize>tokenWidth(d, bits) << (numberShift(bits) + 2));
}

/** Writes row r of a query, `row` with zeros behind its d numbers, into its place in the panels. */
function packRow(row: usize, r: i32, d: i32, bits: i32, short: usize, panels: usize): void {
  const panel = panels + <usize>(r >> 2) * panelBytes(d, bits);
  const lane = <usize>(r & 3);
  const width = tokenWidth(d, bits);
  let source = row;
  if (bits <= 8) {
    const factor = quantiseInput(row, width, short);
    let total: i64 = 0, sum: f64 = 0;
    for (let i: usize = 0; i < <usize>width; i++) {
      total += <i64>load<i16>(short + (i << 1));
      sum += <f64>load<f32>(row + (i << 2));
    }
    // <q, c> ≈ factor · <q̃, c − mid> + mid · Σq, so that rounding q counts for c − mid only.
    const mid = <f64>((1 << bits) - 1) * 0.5;
    store<f32>(panel + (lane << 2), factor);
    store<f32>(panel + (lane << 2), <f32>(mid * (sum - <f64>factor * <f64>total)), 16);
    store<f32>(panel + (lane << 2), <f32>sum, 32);
    source = short;
  }
  const end = source + (<usize>width << numberShift(bits));
  for (let at = panel + HEAD + (lane << 4); source < end; source += 16, at += 64) {
    v128.store(at, v128.load(source));
  }
}

/**
 * The panels of a query of m rows of d float32. signs: of the documents' rotation, 0 for none; row: room
 * for width float32, then width int16; panels: zeroed memory, panelBytes for each four rows begun.
 */
export function packQuery(
  rows: usize, m: i32, d: i32, bits: i32, signs: usize, row: usize, panels: usize,
): void {
  const width = tokenWidth(d, bits), bytes = panelBytes(d, bits);
  memory.fill(row, 0, <usize>width << 2);
  let rest: f64 = 0;
  for (let r = m - 1; r >= 0; r--) {
    // From the last row to the first: the lengths behind a panel are known when it begins.
    if ((r & 3) == 3 || r == m - 1) store<f64>(panels + <usize>(r >> 2) * bytes, rest, 48);
    memory.copy(row, rows + <usize>r * (<usize>d << 2), <usize>d << 2);
    if (signs != 0) rotate(row, signs, d);
    rest += Math.sqrt(squaredLength(row, width));
    packRow(row, r, d, bits, row + (<usize>width << 2), panels);
  }
}

/** The totals of the lanes of a, b, c and d, as the lanes of one. */
// @ts-ignore: decorator
@inline
function sums4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7));
}

/** The same of integers, as float32. */
// @ts-ignore: decorator
@inline
function integerSums4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return f32x4.convert_i32x4_s(
    i32x4.add(v128.shuffle<i32>(ab, cd, 0, 1, 4, 5), v128.shuffle<i32>(ab, cd, 2, 3, 6, 7)),
  );
}

/**
 * For the four rows of a panel the largest dot with n float rows of `bytes` bytes, as a v128 at `out`.
 * A function of its own, exported so that it stays one, as projectGroup.
 */
export function maxDotsFloat(panel: usize, rows: usize, n: i32, bytes: usize, out: usize): void {
  let best = f32x4.splat(-Infinity);
  for (; n > 0; n -= 2, rows += bytes << 1) {
    // Without a second row the first is taken twice.
    let x = rows, y = n > 1 ? rows + bytes : rows, q = panel + HEAD;
    let x0 = f32x4.splat(0), x1 = x0, x2 = x0, x3 = x0, y0 = x0, y1 = x0, y2 = x0, y3 = x0;
    for (const end = rows + bytes; x < end; x += 16, y += 16, q += 64) {
      const vx = v128.load(x), vy = v128.load(y);
      const q0 = v128.load(q), q1 = v128.load(q, 16);
      x0 = f32x4.add(x0, f32x4.mul(q0, vx));
      y0 = f32x4.add(y0, f32x4.mul(q0, vy));
      x1 = f32x4.add(x1, f32x4.mul(q1, vx));
      y1 = f32x4.add(y1, f32x4.mul(q1, vy));
      const q2 = v128.load(q, 32), q3 = v128.load(q, 48);
      x2 = f32x4.add(x2, f32x4.mul(q2, vx));
      y2 = f32x4.add(y2, f32x4.mul(q2, vy));
      x3 = f32x4.add(x3, f32x4.mul(q3, vx));
      y3 = f32x4.add(y3, f32x4.mul(q3, vy));
    }
    best = f32x4.pmax(best, sums4(x0, x1, x2, x3));
    best = f32x4.pmax(best, sums4(y0, y1, y2, y3));
  }
  v128.store(out, best);
}

/** scale · (factor · Σ q̃_j c_j + offset) + bias · Σ q_j, for the four rows of a panel. */
// @ts-ignore: decorator
@inline
function dotsOfCodes(panel: usize, totals: v128, constants: usize): v128 {
  const inner = f32x4.add(f32x4.mul(v128.load(panel), totals), v128.load(panel, 16));
  const scaled = f32x4.mul(v128.load32_splat(constants), inner);
  return f32x4.add(scaled, f32x4.mul(v128.load32_splat(constants, 4), v128.load(panel, 32)));
}

/**
 * The same with n rows of int16 codes of `bytes` bytes; `constants`: scale and bias of the first,
 * `stride` bytes from one to the next.
 */
export function maxDotsCodes(
  panel: usize, rows: usize, n: i32, bytes: usize, constants: usize, stride: usize, out: usize,
): void {
  let best = f32x4.splat(-Infinity);
  for (; n > 0; n -= 2, rows += bytes << 1, constants += stride << 1) {
    const second: usize = n > 1 ? 1 : 0;
    let x = rows, y = rows + second * bytes, q = panel + HEAD;
    let x0 = i32x4.splat(0), x1 = x0, x2 = x0, x3 = x0, y0 = x0, y1 = x0, y2 = x0, y3 = x0;
    for (const end = rows + bytes; x < end; x += 16, y += 16, q += 64) {
      const vx = v128.load(x), vy = v128.load(y);
      const q0 = v128.load(q), q1 = v128.load(q, 16);
      x0 = i32x4.add(x0, i32x4.dot_i16x8_s(q0, vx));
      y0 = i32x4.add(y0, i32x4.dot_i16x8_s(q0, vy));
      x1 = i32x4.add(x1, i32x4.dot_i16x8_s(q1, vx));
      y1 = i32x4.add(y1, i32x4.dot_i16x8_s(q1, vy));
      const q2 = v128.load(q, 32), q3 = v128.load(q, 48);
      x2 = i32x4.add(x2, i32x4.dot_i16x8_s(q2, vx));
      y2 = i32x4.add(y2, i32x4.dot_i16x8_s(q2, vy));
      x3 = i32x4.add(x3, i32x4.dot_i16x8_s(q3, vx));
      y3 = i32x4.add(y3, i32x4.dot_i16x8_s(q3, vy));
    }
    best = f32x4.pmax(best, dotsOfCodes(panel, integerSums4(x0, x1, x2, x3), constants));
    const next = constants + second * stride;
    best = f32x4.pmax(best, dotsOfCodes(panel, integerSums4(y0, y1, y2, y3), next));
  }
  v128.store(out, best);
}

/**
 * The score of a document of n records, or −infinity once it is certain to stay below `least`: no
 * later row adds more than its length times `reach`, which no token is longer than (with a margin for
 * the errors above). work: 16 bytes, then the expanded records.
 */
function scoreDocument(
  panels: usize, m: i32, d: i32, bits: i32, records: usize, n: i32, reach: f64, least: f32, work: usize,
): f32 {
  if (n == 0) return 0;
  const bytes = panelBytes(d, bits), stride = <usize>tokenBytes(d, bits);
  const rows = bits == 32 ? records : work + 16;
  const rowBytes = bits == 32 ? stride : <usize>expandedBytes(d, bits);
  if (bits != 32) expandTokens(records, n, d, bits, rows);
  let score: f64 = 0;
  for (let panel = panels; m > 0; m -= 4, panel += bytes) {
    if (bits > 8) maxDotsFloat(panel, rows, n, rowBytes, work);
    else maxDotsCodes(panel, rows, n, rowBytes, records + <usize>codeBytes(d, bits), stride, work);
    score += <f64>load<f32>(work);
    score += <f64>load<f32>(work, 4);
    score += <f64>load<f32>(work, 8);
    score += <f64>load<f32>(work, 12);
    if (<f32>(score + load<f64>(panel, 48) * reach) < least) return -Infinity;
  }
  return <f32>score;
}

/** A document: address of its records (u32), how many (u32), its number (u32), its reach (f32). */
const DOCUMENT: usize = 16;

/** The scores (f32) of `count` documents, in their order. */
export function maxSim(
  panels: usize, m: i32, d: i32, bits: i32, documents: usize, count: i32, work: usize, scores: usize,
): void {
  for (; count > 0; count--, documents += DOCUMENT, scores += 4) {
    const records = <usize>load<u32>(documents), n = <i32>load<u32>(documents, 4);
    store<f32>(scores, scoreDocument(panels, m, d, bits, records, n, 0, -Infinity, work));
  }
}

/**
 * The k documents with the highest scores, as keys (beam.ts) of −score and number into list (room for
 * k + 1), which holds `size` already; returns how many it holds then. Those that cannot be among them
 * are left early: the result is the same.
 */
export function maxSimBest(
  panels: usize, m: i32, d: i32, bits: i32, documents: usize, count: i32, work: usize,
  k: u32, list: usize, size: u32,
): u32 {
  for (; count > 0; count--, documents += DOCUMENT) {
    const records = <usize>load<u32>(documents), n = <i32>load<u32>(documents, 4);
    const reach = <f64>load<f32>(documents, 12);
    const least: f32 = size < k ? -Infinity : -keyDistance(load<i64>(list + (<usize>(k - 1) << 3)));
    const score = scoreDocument(panels, m, d, bits, records, n, reach, least, work);
    // At least `least` itself, so that ties go to the lower number.
    if (score >= least) size = offerKey(list, size, k, makeKey(-score, load<u32>(documents, 8)));
  }
  return size;
}
