const DIGITS_MIN = 6;

/** The shortest number that is this float32 when it is rounded to one: 0.1, not 0.10000000149011612. */
export function shortestFloat32(x: number): number {
  // Whole numbers, halves, … are short as they are.
  if (Number.isInteger(x * 64)) return x;
  for (let digits = DIGITS_MIN; digits < 9; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Math.fround(short) === x) return short;
  }
  return Number(x.toPrecision(9));
}

/** A vector on its way out: numbers in JSON, float32 bytes in msgpack. */
export class WireVector extends Float32Array {
  toJSON(): number[] {
    return Array.from(this, shortestFloat32);
  }
}

/** The same numbers in the same memory. */
export function wireVector(vector: Float32Array): WireVector {
  return new WireVector(vector.buffer as ArrayBuffer, vector.byteOffset, vector.length);
}
