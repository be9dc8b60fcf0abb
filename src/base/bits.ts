/** The number of bits that are 1 (Warren, Hacker's Delight, 5-1). */
export function countBits(words: Uint32Array | Int32Array): number {
  let count = 0;
  for (let i = 0; i < words.length; i++) {
    // As signed numbers these stay small integers, which is twice as fast.
    const word = words[i]! | 0;
    let x = word - ((word >>> 1) & 0x5555_5555);
    x = (x & 0x3333_3333) + ((x >>> 2) & 0x3333_3333);
    x = (x + (x >>> 4)) & 0x0f0f_0f0f;
    count += Math.imul(x, 0x0101_0101) >>> 24;
  }
  return count;
}
