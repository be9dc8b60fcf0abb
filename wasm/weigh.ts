// Weights of attention on compressed KV-caches (kv.ts), and sums of values with them: values are never
// reconstructed, their codes are summed up, and TypeScript turns the sums into values once.
// Weights are within 2^-22 of exp of the difference to the largest score, as float32 has it.

import { sumLanes } from './float';
import { loadStrips } from './kv';

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

/** How the values of a layer are summed up. TypeScript writes it (src/kv/scan.ts): the order counts. */
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
