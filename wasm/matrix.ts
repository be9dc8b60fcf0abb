// Matrix products on "panels": a matrix of r rows and c columns is packed as ceil(c / 8) panels of
// r × 8 float32, so that the inner loops read both operands in order. One 4 × 8 block of the result
// lives in eight v128 accumulators.

/** Packs rows × cols of src (row stride ld floats) into panels; missing columns become 0. */
export function packPanels(src: usize, rows: i32, cols: i32, ld: i32, dst: usize): void {
  const panels = (cols + 7) >> 3;
  for (let p = 0; p < panels; p++) {
    const width = min(8, cols - (p << 3));
    let from = src + (<usize>p << 5);
    for (let r = 0; r < rows; r++) {
      if (width == 8) {
        v128.store(dst, v128.load(from));
        v128.store(dst, v128.load(from, 16), 16);
      } else {
        for (let j = 0; j < 8; j++) {
          store<f32>(dst + (<usize>j << 2), j < width ? load<f32>(from + (<usize>j << 2)) : 0);
        }
      }
      from += <usize>ld << 2;
      dst += 32;
    }
  }
}

/** c[0..4][0..8] = Σ_k a[r][k] · panel[k][0..8]; a and c with strides in bytes. */
// @ts-ignore: decorator
@inline
function block4x8(a: usize, strideA: usize, depth: i32, panel: usize, c: usize, strideC: usize): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  let a0 = a, a1 = a + strideA, a2 = a1 + strideA, a3 = a2 + strideA;
  const end = panel + (<usize>depth << 5);
  while (panel < end) {
    const b0 = v128.load(panel), b1 = v128.load(panel, 16);
    const x0 = v128.load32_splat(a0), x1 = v128.load32_splat(a1);
    c00 = f32x4.add(c00, f32x4.mul(x0, b0));
    c01 = f32x4.add(c01, f32x4.mul(x0, b1));
    c10 = f32x4.add(c10, f32x4.mul(x1, b0));
    c11 = f32x4.add(c11, f32x4.mul(x1, b1));
    const x2 = v128.load32_splat(a2), x3 = v128.load32_splat(a3);
    c20 = f32x4.add(c20, f32x4.mul(x2, b0));
    c21 = f32x4.add(c21, f32x4.mul(x2, b1));
    c30 = f32x4.add(c30, f32x4.mul(x3, b0));
    c31 = f32x4.add(c31, f32x4.mul(x3, b1));
    a0 += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    panel += 32;
  }
  v128.store(c, c00);
  v128.store(c, c01, 16);
  c += strideC;
  v128.store(c, c10);
  v128.store(c, c11, 16);
  c += strideC;
  v128.store(c, c20);
  v128.store(c, c21, 16);
  c += strideC;
  v128.store(c, c30);
  v128.store(c, c31, 16);
}

/** One row against four panels at a time: eight sums hide the latency of the additions. */
function rowTimesPanels(a: usize, depth: i32, b: usize, panels: i32, c: usize): void {
  const panelBytes = <usize>depth << 5;
  let p = 0;
  for (; p + 4 <= panels; p += 4) {
    let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
    let s4 = f32x4.splat(0), s5 = f32x4.splat(0), s6 = f32x4.splat(0), s7 = f32x4.splat(0);
    let b0 = b, b1 = b0 + panelBytes, b2 = b1 + panelBytes, b3 = b2 + panelBytes;
    const end = b1;
    let x = a;
    while (b0 < end) {
      const v = v128.load32_splat(x);
      s0 = f32x4.add(s0, f32x4.mul(v, v128.load(b0)));
      s1 = f32x4.add(s1, f32x4.mul(v, v128.load(b0, 16)));
      s2 = f32x4.add(s2, f32x4.mul(v, v128.load(b1)));
      s3 = f32x4.add(s3, f32x4.mul(v, v128.load(b1, 16)));
      s4 = f32x4.add(s4, f32x4.mul(v, v128.load(b2)));
      s5 = f32x4.add(s5, f32x4.mul(v, v128.load(b2, 16)));
      s6 = f32x4.add(s6, f32x4.mul(v, v128.load(b3)));
      s7 = f32x4.add(s7, f32x4.mul(v, v128.load(b3, 16)));
      x += 4;
      b0 += 32;
      b1 += 32;
      b2 += 32;
      b3 += 32;
    }
    v128.store(c, s0);
    v128.store(c, s1, 16);
    v128.store(c, s2, 32);
    v128.store(c, s3, 48);
    v128.store(c, s4, 64);
    v128.store(c, s5, 80);
    v128.store(c, s6, 96);
    v128.store(c, s7, 112);
    c += 128;
    b += panelBytes << 2;
  }
  for (; p < panels; p++) {
    let s0 = f32x4.splat(0), s1 = f32x4.splat(0);
    let x = a;
    const end = b + panelBytes;
    for (; b < end; b += 32, x += 4) {
      const v = v128.load32_splat(x);
      s0 = f32x4.add(s0, f32x4.mul(v, v128.load(b)));
      s1 = f32x4.add(s1, f32x4.mul(v, v128.load(b, 16)));
    }
    v128.store(c, s0);
    v128.store(c, s1, 16);
    c += 32;
  }
}

/**
 * c = a · B. a: rows × depth float32 (row stride lda floats), b: B packed as `panels` panels of
 * depth × 8, c: rows × 8·panels float32 (row stride ldc floats).
 */
export function multiplyPanels(
  a: usize, lda: i32, rows: i32, depth: i32, b: usize, panels: i32, c: usize, ldc: i32,
): void {
  const strideA = <usize>lda << 2, strideC = <usize>ldc << 2;
  const rows4 = rows & ~3;
  if (rows4 > 0) {
    for (let p = 0; p < panels; p++) {
      const panel = b + <usize>p * (<usize>depth << 5);
      for (let r = 0; r < rows4; r += 4) {
        const ar = a + <usize>r * strideA;
        block4x8(ar, strideA, depth, panel, c + <usize>r * strideC + (<usize>p << 5), strideC);
      }
    }
  }
  for (let r = rows4; r < rows; r++) {
    rowTimesPanels(a + <usize>r * strideA, depth, b, panels, c + <usize>r * strideC);
  }
}

/** Adds the eight float32 of (lo, hi) to eight float64. */
// @ts-ignore: decorator
@inline
function addWidened(c: usize, lo: v128, hi: v128): void {
  v128.store(c, f64x2.add(v128.load(c), f64x2.promote_low_f32x4(lo)));
  const lo2 = v128.shuffle<i32>(lo, lo, 2, 3, 2, 3);
  v128.store(c, f64x2.add(v128.load(c, 16), f64x2.promote_low_f32x4(lo2)), 16);
  v128.store(c, f64x2.add(v128.load(c, 32), f64x2.promote_low_f32x4(hi)), 32);
  const hi2 = v128.shuffle<i32>(hi, hi, 2, 3, 2, 3);
  v128.store(c, f64x2.add(v128.load(c, 48), f64x2.promote_low_f32x4(hi2)), 48);
}

/** c[0..4][0..8] += Σ_k a[k][half·4 + r] · b[k][0..8], both panels of `depth` rows. */
// @ts-ignore: decorator
@inline
function outer4x8(a: usize, b: usize, depth: i32, c: usize, strideC: usize): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  const end = b + (<usize>depth << 5);
  while (b < end) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const x0 = v128.load32_splat(a), x1 = v128.load32_splat(a, 4);
    c00 = f32x4.add(c00, f32x4.mul(x0, b0));
    c01 = f32x4.add(c01, f32x4.mul(x0, b1));
    c10 = f32x4.add(c10, f32x4.mul(x1, b0));
    c11 = f32x4.add(c11, f32x4.mul(x1, b1));
    const x2 = v128.load32_splat(a, 8), x3 = v128.load32_splat(a, 12);
    c20 = f32x4.add(c20, f32x4.mul(x2, b0));
    c21 = f32x4.add(c21, f32x4.mul(x2, b1));
    c30 = f32x4.add(c30, f32x4.mul(x3, b0));
    c31 = f32x4.add(c31, f32x4.mul(x3, b1));
    a += 32;
    b += 32;
  }
  addWidened(c, c00, c01);
  addWidened(c + strideC, c10, c11);
  addWidened(c + 2 * strideC, c20, c21);
  addWidened(c + 3 * strideC, c30, c31);
}

/**
 * C += Aᵀ · B in float64 (the products of one call are summed in float32: keep depth at a few
 * hundred rows). a, b: packed panels of `depth` rows; c: 8·panelsA × ldc float64, 16-aligned.
 * With symmetric != 0, a = b and only panels on and above the diagonal are computed.
 */
export function accumulateOuter(
  a: usize, panelsA: i32, b: usize, panelsB: i32, depth: i32, c: usize, ldc: i32, symmetric: i32,
): void {
  const panelBytes = <usize>depth << 5;
  const strideC = <usize>ldc << 3;
  for (let q = 0; q < panelsB; q++) {
    const panelB = b + <usize>q * panelBytes;
    const last = symmetric ? q + 1 : panelsA;
    for (let p = 0; p < last; p++) {
      const panelA = a + <usize>p * panelBytes;
      const block = c + (<usize>p << 3) * strideC + (<usize>q << 6);
      outer4x8(panelA, panelB, depth, block, strideC);
      outer4x8(panelA + 16, panelB, depth, block + 4 * strideC, strideC);
    }
  }
}
