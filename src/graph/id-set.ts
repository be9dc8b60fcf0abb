import { isAmong } from '../base/among.js';
import { outOfRange, wrongType } from '../base/errors.js';

/**
 * Which ids a search may return: a bitmap with id i at bit i & 7 of byte i >> 3, bits beyond its
 * end being 0; or a list of ids, in any order. A Uint8Array is always a bitmap.
 */
export type AllowedIds = Uint8Array | Uint32Array | readonly number[] | ReadonlySet<number>;

/** A fixed set of ids below some bound; a bitmap or a sorted list, whichever is smaller. */
export interface IdSet {
  has(id: number): boolean;
  /** Bit i & 31 of word i >> 5; undefined where the set is a list. */
  readonly bitmap: Uint32Array | undefined;
  /** Ascending, each once; undefined where the set is a bitmap. */
  readonly list: Uint32Array | undefined;
}

/**
 * A copy of what the user gave. Bits of a bitmap from `nextId` on are left out; ids in a list must
 * be below it.
 * @throws TypeError, RangeError `INVALID_ARGUMENT` for anything else.
 */
export function readIdSet(allowed: AllowedIds, nextId: number): IdSet {
  if (allowed instanceof Uint8Array) return bitmapSet(copyBitmap(allowed, nextId));
  const ids = copyList(allowed, nextId);
  let largest = -1;
  for (const id of ids) if (id > largest) largest = id;
  // A bitmap takes a bit for every id up to the largest, a list 32 for each of its own.
  return largest < 32 * ids.length ? bitmapSet(toBitmap(ids, largest)) : listSet(ids);
}

function copyBitmap(bytes: Uint8Array, nextId: number): Uint32Array {
  const used = bytes.subarray(0, Math.ceil(nextId / 8));
  const bitmap = new Uint32Array(Math.ceil(used.length / 4));
  new Uint8Array(bitmap.buffer).set(used);
  const last = Math.floor(nextId / 32);
  if (last < bitmap.length) bitmap[last]! &= 2 ** (nextId % 32) - 1;
  return bitmap;
}

function copyList(allowed: Exclude<AllowedIds, Uint8Array>, nextId: number): Uint32Array {
  const isKnown = allowed instanceof Uint32Array || Array.isArray(allowed);
  if (!isKnown && !(allowed instanceof Set)) {
    throw wrongType('allow', 'a Uint8Array bitmap, or a Uint32Array, array or Set of ids', allowed);
  }
  const values: ArrayLike<number> = allowed instanceof Set ? [...allowed] : allowed;
  const ids = new Uint32Array(values.length);
  for (let i = 0; i < ids.length; i++) {
    const id: unknown = values[i];
    if (typeof id !== 'number') throw wrongType('an id in allow', 'a number', id);
    if (!Number.isInteger(id) || id < 0 || id >= nextId) {
      const known = nextId === 0 ? 'there are none' : `0 to ${nextId - 1}`;
      throw outOfRange('an id in allow', `one that was assigned (${known})`, id);
    }
    ids[i] = id;
  }
  return ids;
}

function toBitmap(ids: Uint32Array, largest: number): Uint32Array {
  const bitmap = new Uint32Array(Math.floor(largest / 32) + 1);
  for (const id of ids) bitmap[id >>> 5]! |= 1 << (id & 31);
  return bitmap;
}

function bitmapSet(bitmap: Uint32Array): IdSet {
  return {
    bitmap,
    list: undefined,
    has: (id) => (((bitmap[Math.floor(id / 32)] ?? 0) >>> (id & 31)) & 1) === 1,
  };
}

/** A set of these ids, which are sorted in place. */
export function listSet(ids: Uint32Array): IdSet {
  ids.sort();
  const list = ids.filter((id, i) => i === 0 || ids[i - 1] !== id);
  return {
    bitmap: undefined,
    list,
    has: (id) => isAmong(list, id),
  };
}
