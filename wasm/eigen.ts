// float64 kernels of the symmetric eigen-solver (src/linalg). Every sum runs in a fixed order with
// no fused multiply-add, so every engine gives the same bits. A sum of n products is in error by at
// most (2 + n / 2) · 2^-53 · Σ|x_k y_k|; a rotation or reflector of unit scale thus changes lengths
// by a small multiple of 2^-53 and (2 + n / 2) · 2^-53, relative.

// @ts-ignore: decorator
@inline
function sumPair(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/**
 * Rows from ≤ j < to of the lower triangle of a symmetric matrix (row stride ld float64, `from`
 * even): a ← a − v·wᵀ − w·vᵀ and, with the new a, y ← y + a·x. One pass over the triangle: the
 * rank-2 update of one Householder step with the matrix-vector product of the next. Call it for
 * ascending ranges that cover all rows, y zero before the first.
 */
export function updateAndMultiply(
  a: usize, ld: i32, from: i32, to: i32, v: usize, w: usize, x: usize, y: usize,
): void {
  const stride = <usize>ld << 3;
  let j = from;
  for (; j + 2 <= to; j += 2) {
    const row0 = a + <usize>j * stride, row1 = row0 + stride;
    const at = <usize>j << 3;
    const v0 = v128.load64_splat(v + at), v1 = v128.load64_splat(v + at, 8);
    const w0 = v128.load64_splat(w + at), w1 = v128.load64_splat(w + at, 8);
    const x0 = v128.load64_splat(x + at), x1 = v128.load64_splat(x + at, 8);
    let s0 = f64x2.splat(0), s1 = f64x2.splat(0);
    for (let k: usize = 0; k < at; k += 16) {
      const vk = v128.load(v + k), wk = v128.load(w + k), xk = v128.load(x + k);
      const update0 = f64x2.add(f64x2.mul(v0, wk), f64x2.mul(w0, vk));
      const a0 = f64x2.sub(v128.load(row0 + k), update0);
      v128.store(row0 + k, a0);
      s0 = f64x2.add(s0, f64x2.mul(a0, xk));
      const update1 = f64x2.add(f64x2.mul(v1, wk), f64x2.mul(w1, vk));
      const a1 = f64x2.sub(v128.load(row1 + k), update1);
      v128.store(row1 + k, a1);
      s1 = f64x2.add(s1, f64x2.mul(a1, xk));
      const products = f64x2.add(f64x2.mul(a0, x0), f64x2.mul(a1, x1));
      v128.store(y + k, f64x2.add(v128.load(y + k), products));
    }
    updateCorner(row0 + at, row1 + at, v + at, w + at, x + at, y + at, sumPair(s0), sumPair(s1));
  }
  if (j < to) {
    const row = a + <usize>j * stride;
    const at = <usize>j << 3;
    const vj = load<f64>(v + at), wj = load<f64>(w + at), xj = load<f64>(x + at);
    let sum: f64 = 0;
    for (let k: usize = 0; k <= at; k += 8) {
      const value = load<f64>(row + k) - (vj * load<f64>(w + k) + wj * load<f64>(v + k));
      store<f64>(row + k, value);
      sum += value * load<f64>(x + k);
      if (k < at) store<f64>(y + k, load<f64>(y + k) + value * xj);
    }
    store<f64>(y + at, load<f64>(y + at) + sum);
  }
}

/** The 2 × 2 block on the diagonal of updateAndMultiply; all pointers are at its first column. */
// @ts-ignore: decorator
@inline
function updateCorner(
  row0: usize, row1: usize, v: usize, w: usize, x: usize, y: usize, sum0: f64, sum1: f64,
): void {
  const v0 = load<f64>(v), v1 = load<f64>(v, 8), w0 = load<f64>(w), w1 = load<f64>(w, 8);
  const x0 = load<f64>(x), x1 = load<f64>(x, 8);
  const a00 = load<f64>(row0) - (v0 * w0 + w0 * v0);
  const a10 = load<f64>(row1) - (v1 * w0 + w1 * v0);
  const a11 = load<f64>(row1, 8) - (v1 * w1 + w1 * v1);
  store<f64>(row0, a00);
  store<f64>(row1, a10);
  store<f64>(row1, a11, 8);
  store<f64>(y, load<f64>(y) + (sum0 + a00 * x0 + a10 * x1));
  store<f64>(y, load<f64>(y, 8) + (sum1 + a10 * x0 + a11 * x1), 8);
}

/**
 * Applies recorded plane rotations, last one first, to a panel of 8 columns (n rows × 8 float64).
 * The sweeps before `sweepsEnd` are pairs of int32 (first, last): rotations of the rows (i, i + 1)
 * for i from last − 1 down to first, as they were recorded; `rotationsEnd` is the end of their
 * pairs (c, s). Handles `count` sweeps and returns where the rotations of the sweep before begin.
 */
export function rotatePanel(
  panel: usize, sweepsEnd: usize, count: i32, rotationsEnd: usize,
): usize {
  let rotation = rotationsEnd;
  let sweep = sweepsEnd;
  for (; count > 0; count--) {
    sweep -= 8;
    let row = panel + (<usize>load<i32>(sweep) << 6);
    const end = panel + (<usize>load<i32>(sweep, 4) << 6);
    let x0 = v128.load(row), x1 = v128.load(row, 16);
    let x2 = v128.load(row, 32), x3 = v128.load(row, 48);
    while (row < end) {
      rotation -= 16;
      const c = v128.load64_splat(rotation), s = v128.load64_splat(rotation, 8);
      const y0 = v128.load(row, 64), y1 = v128.load(row, 80);
      const y2 = v128.load(row, 96), y3 = v128.load(row, 112);
      v128.store(row, f64x2.add(f64x2.mul(c, x0), f64x2.mul(s, y0)));
      v128.store(row, f64x2.add(f64x2.mul(c, x1), f64x2.mul(s, y1)), 16);
      v128.store(row, f64x2.add(f64x2.mul(c, x2), f64x2.mul(s, y2)), 32);
      v128.store(row, f64x2.add(f64x2.mul(c, x3), f64x2.mul(s, y3)), 48);
      x0 = f64x2.sub(f64x2.mul(c, y0), f64x2.mul(s, x0));
      x1 = f64x2.sub(f64x2.mul(c, y1), f64x2.mul(s, x1));
      x2 = f64x2.sub(f64x2.mul(c, y2), f64x2.mul(s, x2));
      x3 = f64x2.sub(f64x2.mul(c, y3), f64x2.mul(s, x3));
      row += 64;
    }
    v128.store(row, x0);
    v128.store(row, x1, 16);
    v128.store(row, x2, 32);
    v128.store(row, x3, 48);
  }
  return rotation;
}

/**
 * Applies `count` reflectors I − v·vᵀ one after the other to four rows (stride ld float64). The
 * first v is at `v`, each next one `step` float64 further (step may be negative). The first has
 * `length` numbers, each next one `growth` (1 or −1) more; behind its numbers each has two zeros.
 * The update with one v and the products with the next share one pass.
 */
export function reflectRows(
  rows: usize, ld: i32, v: usize, step: i32, length: i32, growth: i32, count: i32,
): void {
  const row1 = rows + (<usize>ld << 3), row2 = row1 + (<usize>ld << 3);
  const row3 = row2 + (<usize>ld << 3);
  let t0 = f64x2.splat(0), t1 = f64x2.splat(0), t2 = f64x2.splat(0), t3 = f64x2.splat(0);
  // The first pass subtracts nothing: it takes the products with the first v.
  let next = v;
  let bytes = <usize>((length + 1) & ~1) << 3;
  for (; count >= 0; count--) {
    let s0 = f64x2.splat(0), s1 = f64x2.splat(0), s2 = f64x2.splat(0), s3 = f64x2.splat(0);
    for (let k: usize = 0; k < bytes; k += 16) {
      const vk = v128.load(v + k), uk = v128.load(next + k);
      const x0 = f64x2.sub(v128.load(rows + k), f64x2.mul(t0, vk));
      const x1 = f64x2.sub(v128.load(row1 + k), f64x2.mul(t1, vk));
      const x2 = f64x2.sub(v128.load(row2 + k), f64x2.mul(t2, vk));
      const x3 = f64x2.sub(v128.load(row3 + k), f64x2.mul(t3, vk));
      v128.store(rows + k, x0);
      v128.store(row1 + k, x1);
      v128.store(row2 + k, x2);
      v128.store(row3 + k, x3);
      s0 = f64x2.add(s0, f64x2.mul(x0, uk));
      s1 = f64x2.add(s1, f64x2.mul(x1, uk));
      s2 = f64x2.add(s2, f64x2.mul(x2, uk));
      s3 = f64x2.add(s3, f64x2.mul(x3, uk));
    }
    t0 = f64x2.splat(sumPair(s0));
    t1 = f64x2.splat(sumPair(s1));
    t2 = f64x2.splat(sumPair(s2));
    t3 = f64x2.splat(sumPair(s3));
    v = next;
    if (count > 1) {
      next += <usize>(<isize>step << 3);
      bytes = <usize>((max(length, length + growth) + 1) & ~1) << 3;
      length += growth;
    } else {
      bytes = <usize>((length + 1) & ~1) << 3;
    }
  }
}

/**
 * C ← C + X·Yᵀ in float64: x has p rows, y has q rows, both of `depth` numbers with stride ld; c is
 * p × q with stride ldc. p even, q a multiple of 4, depth even.
 */
export function accumulateRowProducts(
  x: usize, p: i32, y: usize, q: i32, depth: i32, ld: i32, c: usize, ldc: i32,
): void {
  const stride = <usize>ld << 3, bytes = <usize>depth << 3;
  for (let j = 0; j < q; j += 4) {
    const y0 = y + <usize>j * stride, y1 = y0 + stride, y2 = y1 + stride, y3 = y2 + stride;
    for (let i = 0; i < p; i += 2) {
      const x0 = x + <usize>i * stride, x1 = x0 + stride;
      let s00 = f64x2.splat(0), s01 = f64x2.splat(0), s02 = f64x2.splat(0), s03 = f64x2.splat(0);
      let s10 = f64x2.splat(0), s11 = f64x2.splat(0), s12 = f64x2.splat(0), s13 = f64x2.splat(0);
      for (let k: usize = 0; k < bytes; k += 16) {
        const a = v128.load(x0 + k), b = v128.load(x1 + k);
        const u0 = v128.load(y0 + k), u1 = v128.load(y1 + k);
        s00 = f64x2.add(s00, f64x2.mul(a, u0));
        s10 = f64x2.add(s10, f64x2.mul(b, u0));
        s01 = f64x2.add(s01, f64x2.mul(a, u1));
        s11 = f64x2.add(s11, f64x2.mul(b, u1));
        const u2 = v128.load(y2 + k), u3 = v128.load(y3 + k);
        s02 = f64x2.add(s02, f64x2.mul(a, u2));
        s12 = f64x2.add(s12, f64x2.mul(b, u2));
        s03 = f64x2.add(s03, f64x2.mul(a, u3));
        s13 = f64x2.add(s13, f64x2.mul(b, u3));
      }
      const c0 = c + (<usize>(i * ldc + j) << 3), c1 = c0 + (<usize>ldc << 3);
      addSums(c0, s00, s01, s02, s03);
      addSums(c1, s10, s11, s12, s13);
    }
  }
}

/** c[0..4] += the lane sums of s0 … s3. */
// @ts-ignore: decorator
@inline
function addSums(c: usize, s0: v128, s1: v128, s2: v128, s3: v128): void {
  store<f64>(c, load<f64>(c) + sumPair(s0));
  store<f64>(c, load<f64>(c, 8) + sumPair(s1), 8);
  store<f64>(c, load<f64>(c, 16) + sumPair(s2), 16);
  store<f64>(c, load<f64>(c, 24) + sumPair(s3), 24);
}
