// A sorted list of (distance, id) as 64-bit keys, nearest first: the beam of a graph search and the
// result of every top-k. The high word is the distance, mapped so that integers order like floats;
// the low word is id · 2 + flag, so ties go to the lower id.

/** The key of a node: distance order, then id order; the flag ("expanded") is clear. */
// @ts-ignore: decorator
@inline
export function makeKey(distance: f32, id: u32): i64 {
  const bits = reinterpret<i32>(distance + <f32>0); // −0 becomes +0
  const ordered = bits ^ ((bits >> 31) & 0x7fffffff);
  return (<i64>ordered << 32) | <i64>((<u64>id << 1) & 0xffffffff);
}

// @ts-ignore: decorator
@inline
export function keyId(key: i64): u32 {
  return <u32>key >> 1;
}

// @ts-ignore: decorator
@inline
export function keyDistance(key: i64): f32 {
  const ordered = <i32>(key >> 32);
  return reinterpret<f32>(ordered ^ ((ordered >> 31) & 0x7fffffff));
}

/**
 * Inserts a key into a sorted list of `size` keys, dropping the last one if it would exceed
 * `capacity`, and returns its position. The caller has checked that it belongs.
 * list must have room for capacity + 1 keys.
 */
// @ts-ignore: decorator
@inline
export function insertKey(list: usize, size: u32, key: i64): u32 {
  let p = list + (<usize>size << 3);
  // Four at a time while the fourth is still behind the key.
  while (p >= list + 32 && load<i64>(p - 32) > key) {
    v128.store(p - 8, v128.load(p - 16));
    v128.store(p - 24, v128.load(p - 32));
    p -= 32;
  }
  while (p > list) {
    const before = load<i64>(p - 8);
    if (before < key) break;
    store<i64>(p, before);
    p -= 8;
  }
  store<i64>(p, key);
  return <u32>((p - list) >> 3);
}

/** Inserts into a top-k list of at most `capacity` keys; returns the new size. */
// @ts-ignore: decorator
@inline
export function offerKey(list: usize, size: u32, capacity: u32, key: i64): u32 {
  if (size == capacity) {
    if (key >= load<i64>(list + (<usize>(size - 1) << 3))) return size;
    insertKey(list, size - 1, key);
    return size;
  }
  insertKey(list, size, key);
  return size + 1;
}

/** The k nearest of n distances, ids first …, as keys into list (room for k + 1); returns how many. */
export function topK(distances: usize, n: u32, first: u32, k: u32, list: usize, size: u32): u32 {
  for (let i: u32 = 0; i < n; i++) {
    size = offerKey(list, size, k, makeKey(load<f32>(distances + (<usize>i << 2)), first + i));
  }
  return size;
}

/** Splits keys into ids (u32) and distances (f32). */
export function readKeys(list: usize, size: u32, ids: usize, distances: usize): void {
  for (let i: usize = 0; i < <usize>size; i++) {
    const key = load<i64>(list + (i << 3));
    store<u32>(ids + (i << 2), keyId(key));
    store<f32>(distances + (i << 2), keyDistance(key));
  }
}
