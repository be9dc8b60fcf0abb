/** The float32 bits of each of the 65,536 float16 values; made at first use, 256 KiB. */
let table: Uint32Array | undefined;

/**
 * IEEE 754 binary16 bits to float32, exactly: subnormals, signed zeros, infinities and the payload
 * of NaN are kept.
 */
export function decodeFloat16(halves: Uint16Array): Float32Array {
  table ??= float32BitsOfAllHalves();
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) bits[i] = table[halves[i]];
  return new Float32Array(bits.buffer);
}

function float32BitsOfAllHalves(): Uint32Array {
  const bits = new Uint32Array(65_536);
  for (let half = 0; half < bits.length; half++) bits[half] = float32Bits(half);
  return bits;
}

function float32Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  let exponent = (half >>> 10) & 0x1f;
  let mantissa = half & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f80_0000 | (mantissa << 13)) >>> 0;
  if (exponent === 0) {
    if (mantissa === 0) return sign >>> 0;
    // A subnormal: every one of them is normal as float32, so the leading one moves up to its
    // hidden place and the exponent pays for the way.
    exponent = 1;
    while ((mantissa & 0x400) === 0) {
      mantissa <<= 1;
      exponent -= 1;
    }
    mantissa &= 0x3ff;
  }
  // The biases are 127 and 15.
  return (sign | ((exponent + 112) << 23) | (mantissa << 13)) >>> 0;
}
