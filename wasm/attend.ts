// Attention on compressed KV-caches (kv.ts), a tile of 16 tokens at a time, as two panels of 8: every
// v128 has the same number of four tokens. Keys are reconstructed and rotated (RoPE) in a block of 8
// tokens; values never are: their coefficients are summed up with the weights, and the sums
// reconstructed once. Codes are multiplied as integers: with rows of int16, of which the rounding adds
// at most 2^-16 of the row's largest number times the codes to a key (to a score that is not rotated);
// the rest is float32. Weights are within 2^-22 of exp of the difference to the largest score.

import { loadStrips } from './kv';
import { multiplyPanels } from './matrix';
import { sumLanes } from './float';

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

/** exp of four numbers up to 0, within 2^-22; 0 below −87. */
// @ts-ignore: decorator
@inline
function expNegative(x: v128): v128 {
  const low = f32x4.splat(-87);
  const isLow = f32x4.lt(x, low);
  x = f32x4.max(x, low);
  // x = k ln 2 + r: ln 2 in two parts, of which the first has few bits, so that k · it is exact.
  const k = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  let r = f32x4.sub(x, f32x4.mul(k, f32x4.splat(0.693359375)));
  r = f32x4.add(r, f32x4.mul(k, f32x4.splat(2.12194440e-4)));
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  p = f32x4.add(f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r), f32x4.splat(1));
  const exponent = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(k), i32x4.splat(127)), 23);
  return v128.andnot(f32x4.mul(p, exponent), isLow);
}

/**
 * Goes on with a softmax over parts (Milakov and Gimelshein 2018): `count` scores (a multiple of 4) of
 * each of `rows` queries become weights exp(score − largest so far). state: for each query the largest
 * and the sum of weights so far (f32); factors: what earlier weights are to be multiplied by.
 */
export function kvSoftmax(
  scores: usize, rows: i32, count: i32, stride: i32, state: usize, factors: usize,
): void {
  for (; rows > 0; rows--, scores += <usize>stride << 2, state += 8, factors += 4) {
    const end = scores + (<usize>count << 2);
    let top = f32x4.splat(-Infinity);
    for (let at = scores; at < end; at += 16) top = f32x4.max(top, v128.load(at));
    const before = load<f32>(state);
    let largest = max(before, f32x4.extract_lane(top, 0));
    largest = max(largest, f32x4.extract_lane(top, 1));
    largest = max(largest, f32x4.extract_lane(top, 2));
    largest = max(largest, f32x4.extract_lane(top, 3));
    let total = f32x4.splat(0);
    if (largest == -Infinity) {
      memory.fill(scores, 0, end - scores);
      store<f32>(factors, 1);
      continue;
    }
    const base = f32x4.splat(largest);
    for (let at = scores; at < end; at += 16) {
      const weight = expNegative(f32x4.sub(v128.load(at), base));
      v128.store(at, weight);
      total = f32x4.add(total, weight);
    }
    const factor = f32x4.extract_lane(expNegative(f32x4.splat(before - largest)), 0);
    store<f32>(state, largest);
    store<f32>(state, load<f32>(state, 4) * factor + sumLanes(total), 4);
    store<f32>(factors, factor);
  }
}

/** How the values of a layer are summed up; the order counts, as above. */
// @ts-ignore: decorator
@unmanaged
export class KvSums {
  components: u32;
  widths: u32;
  tileBytes: u32;
  /** Room for the codes of all tiles of a call as int16, those of a component of a tile in a row. */
  codes: u32;
  /** Room for the weights of all rows as int16, and for a factor (f32) of each row. */
  weights: u32;
  factors: u32;
}

/** weights ≈ factor · int16 for each row, the largest being 32,767; none is negative. */
function quantiseWeights(
  from: usize, rows: i32, count: usize, stride: usize, to: usize, factors: usize,
): void {
  for (; rows > 0; rows--, from += stride, factors += 4) {
    let top = f32x4.splat(0);
    const end = from + (count << 2);
    for (let at = from; at < end; at += 16) top = f32x4.max(top, v128.load(at));
    top = f32x4.max(top, v128.shuffle<i32>(top, top, 2, 3, 0, 1));
    const largest = max(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1));
    const factor = max(largest / <f32>32767, <f32>1e-37);
    const inverse = f32x4.splat(<f32>1 / factor);
    for (let at = from; at < end; at += 32, to += 16) {
      const a = f32x4.nearest(f32x4.mul(v128.load(at), inverse));
      const b = f32x4.nearest(f32x4.mul(v128.load(at, 16), inverse));
      v128.store(to, i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(a), i32x4.trunc_sat_f32x4_s(b)));
    }
    store<f32>(factors, factor);
  }
}

/** Unpacks the codes of a tile: 16 tokens of int16 for each component. */
function unpackShorts(tile: usize, n: i32, widths: usize, out: usize): void {
  for (; n > 0; n--, widths++, out += 32) {
    const width = <i32>load<u8>(widths);
    const codes = loadStrips(tile, width);
    tile += <usize>width << 1;
    v128.store(out, i16x8.extend_low_i8x16_u(codes));
    v128.store(out, i16x8.extend_high_i8x16_u(codes), 16);
  }
}

// @ts-ignore: decorator
@inline
function addSum(sum: usize, lanes: v128, factor: f32): void {
  store<f32>(sum, load<f32>(sum) + sumLanes(f32x4.convert_i32x4_s(lanes)) * factor);
}

/**
 * Adds the codes of two components times the weights to the sums of three rows; of one or of fewer where
 * there are no more.
 */
// @ts-ignore: decorator
@inline
function sumBlock(
  codes: usize, components: usize, step: usize, end: usize, w: usize, bytes: usize, rows: i32,
  sums: usize, stride: usize, factors: usize,
): void {
  const other: usize = components > 1 ? 32 : 0;
  const second = rows > 1 ? bytes : 0, third = rows > 2 ? bytes << 1 : 0;
  let x = i32x4.splat(0), y = x, z = x, p = x, q = x, r = x;
  for (; codes < end; codes += step, w += 32) {
    for (let half: usize = 0; half < 32; half += 16) {
      const a = v128.load(codes + half), b = v128.load(codes + other + half);
      const u = v128.load(w + half), v = v128.load(w + second + half);
      const t = v128.load(w + third + half);
      x = i32x4.add(x, i32x4.dot_i16x8_s(a, u));
      p = i32x4.add(p, i32x4.dot_i16x8_s(b, u));
      y = i32x4.add(y, i32x4.dot_i16x8_s(a, v));
      q = i32x4.add(q, i32x4.dot_i16x8_s(b, v));
      z = i32x4.add(z, i32x4.dot_i16x8_s(a, t));
      r = i32x4.add(r, i32x4.dot_i16x8_s(b, t));
    }
  }
  const f = load<f32>(factors);
  addSum(sums, x, f);
  if (components > 1) addSum(sums + 4, p, f);
  if (rows > 1) {
    const g = load<f32>(factors, 4);
    addSum(sums + stride, y, g);
    if (components > 1) addSum(sums + stride + 4, q, g);
  }
  if (rows > 2) {
    const h = load<f32>(factors, 8);
    addSum(sums + (stride << 1), z, h);
    if (components > 1) addSum(sums + (stride << 1) + 4, r, h);
  }
}

/**
 * Adds the codes of `count` tiles times their weights to sums (f32): for each of `rows` queries one a
 * component, and one of the weights. Weights are rounded to 2^-16 of the largest of the row in the call;
 * four sums of products of each component are exact, for up to 32 tiles.
 */
export function kvAccumulate(
  plan: KvSums, tiles: usize, count: i32, weights: usize, rows: i32, stride: i32, sums: usize,
): void {
  const n = <usize>plan.components, tokens = <usize>count << 4;
  quantiseWeights(weights, rows, tokens, <usize>stride << 2, plan.weights, plan.factors);
  for (let tile = 0; tile < count; tile++) {
    const at = plan.codes + (<usize>tile * n << 5);
    unpackShorts(tiles + <usize>tile * plan.tileBytes, <i32>n, plan.widths, at);
  }
  const bytes = tokens << 1, sumBytes = (n + 1) << 2, step = n << 5;
  const end = plan.codes + <usize>count * step;
  for (let row = 0; row < rows; row += 3) {
    const w = <usize>plan.weights + <usize>row * bytes, f = <usize>plan.factors + (<usize>row << 2);
    const sum = sums + <usize>row * sumBytes;
    for (let j: usize = 0; j < n; j += 2) {
      const codes = <usize>plan.codes + (j << 5), to = sum + (j << 2);
      sumBlock(codes, n - j, step, end + (j << 5), w, bytes, rows - row, to, sumBytes, f);
    }
  }
  let sum = sums + (n << 2), from = <usize>plan.weights, factors = <usize>plan.factors;
  for (; rows > 0; rows--, sum += sumBytes, factors += 4) {
    let total = i32x4.splat(0);
    for (const last = from + bytes; from < last; from += 16) {
      total = i32x4.add(total, i32x4.extadd_pairwise_i16x8_s(v128.load(from)));
    }
    addSum(sum, total, load<f32>(factors));
  }
}
