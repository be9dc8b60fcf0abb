// IEEE 754 binary16 by integer arithmetic: WebAssembly has no half type.

/** float32 → binary16 bits, round to nearest even; overflow becomes infinity. */
export function toHalf(x: f32): u32 {
  const bits = reinterpret<u32>(x);
  const sign = (bits >> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to 65,536 or more
  if (magnitude < 0x38800000) {
    // Subnormal in binary16: adding 0.5 lets the float32 adder round at the right bit (ulp 2^-24).
    const rounded = reinterpret<f32>(magnitude) + <f32>0.5;
    return sign | (reinterpret<u32>(rounded) - 0x3f000000);
  }
  const odd = (magnitude >> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >> 13);
}

/** binary16 bits → float32, exact (subnormals included). */
// @ts-ignore: decorator
@inline
export function fromHalf(h: u32): f32 {
  const sign = (h & 0x8000) << 16;
  const magnitude = (h & 0x7fff) << 13;
  if (magnitude >= 0x0f800000) return reinterpret<f32>(sign | 0x70000000 | magnitude); // inf, NaN
  // Scaling by 2^112 moves the exponent from bias 15 to bias 127 and normalises subnormals.
  const scaled = reinterpret<f32>(magnitude) * reinterpret<f32>(0x77800000);
  return reinterpret<f32>(reinterpret<u32>(scaled) | sign);
}

/** The float32 after rounding to binary16. */
// @ts-ignore: decorator
@inline
export function roundToHalf(x: f32): f32 {
  return fromHalf(toHalf(x));
}

/** The largest binary16 value not above x, as float32. */
export function halfBelow(x: f32): f32 {
  const h = toHalf(x);
  if (fromHalf(h) <= x) return fromHalf(h);
  return fromHalf(h & 0x8000 ? h + 1 : h - 1);
}

export function halfToFloat(h: u32): f32 {
  return fromHalf(h);
}
