// Attention on compressed KV-caches (kv.ts), a tile of 16 tokens at a time, as two panels of 8: every
// v128 has the same number of four tokens. Keys are reconstructed and rotated (RoPE); without RoPE their
// codes are scored as they are. Codes are multiplied as integers: with rows of int16, of which the
// rounding adds at most 2^-16 of the row's largest number times the codes to a key (to a score that is
// not rotated); the rest is float32. What the scores are good for is in weigh.ts.

import { loadStrips } from './kv';
import { multiplyPanels } from './matrix';

/** How the keys of a layer are scored. TypeScript writes it (src/kv/scan.ts): the order counts. */
// @ts-ignore: decorator
@unmanaged
export class KvScan {
  components: u32;
  widths: u32;
  steps: u32;
  /** Room for the codes of a tile as int16. */
  panels: u32;
  tileBytes: u32;
  /** What kvQuantiseRows made of the rows that turn codes into keys, or straight into scores. */
  matrix: u32;
  /** How many rows, with a factor and an offset (f32) each. */
  width: u32;
  factors: u32;
  offsets: u32;
  /** Room for the keys of 16 tokens, two panels of `width` rows; 0 where rows give scores. */
  block: u32;
  kvHeads: u32;
  headDim: u32;
  /** Rotated pairs of numbers of a head. */
  pairs: u32;
  /** From a pair's first number to its second, and to the next pair's first. */
  partner: u32;
  next: u32;
  /** cos and sin (f64) of each pair's angle at the position of the next block. */
  angles: u32;
  /** The same of what 8 positions add. */
  turns: u32;
  /** For each pair cos, then sin (f32), of what 0 … 7 positions add. */
  shifts: u32;
  /** Room for those of 8 positions. */
  table: u32;
  /** For each kv head `rows` queries of headDim f32. */
  queries: u32;
  rows: u32;
}

/** int16 of a row of kvQuantiseRows: pairs of components. */
// @ts-ignore: decorator
@inline
function rowBytes(n: i32): usize {
  return <usize>((n + 1) >> 1) << 2;
}

/**
 * Makes rows that are multiplied with codes instead of values: with step · (code − top / 2) for a value,
 * <w, value> + offset = factor · <w̃, code> + offset′, w̃ an int16 for w · step, its error at most half of
 * `factor`: 2^-16 of the largest in the row. Sums with any codes stay below 2^30.
 * rows: n f32 each, `stride` floats apart; out: rowBytes(n) each; offsets: f32, replaced.
 */
export function kvQuantiseRows(
  rows: usize, stride: i32, count: i32, n: i32, widths: usize, steps: usize,
  out: usize, factors: usize, offsets: usize,
): void {
  for (; count > 0; count--, rows += <usize>stride << 2, out += rowBytes(n)) {
    let largest: f32 = 0, reach: f32 = 0;
    for (let j: usize = 0; j < <usize>n; j++) {
      const w = abs(load<f32>(rows + (j << 2)) * load<f32>(steps + (j << 2)));
      largest = max(largest, w);
      reach += w * <f32>((1 << <i32>load<u8>(widths + j)) - 1);
    }
    const factor = max(max(largest / <f32>32767, reach / <f32>1073741824), <f32>1e-30);
    let middle: f64 = 0;
    if (n & 1) store<u32>(out + rowBytes(n) - 4, 0);
    for (let j: usize = 0; j < <usize>n; j++) {
      const w = load<f32>(rows + (j << 2)) * load<f32>(steps + (j << 2));
      const quantised = <i32>nearest(w / factor);
      store<i16>(out + (j << 1), <i16>quantised);
      middle += <f64>quantised * <f64>((1 << <i32>load<u8>(widths + j)) - 1);
    }
    store<f32>(factors, factor);
    store<f32>(offsets, <f32>(<f64>load<f32>(offsets) - <f64>factor * middle * 0.5));
    factors += 4;
    offsets += 4;
  }
}

/** Unpacks the codes of a tile: for two components each 16 tokens of int16 pairs, in four v128. */
function unpackPairs(tile: usize, n: i32, widths: usize, out: usize): void {
  for (; n > 0; n -= 2, widths += 2, out += 64) {
    const width = <i32>load<u8>(widths);
    const a = loadStrips(tile, width);
    tile += <usize>width << 1;
    let b = i8x16.splat(0);
    if (n > 1) {
      const second = <i32>load<u8>(widths, 1);
      b = loadStrips(tile, second);
      tile += <usize>second << 1;
    }
    const low = v128.shuffle<i8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const high = v128.shuffle<i8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    v128.store(out, i16x8.extend_low_i8x16_u(low));
    v128.store(out, i16x8.extend_high_i8x16_u(low), 16);
    v128.store(out, i16x8.extend_low_i8x16_u(high), 32);
    v128.store(out, i16x8.extend_high_i8x16_u(high), 48);
  }
}

// @ts-ignore: decorator
@inline
function storeMapped(to: usize, sum: v128, factor: v128, offset: v128): void {
  v128.store(to, f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(sum), factor), offset));
}

/**
 * Rows times the codes of 16 tokens: 8 floats of row r at out + r · step, 8 more `half` bytes behind
 * them. Two rows at a time; of an odd number the last is done twice.
 */
function mapCodes(scan: KvScan, codes: usize, out: usize, step: usize, half: usize): void {
  const bytes = rowBytes(<i32>scan.components), end = codes + (bytes << 4);
  const count = <usize>scan.width;
  for (let row: usize = 0; row < count; row += 2) {
    const other = min(row + 1, count - 1);
    let x = <usize>scan.matrix + row * bytes, y = <usize>scan.matrix + other * bytes;
    let x0 = i32x4.splat(0), x1 = x0, x2 = x0, x3 = x0, y0 = x0, y1 = x0, y2 = x0, y3 = x0;
    for (let c = codes; c < end; c += 64, x += 4, y += 4) {
      const c0 = v128.load(c), c1 = v128.load(c, 16), c2 = v128.load(c, 32), c3 = v128.load(c, 48);
      const a = v128.load32_splat(x), b = v128.load32_splat(y);
      x0 = i32x4.add(x0, i32x4.dot_i16x8_s(a, c0));
      x1 = i32x4.add(x1, i32x4.dot_i16x8_s(a, c1));
      x2 = i32x4.add(x2, i32x4.dot_i16x8_s(a, c2));
      x3 = i32x4.add(x3, i32x4.dot_i16x8_s(a, c3));
      y0 = i32x4.add(y0, i32x4.dot_i16x8_s(b, c0));
      y1 = i32x4.add(y1, i32x4.dot_i16x8_s(b, c1));
      y2 = i32x4.add(y2, i32x4.dot_i16x8_s(b, c2));
      y3 = i32x4.add(y3, i32x4.dot_i16x8_s(b, c3));
    }
    let to = out + row * step;
    let f = v128.load32_splat(<usize>scan.factors + (row << 2));
    let o = v128.load32_splat(<usize>scan.offsets + (row << 2));
    storeMapped(to, x0, f, o);
    storeMapped(to + 16, x1, f, o);
    storeMapped(to + half, x2, f, o);
    storeMapped(to + half + 16, x3, f, o);
    to = out + other * step;
    f = v128.load32_splat(<usize>scan.factors + (other << 2));
    o = v128.load32_splat(<usize>scan.offsets + (other << 2));
    storeMapped(to, y0, f, o);
    storeMapped(to + 16, y1, f, o);
    storeMapped(to + half, y2, f, o);
    storeMapped(to + half + 16, y3, f, o);
  }
}

/** cos and sin of all pairs at the next 8 positions: e^(i (a + b)) = e^(ia) e^(ib). */
function fillTable(scan: KvScan): void {
  let angle = <usize>scan.angles, turn = <usize>scan.turns;
  let offset = <usize>scan.shifts, table = <usize>scan.table;
  for (let pair = scan.pairs; pair > 0; pair--) {
    const c = load<f64>(angle), s = load<f64>(angle, 8);
    const cos = f32x4.splat(<f32>c), sin = f32x4.splat(<f32>s);
    for (let half: usize = 0; half < 32; half += 16) {
      const oc = v128.load(offset + half), os = v128.load(offset + half, 32);
      v128.store(table + half, f32x4.sub(f32x4.mul(cos, oc), f32x4.mul(sin, os)));
      v128.store(table + half, f32x4.add(f32x4.mul(sin, oc), f32x4.mul(cos, os)), 32);
    }
    const tc = load<f64>(turn), ts = load<f64>(turn, 8);
    store<f64>(angle, c * tc - s * ts);
    store<f64>(angle, s * tc + c * ts, 8);
    angle += 16;
    turn += 16;
    offset += 64;
    table += 64;
  }
}

/** Rotates the keys of a block by the table. */
function rotateBlock(scan: KvScan, block: usize): void {
  const next = <usize>scan.next << 5, partner = <usize>scan.partner << 5;
  for (let head: u32 = 0; head < scan.kvHeads; head++) {
    let x = block + (<usize>(head * scan.headDim) << 5);
    let table = <usize>scan.table;
    for (let pair = scan.pairs; pair > 0; pair--, x += next, table += 64) {
      for (let half: usize = 0; half < 32; half += 16) {
        const a = v128.load(x + half), b = v128.load(x + partner + half);
        const c = v128.load(table + half), s = v128.load(table + half, 32);
        v128.store(x + half, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
        v128.store(x + partner + half, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)));
      }
    }
  }
}

/** Scores of 8 tokens for all queries: `stride` floats from those of one query to the next. */
function scoreBlock(scan: KvScan, block: usize, scores: usize, stride: i32): void {
  const rows = scan.rows, dim = scan.headDim;
  for (let head: u32 = 0; head < scan.kvHeads; head++) {
    const queries = <usize>scan.queries + (<usize>(head * rows * dim) << 2);
    const keys = block + (<usize>(head * dim) << 5);
    const to = scores + (<usize>(head * rows * <u32>stride) << 2);
    multiplyPanels(queries, dim, rows, dim, keys, 1, to, stride);
  }
}

/** Scores of the tokens of `count` tiles for all queries, `stride` floats from one query to the next. */
export function kvScore(scan: KvScan, tiles: usize, count: i32, scores: usize, stride: i32): void {
  const half = <usize>scan.width << 5;
  for (; count > 0; count--, tiles += scan.tileBytes, scores += 64) {
    unpackPairs(tiles, <i32>scan.components, scan.widths, scan.panels);
    if (scan.block == 0) {
      mapCodes(scan, scan.panels, scores, <usize>stride << 2, 32);
      continue;
    }
    mapCodes(scan, scan.panels, scan.block, 32, half);
    for (let second: usize = 0; second < 2; second++) {
      const block = <usize>scan.block + second * half;
      fillTable(scan);
      rotateBlock(scan, block);
      scoreBlock(scan, block, scores + (second << 5), stride);
    }
  }
}
