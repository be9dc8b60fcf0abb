// float32 kernels. Sums run in a fixed order with no fused multiply-add, so every engine gives the
// same bits. Relative error of a dot product: at most (n / 16 + 20) · 2^-24 · Σ|a_i b_i|.

/** Sum of the four lanes. */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** <a, b> of n float32. */
export function dotF32(a: usize, b: usize, n: i32): f32 {
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  const end16 = a + (<usize>(n & ~15) << 2);
  while (a < end16) {
    s0 = f32x4.add(s0, f32x4.mul(v128.load(a), v128.load(b)));
    s1 = f32x4.add(s1, f32x4.mul(v128.load(a, 16), v128.load(b, 16)));
    s2 = f32x4.add(s2, f32x4.mul(v128.load(a, 32), v128.load(b, 32)));
    s3 = f32x4.add(s3, f32x4.mul(v128.load(a, 48), v128.load(b, 48)));
    a += 64;
    b += 64;
  }
  let sum = sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  for (let i = n & 15; i > 0; i--) {
    sum += load<f32>(a) * load<f32>(b);
    a += 4;
    b += 4;
  }
  return sum;
}

/** ‖a − b‖² of n float32. */
export function squaredL2F32(a: usize, b: usize, n: i32): f32 {
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  const end16 = a + (<usize>(n & ~15) << 2);
  while (a < end16) {
    const d0 = f32x4.sub(v128.load(a), v128.load(b));
    const d1 = f32x4.sub(v128.load(a, 16), v128.load(b, 16));
    const d2 = f32x4.sub(v128.load(a, 32), v128.load(b, 32));
    const d3 = f32x4.sub(v128.load(a, 48), v128.load(b, 48));
    s0 = f32x4.add(s0, f32x4.mul(d0, d0));
    s1 = f32x4.add(s1, f32x4.mul(d1, d1));
    s2 = f32x4.add(s2, f32x4.mul(d2, d2));
    s3 = f32x4.add(s3, f32x4.mul(d3, d3));
    a += 64;
    b += 64;
  }
  let sum = sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  for (let i = n & 15; i > 0; i--) {
    const d = load<f32>(a) - load<f32>(b);
    sum += d * d;
    a += 4;
    b += 4;
  }
  return sum;
}

/** Σ a_i of n float32. */
export function sumF32(a: usize, n: i32): f32 {
  let s = f32x4.splat(0);
  const end4 = a + (<usize>(n & ~3) << 2);
  for (; a < end4; a += 16) s = f32x4.add(s, v128.load(a));
  let sum = sumLanes(s);
  for (let i = n & 3; i > 0; i--, a += 4) sum += load<f32>(a);
  return sum;
}

/** a_i ← a_i · factor for n float32. */
export function scaleF32(a: usize, factor: f32, n: i32): void {
  const f = f32x4.splat(factor);
  const end4 = a + (<usize>(n & ~3) << 2);
  for (; a < end4; a += 16) v128.store(a, f32x4.mul(v128.load(a), f));
  for (let i = n & 3; i > 0; i--, a += 4) store<f32>(a, load<f32>(a) * factor);
}

/** a_i ← a_i − b_i for n float32. */
export function subtractF32(a: usize, b: usize, n: i32): void {
  const end4 = a + (<usize>(n & ~3) << 2);
  for (; a < end4; a += 16, b += 16) v128.store(a, f32x4.sub(v128.load(a), v128.load(b)));
  for (let i = n & 3; i > 0; i--, a += 4, b += 4) store<f32>(a, load<f32>(a) - load<f32>(b));
}

/** Σ a_i² of n float32 in float64: lengths from 1e-38 to 1e38 neither overflow nor vanish. */
export function squaredLength(a: usize, n: i32): f64 {
  let s0 = f64x2.splat(0), s1 = f64x2.splat(0);
  const end4 = a + (<usize>(n & ~3) << 2);
  for (; a < end4; a += 16) {
    const v = v128.load(a);
    const low = f64x2.promote_low_f32x4(v);
    const high = f64x2.promote_low_f32x4(v128.shuffle<i32>(v, v, 2, 3, 2, 3));
    s0 = f64x2.add(s0, f64x2.mul(low, low));
    s1 = f64x2.add(s1, f64x2.mul(high, high));
  }
  s0 = f64x2.add(s0, s1);
  let sum = f64x2.extract_lane(s0, 0) + f64x2.extract_lane(s0, 1);
  for (let i = n & 3; i > 0; i--, a += 4) {
    const x = <f64>load<f32>(a);
    sum += x * x;
  }
  return sum;
}

/** Scales a to unit length and returns its length before; a zero vector is left as it is. */
export function normaliseF32(a: usize, n: i32): f64 {
  const length = Math.sqrt(squaredLength(a, n));
  // A factor beyond float32 (lengths below 1e-38) is applied in two halves.
  if (length > 0) {
    const half = Math.sqrt(1 / length);
    if (half < 1e18) scaleF32(a, <f32>(1 / length), n);
    else {
      scaleF32(a, <f32>half, n);
      scaleF32(a, <f32>half, n);
    }
  }
  return length;
}

/** Index of the first NaN or infinity among n float32, or −1. */
export function firstNonFinite(a: usize, n: i32): i32 {
  const limit = i32x4.splat(0x7f800000);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const magnitude = v128.and(v128.load(a + (<usize>i << 2)), i32x4.splat(0x7fffffff));
    if (v128.any_true(i32x4.ge_s(magnitude, limit))) break;
  }
  for (; i < n; i++) {
    if ((load<u32>(a + (<usize>i << 2)) & 0x7fffffff) >= 0x7f800000) return i;
  }
  return -1;
}
