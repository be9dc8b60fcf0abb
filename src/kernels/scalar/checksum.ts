/** Scalar twin of wasm/checksum.ts: an oracle for the tests, not exported by the package. */

const POLYNOMIAL = 0xedb88320;

/** CRC-32 by polynomial division, one bit at a time, going on from `crc` (0 to begin). */
export function crc32(bytes: Uint8Array, crc = 0): number {
  let remainder = ~crc;
  for (const byte of bytes) {
    remainder ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      remainder = (remainder >>> 1) ^ (remainder & 1 ? POLYNOMIAL : 0);
    }
  }
  return ~remainder >>> 0;
}
