/**
 * Scalar twin of wasm/rotate.ts: an oracle for the tests, not exported by the package. By the
 * definition in float64, with the entries of Sylvester's matrix instead of butterflies.
 */

/** The largest power of two up to n. */
export function hadamardSize(n: number): number {
  return 2 ** Math.floor(Math.log2(n));
}

/**
 * Signs, a Hadamard transform of the first p numbers, signs, one of the last p.
 * @param signs two rounds of x.length numbers, 1 or −1.
 */
export function rotate(x: ArrayLike<number>, signs: Int8Array): Float64Array {
  const n = x.length;
  const p = hadamardSize(n);
  const rotated = Float64Array.from(x, (value, j) => value * signs[j]!);
  transform(rotated.subarray(0, p));
  for (let j = 0; j < n; j++) rotated[j]! *= signs[n + j]!;
  transform(rotated.subarray(n - p));
  return rotated;
}

/** Undoes rotate(). */
export function rotateBack(x: ArrayLike<number>, signs: Int8Array): Float64Array {
  const n = x.length;
  const p = hadamardSize(n);
  const rows = Float64Array.from(x);
  transform(rows.subarray(n - p));
  for (let j = 0; j < n; j++) rows[j]! *= signs[n + j]!;
  transform(rows.subarray(0, p));
  for (let j = 0; j < n; j++) rows[j]! *= signs[j]!;
  return rows;
}

/** x ← H x with H_ij = (−1)^(number of ones that i and j share) / √p. */
function transform(x: Float64Array): void {
  const source = x.slice();
  for (let i = 0; i < x.length; i++) {
    let sum = 0;
    for (let j = 0; j < x.length; j++) sum += parity(i & j) === 0 ? source[j]! : -source[j]!;
    x[i] = sum / Math.sqrt(x.length);
  }
}

/** 1 where an odd number of the lowest 16 bits are set. */
function parity(bits: number): number {
  let folded = bits ^ (bits >> 8);
  folded ^= folded >> 4;
  folded ^= folded >> 2;
  return (folded ^ (folded >> 1)) & 1;
}
