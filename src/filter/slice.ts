import { keyOfId, type PointId } from '../base/point-id.js';

/** One of `total` disjoint parts of all points, by a hash of their ids. */
export interface Slice {
  total: number;
  index: number;
}

/** Qdrant's rule: SipHash-2-4 with a zero key of 8 little-endian bytes, or the 16 of a UUID. */
export function isInSlice(id: PointId, { total, index }: Slice): boolean {
  // Without the byte that tells kinds of ids apart; an integer's bytes are the other way round.
  const bytes = keyOfId(id).subarray(1);
  if (typeof id !== 'string') bytes.reverse();
  return sipHash24(bytes, 0n, 0n) % BigInt(total) === BigInt(index);
}

const MASK = 2n ** 64n - 1n;
const rotl = (x: bigint, bits: bigint) => ((x << bits) | (x >> (64n - bits))) & MASK;

/** SipHash-2-4 of bytes (Aumasson and Bernstein 2012). */
export function sipHash24(bytes: Uint8Array, k0: bigint, k1: bigint): bigint {
  let [v0, v1] = [k0 ^ 0x736f6d6570736575n, k1 ^ 0x646f72616e646f6dn];
  let [v2, v3] = [k0 ^ 0x6c7967656e657261n, k1 ^ 0x7465646279746573n];
  const rounds = (count: number) => {
    for (let i = 0; i < count; i++) {
      v0 = (v0 + v1) & MASK;
      v1 = rotl(v1, 13n) ^ v0;
      v0 = rotl(v0, 32n);
      v2 = (v2 + v3) & MASK;
      v3 = rotl(v3, 16n) ^ v2;
      v0 = (v0 + v3) & MASK;
      v3 = rotl(v3, 21n) ^ v0;
      v2 = (v2 + v1) & MASK;
      v1 = rotl(v1, 17n) ^ v2;
      v2 = rotl(v2, 32n);
    }
  };
  const take = (word: bigint) => {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  };
  const whole = bytes.length - (bytes.length % 8);
  for (let i = 0; i < whole; i += 8) take(wordAt(bytes, i, 8));
  // The last word ends with the length.
  take((BigInt(bytes.length & 0xff) << 56n) | wordAt(bytes, whole, bytes.length % 8));
  v2 ^= 0xffn;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

function wordAt(bytes: Uint8Array, at: number, length: number): bigint {
  let word = 0n;
  for (let i = length - 1; i >= 0; i--) word = (word << 8n) | BigInt(bytes[at + i]!);
  return word;
}
