import { Kernels } from '../kernels/index.js';

const BUFFER_BYTES = 1 << 18;

let shared: { kernels: Kernels; buffer: number } | undefined;

/** CRC-32 (as zlib's) of bytes anywhere, going on from that of the bytes before them. */
export function crc32(bytes: Uint8Array, before = 0): number {
  if (shared === undefined) {
    const kernels = new Kernels();
    shared = { kernels, buffer: kernels.alloc(BUFFER_BYTES) };
  }
  const { kernels, buffer } = shared;
  const window = kernels.u8(buffer, BUFFER_BYTES);
  let crc = before;
  for (let from = 0; from < bytes.length; from += BUFFER_BYTES) {
    const part = bytes.subarray(from, from + BUFFER_BYTES);
    window.set(part);
    crc = kernels.call.crc32(buffer, part.length, crc);
  }
  return crc >>> 0;
}
