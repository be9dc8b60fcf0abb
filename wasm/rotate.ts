// A random rotation in O(d log d): random signs, a Hadamard transform of the first p numbers, random
// signs, one of the last p, where p is the largest power of two up to d. It spreads outlier
// dimensions over all, so that one interval a vector serves all its numbers (algorithms: LVQ's
// pitfalls, and QuIP#, arXiv 2402.04396). The signs between the transforms matter: where these
// overlap they would otherwise partly cancel.

// @ts-ignore: decorator
@inline
function flipSigns(x: usize, signs: usize, n: i32): void {
  const end = x + (<usize>n << 2);
  for (; x < end; x += 16, signs += 16) v128.store(x, v128.xor(v128.load(x), v128.load(signs)));
}

/** Butterflies over 1 and 2 in each group of four, times `factor`. */
// @ts-ignore: decorator
@inline
function firstTwoStages(x: usize, end: usize, factor: f32): void {
  const f = f32x4.splat(factor);
  const oddMinus = v128.xor(f, i32x4(0, 0x80000000, 0, 0x80000000));
  const highMinus = i32x4(0, 0, 0x80000000, 0x80000000);
  for (; x < end; x += 16) {
    const v = v128.load(x);
    const pairs = f32x4.add(
      f32x4.mul(v128.shuffle<i32>(v, v, 0, 0, 2, 2), f),
      f32x4.mul(v128.shuffle<i32>(v, v, 1, 1, 3, 3), oddMinus),
    );
    const low = v128.shuffle<i32>(pairs, pairs, 0, 1, 0, 1);
    const high = v128.shuffle<i32>(pairs, pairs, 2, 3, 2, 3);
    v128.store(x, f32x4.add(low, v128.xor(high, highMinus)));
  }
}

/** Butterflies over `half` and 2 · half bytes at once. */
export function twoStages(x: usize, end: usize, half: usize): void {
  for (; x < end; x += 3 * half) {
    for (const stop = x + half; x < stop; x += 16) {
      const a = v128.load(x), b = v128.load(x + half);
      const c = v128.load(x + 2 * half), d = v128.load(x + 3 * half);
      const ab = f32x4.add(a, b), aMinusB = f32x4.sub(a, b);
      const cd = f32x4.add(c, d), cMinusD = f32x4.sub(c, d);
      v128.store(x, f32x4.add(ab, cd));
      v128.store(x + half, f32x4.add(aMinusB, cMinusD));
      v128.store(x + 2 * half, f32x4.sub(ab, cd));
      v128.store(x + 3 * half, f32x4.sub(aMinusB, cMinusD));
    }
  }
}

/** Butterflies over `half` bytes. */
export function oneStage(x: usize, end: usize, half: usize): void {
  for (; x < end; x += half) {
    for (const stop = x + half; x < stop; x += 16) {
      const a = v128.load(x), b = v128.load(x + half);
      v128.store(x, f32x4.add(a, b));
      v128.store(x + half, f32x4.sub(a, b));
    }
  }
}

/** The orthonormal Hadamard transform of p numbers, p ≥ 4 a power of two. */
function hadamard(x: usize, p: i32): void {
  const end = x + (<usize>p << 2);
  firstTwoStages(x, end, <f32>(1 / Math.sqrt(<f64>p)));
  let half: usize = 16;
  for (; half << 1 < end - x; half <<= 2) twoStages(x, end, half);
  if (half < end - x) oneStage(x, end, half);
}

/**
 * Rotates n ≥ 4 float32 in place. x must have room for n rounded up to a v128; signs: two rounds of
 * words 0 or 2^31, each as long.
 */
export function rotate(x: usize, signs: usize, n: i32): void {
  const p: i32 = 1 << (31 - clz(n));
  flipSigns(x, signs, n);
  hadamard(x, p);
  flipSigns(x, signs + (<usize>((n + 3) & ~3) << 2), n);
  hadamard(x + (<usize>(n - p) << 2), p);
}

/** Undoes rotate(): each step is its own inverse. */
export function rotateBack(x: usize, signs: usize, n: i32): void {
  const p: i32 = 1 << (31 - clz(n));
  hadamard(x + (<usize>(n - p) << 2), p);
  flipSigns(x, signs + (<usize>((n + 3) & ~3) << 2), n);
  hadamard(x, p);
  flipSigns(x, signs, n);
}
