import { RoaringBitmap32 } from 'roaring-wasm';
import { readPortable, writePortable } from './portable-bitmap.js';

/** A dense set has at least so many rows, and one of every 32. */
const DENSE_SIZE = 4096;
const DENSE_SPAN = 32;

/**
 * A set of rows, numbers from 0 to 2^32 - 1. It lives in the memory of the bitmap library, which
 * the garbage collector knows nothing about: whoever makes a bitmap calls `dispose`. One that is
 * forgotten is freed some time after the collector finds it, which may be late.
 */
export class Bitmap {
  private readonly set: RoaringBitmap32;

  private constructor(set: RoaringBitmap32) {
    this.set = set;
  }

  static empty(): Bitmap {
    return new Bitmap(new RoaringBitmap32());
  }

  /** From rows in any order; ascending is fastest. */
  static from(rows: Uint32Array): Bitmap {
    return new Bitmap(new RoaringBitmap32(rows));
  }

  /** From bits: row r is bit r & 31 of word r >> 5. */
  static fromBits(bits: Uint32Array): Bitmap {
    return new Bitmap(RoaringBitmap32.deserialize('portable', writePortable(bits)));
  }

  /** @throws LeandexError `CORRUPT` for any other bytes than those of `toBytes`. */
  static fromBytes(bytes: Uint8Array): Bitmap {
    readPortable(bytes, 'file', () => {});
    return new Bitmap(RoaringBitmap32.deserialize('portable', bytes));
  }

  /** The rows that are in any of them. */
  static union(bitmaps: readonly Bitmap[]): Bitmap {
    if (bitmaps.length === 1) return bitmaps[0]!.clone();
    const sets = bitmaps.filter(({ size }) => size > 0);
    const size = sets.reduce((sum, set) => sum + set.size, 0);
    const length = Math.max(0, ...sets.map(({ set }) => set.maximum() + 1));
    if (size >= DENSE_SIZE * sets.length && size >= length / DENSE_SPAN) {
      const words = new Uint32Array(Math.ceil(length / 32));
      for (const set of sets) orWords(words, set.toWords(length));
      return Bitmap.fromBits(words);
    }
    return new Bitmap(RoaringBitmap32.orMany(bitmaps.map(({ set }) => set)));
  }

  get size(): number {
    return this.set.size;
  }

  get isEmpty(): boolean {
    return this.set.isEmpty;
  }

  has(row: number): boolean {
    return this.set.has(row);
  }

  add(row: number): void {
    this.set.add(row);
  }

  addMany(rows: Uint32Array): void {
    this.set.addMany(rows);
  }

  /** Whether it was there. */
  remove(row: number): boolean {
    return this.set.delete(row);
  }

  clone(): Bitmap {
    return new Bitmap(this.set.clone());
  }

  and(other: Bitmap): Bitmap {
    return this.joined(other, andWords) ?? new Bitmap(RoaringBitmap32.and(this.set, other.set));
  }

  or(other: Bitmap): Bitmap {
    return this.joined(other, orWords) ?? new Bitmap(RoaringBitmap32.or(this.set, other.set));
  }

  andNot(other: Bitmap): Bitmap {
    return (
      this.joined(other, andNotWords) ?? new Bitmap(RoaringBitmap32.andNot(this.set, other.set))
    );
  }

  xor(other: Bitmap): Bitmap {
    return this.joined(other, xorWords) ?? new Bitmap(RoaringBitmap32.xor(this.set, other.set));
  }

  /**
   * Dense sets joined word by word, into the first: five times as fast as the library, which takes
   * 30 ns for 64 rows. Undefined for sets that are sparse.
   */
  private joined(other: Bitmap, into: (a: Uint32Array, b: Uint32Array) => void) {
    const size = Math.min(this.size, other.size);
    if (size < DENSE_SIZE) return undefined;
    const length = Math.max(this.set.maximum(), other.set.maximum()) + 1;
    if (size < length / DENSE_SPAN) return undefined;
    const words = this.toWords(length);
    into(words, other.toWords(length));
    return Bitmap.fromBits(words);
  }

  andInPlace(other: Bitmap): void {
    this.set.andInPlace(other.set);
  }

  orInPlace(other: Bitmap): void {
    this.set.orInPlace(other.set);
  }

  andNotInPlace(other: Bitmap): void {
    this.set.andNotInPlace(other.set);
  }

  /** How many rows both have. */
  andSize(other: Bitmap): number {
    return this.set.andCardinality(other.set);
  }

  equals(other: Bitmap): boolean {
    return this.set.isEqual(other.set);
  }

  /** Tells whether it has a row as it is now: at once for many rows, where `has` is for a few. */
  lookup(): (row: number) => boolean {
    const chunks: (Uint32Array | undefined)[] = [];
    readPortable(this.toBytes(), 'library', (key, words) => {
      chunks[key] = words;
    });
    return (row) => {
      const words = chunks[row >>> 16];
      return words !== undefined && ((words[(row & 0xffff) >> 5]! >>> (row & 31)) & 1) === 1;
    };
  }

  /** Calls back with each row, in ascending order. */
  forEach(visit: (row: number) => void): void {
    for (const row of this.toUint32Array()) visit(row);
  }

  /** Ascending. */
  toUint32Array(): Uint32Array {
    return this.set.toUint32Array();
  }

  /** Bit r & 7 of byte r >> 3 says whether row r is in it, for rows below `length`. */
  toBits(length: number): Uint8Array {
    const bits = new Uint8Array(this.toWords(length).buffer, 0, Math.ceil(length / 8));
    // Rows past the length may share its last byte.
    if (length % 8 > 0) bits[bits.length - 1]! &= (1 << (length % 8)) - 1;
    return bits;
  }

  /** The bits in words, of which the last may have rows past the length. */
  private toWords(length: number): Uint32Array {
    const all = new Uint32Array(Math.ceil(length / 32));
    readPortable(this.toBytes(), 'library', (key, words) => {
      const at = key * words.length;
      if (at + words.length <= all.length) all.set(words, at);
      else if (at < all.length) all.set(words.subarray(0, all.length - at), at);
    });
    return all;
  }

  /** The portable form of Roaring bitmaps; equal sets may differ in it. */
  toBytes(): Uint8Array {
    return this.set.serialize('portable');
  }

  /** Bytes of its rows in memory, nearly. */
  get byteLength(): number {
    return this.set.getSerializationSizeInBytes('portable');
  }

  /** Frees its memory; it must not be used any more. */
  dispose(): void {
    this.set.dispose();
  }
}

function andWords(a: Uint32Array, b: Uint32Array): void {
  for (let i = 0; i < a.length; i++) a[i]! &= b[i]!;
}

function orWords(a: Uint32Array, b: Uint32Array): void {
  for (let i = 0; i < a.length; i++) a[i]! |= b[i]!;
}

function andNotWords(a: Uint32Array, b: Uint32Array): void {
  for (let i = 0; i < a.length; i++) a[i]! &= ~b[i]!;
}

function xorWords(a: Uint32Array, b: Uint32Array): void {
  for (let i = 0; i < a.length; i++) a[i]! ^= b[i]!;
}
