// Attention on compressed KV-caches (kv.ts), a tile of 16 tokens at a time, as two panels of 8: every
// v128 has the same number of four tokens. Keys are reconstructed and rotated (RoPE) in a block of 8
// tokens; values never are: their coefficients are summed up with the weights, and the sums
// reconstructed once. All is float32: scores are within (n + d) · 2^-23 of Σ|q_i k_i|, weights within
// 2^-22 of exp of the difference to the largest score, as float32 has it.

import { kvDecode } from './kv';
import { multiplyPanels } from './matrix';
import { sumLanes } from './float';

/** How the keys of a layer are scored. TypeScript writes it (src/kv/attend.ts): the order counts. */
// @ts-ignore: decorator
@unmanaged
export class KvScan {
  components: u32;
  widths: u32;
  steps: u32;
  /** Room for the two panels of a tile. */
  panels: u32;
  tileBytes: u32;
  /** Rows of numbers of the layer's keys × components; 0 where queries are of coefficients. */
  matrix: u32;
  /** Floats from one row of the matrix to the next. */
  stride: u32;
  /** Numbers of a key: kvHeads · headDim. */
  width: u32;
  /** What is added to each number of a key: width f32. */
  mean: u32;
  /** Room for the keys of 8 tokens: a row of 8 f32 for each number. */
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
  offsets: u32;
  /** Room for those of 8 positions. */
  table: u32;
  /** For each kv head `rows` queries of headDim f32. */
  queries: u32;
  rows: u32;
  /** What is added to the scores of each query (f32), 0 for nothing. */
  bias: u32;
}

/** cos and sin of all pairs at the next 8 positions: e^(i (a + b)) = e^(ia) e^(ib). */
function fillTable(scan: KvScan): void {
  let angle = <usize>scan.angles, turn = <usize>scan.turns;
  let offset = <usize>scan.offsets, table = <usize>scan.table;
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

/** Adds the mean to the rows of a block. */
function addMean(block: usize, mean: usize, width: u32): void {
  for (const end = block + (<usize>width << 5); block < end; block += 32, mean += 4) {
    const m = v128.load32_splat(mean);
    v128.store(block, f32x4.add(v128.load(block), m));
    v128.store(block, f32x4.add(v128.load(block, 16), m), 16);
  }
}

/** Rotates the keys of a block by the table. */
function rotateBlock(scan: KvScan): void {
  const next = <usize>scan.next << 5, partner = <usize>scan.partner << 5;
  for (let head: u32 = 0; head < scan.kvHeads; head++) {
    let x = <usize>scan.block + (<usize>(head * scan.headDim) << 5);
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
  if (scan.bias == 0) return;
  let bias = <usize>scan.bias;
  for (let row = scan.kvHeads * rows; row > 0; row--, bias += 4, scores += <usize>stride << 2) {
    const b = v128.load32_splat(bias);
    v128.store(scores, f32x4.add(v128.load(scores), b));
    v128.store(scores, f32x4.add(v128.load(scores, 16), b), 16);
  }
}

/** Scores of the tokens of `count` tiles for all queries, `stride` floats from one query to the next. */
export function kvScore(scan: KvScan, tiles: usize, count: i32, scores: usize, stride: i32): void {
  const n = <i32>scan.components, width = <i32>scan.width;
  for (; count > 0; count--, tiles += scan.tileBytes) {
    kvDecode(tiles, n, scan.widths, scan.steps, scan.panels);
    for (let half: usize = 0; half < 2; half++, scores += 32) {
      let block = <usize>scan.panels + half * (<usize>n << 5);
      if (scan.matrix != 0) {
        multiplyPanels(scan.matrix, scan.stride, width, n, block, 1, scan.block, 8);
        block = scan.block;
        addMean(block, scan.mean, width);
        if (scan.pairs > 0) {
          fillTable(scan);
          rotateBlock(scan);
        }
      }
      scoreBlock(scan, block, scores, stride);
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

/**
 * Adds the coefficients of `count` tiles times their weights to sums: for each of `rows` queries four
 * partial sums (lanes) a component, and then four of the weights.
 */
export function kvAccumulate(
  scan: KvScan, tiles: usize, count: i32, weights: usize, rows: i32, stride: i32, sums: usize,
): void {
  const n = <usize>scan.components, panels = <usize>scan.panels;
  const second = n << 5;
  for (; count > 0; count--, tiles += scan.tileBytes, weights += 64) {
    kvDecode(tiles, <i32>n, scan.widths, scan.steps, panels);
    let sum = sums;
    for (let row: usize = 0; row < <usize>rows; row++) {
      const w = weights + row * (<usize>stride << 2);
      const w0 = v128.load(w), w1 = v128.load(w, 16), w2 = v128.load(w, 32), w3 = v128.load(w, 48);
      if (!v128.any_true(v128.or(v128.or(w0, w1), v128.or(w2, w3)))) {
        sum += (n + 1) << 4;
        continue;
      }
      let x = panels;
      for (const end = panels + second; x < end; x += 32, sum += 16) {
        const a = f32x4.add(f32x4.mul(w0, v128.load(x)), f32x4.mul(w1, v128.load(x, 16)));
        const y = x + second;
        const b = f32x4.add(f32x4.mul(w2, v128.load(y)), f32x4.mul(w3, v128.load(y, 16)));
        v128.store(sum, f32x4.add(v128.load(sum), f32x4.add(a, b)));
      }
      const all = f32x4.add(f32x4.add(w0, w1), f32x4.add(w2, w3));
      v128.store(sum, f32x4.add(v128.load(sum), all));
      sum += 16;
    }
  }
}
