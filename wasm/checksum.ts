// CRC-32 (polynomial 0xEDB88320, as in zlib), eight bytes a step ("slicing-by-8", Kounavis and
// Berry 2005). Finds every burst of up to 32 altered bits.

const TABLE: usize = memory.data(8192, 16);
let ready = false;

function fillTable(): void {
  for (let n: u32 = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = (c >> 1) ^ (0xedb88320 & (0 - (c & 1)));
    store<u32>(TABLE + (n << 2), c);
  }
  for (let n: u32 = 0; n < 256; n++) {
    let c = load<u32>(TABLE + (n << 2));
    for (let s: u32 = 1; s < 8; s++) {
      c = load<u32>(TABLE + ((c & 0xff) << 2)) ^ (c >> 8);
      store<u32>(TABLE + ((s << 10) + (n << 2)), c);
    }
  }
  ready = true;
}

// @ts-ignore: decorator
@inline
function entry(slice: u32, byte: u32): u32 {
  return load<u32>(TABLE + ((slice << 10) + (byte << 2)));
}

/** The checksum of `length` bytes, going on from `crc` (0 to begin). */
export function crc32(ptr: usize, length: usize, crc: u32): u32 {
  if (!ready) fillTable();
  crc = ~crc;
  const end = ptr + length;
  const end8 = ptr + (length & ~7);
  for (; ptr < end8; ptr += 8) {
    const low = load<u32>(ptr) ^ crc;
    const high = load<u32>(ptr, 4);
    crc = entry(7, low & 0xff) ^ entry(6, (low >> 8) & 0xff) ^
      entry(5, (low >> 16) & 0xff) ^ entry(4, low >> 24) ^
      entry(3, high & 0xff) ^ entry(2, (high >> 8) & 0xff) ^
      entry(1, (high >> 16) & 0xff) ^ entry(0, high >> 24);
  }
  for (; ptr < end; ptr++) crc = entry(0, (crc ^ load<u8>(ptr)) & 0xff) ^ (crc >> 8);
  return ~crc;
}
