import type { Steps } from '../base/steps.js';
import { Bitmap } from './bitmap.js';
import { RowCollector } from './row-collector.js';

/** The rows of a key: a single one as it is, since many keys have no more. */
export type Posting = number | Bitmap;

/** Bytes of memory of a key and its posting besides the characters and the rows, roughly. */
const KEY_BYTES = 64;
const BITMAP_BYTES = 300;

const YIELD_EVERY = 256;

/** From each key to the rows that have it. */
export class Postings<Key extends string | boolean> {
  private readonly map = new Map<Key, Posting>();
  /** No posting that is a number is greater. */
  private lastSingle = 0;

  get size(): number {
    return this.map.size;
  }

  keys(): IterableIterator<Key> {
    return this.map.keys();
  }

  entries(): IterableIterator<[Key, Posting]> {
    return this.map.entries();
  }

  has(key: Key): boolean {
    return this.map.has(key);
  }

  add(key: Key, row: number): void {
    const posting = this.map.get(key);
    if (posting === undefined) {
      this.set(key, row);
    } else if (typeof posting !== 'number') {
      posting.add(row);
    } else if (posting !== row) {
      this.map.set(key, Bitmap.from(Uint32Array.of(posting, row)));
    }
  }

  /** Takes the posting over; the key must be new. */
  set(key: Key, posting: Posting): void {
    if (typeof posting === 'number' && posting > this.lastSingle) this.lastSingle = posting;
    this.map.set(key, posting);
  }

  remove(key: Key, row: number): void {
    const posting = this.map.get(key);
    if (posting === row) this.map.delete(key);
    if (posting === undefined || typeof posting === 'number') return;
    posting.remove(row);
    this.dropIfEmpty(key, posting);
  }

  *forget(rows: Bitmap): Steps<void> {
    const isGone = rows.lookup();
    let count = 0;
    for (const [key, posting] of this.map) {
      if (typeof posting === 'number') {
        if (isGone(posting)) this.map.delete(key);
      } else {
        posting.andNotInPlace(rows);
        this.dropIfEmpty(key, posting);
      }
      if (++count % YIELD_EVERY === 0) yield;
    }
  }

  private dropIfEmpty(key: Key, posting: Bitmap): void {
    if (!posting.isEmpty) return;
    this.map.delete(key);
    posting.dispose();
  }

  /** The rows that have any of the keys, in a new bitmap. */
  union(keys: Iterable<Key>): Bitmap {
    const bitmaps: Bitmap[] = [];
    const singles: number[] = [];
    for (const key of keys) {
      const posting = this.map.get(key);
      if (typeof posting === 'number') singles.push(posting);
      else if (posting !== undefined) bitmaps.push(posting);
    }
    if (singles.length === 0) return Bitmap.union(bitmaps);
    const collector = new RowCollector();
    collector.add(Uint32Array.from(singles), this.lastSingle);
    const rows = collector.toBitmap();
    if (bitmaps.length === 0) return rows;
    const all = Bitmap.union([rows, ...bitmaps]);
    rows.dispose();
    return all;
  }

  /** Bytes of memory, roughly. */
  get byteLength(): number {
    let total = 0;
    for (const [key, posting] of this.map) {
      total += KEY_BYTES + (typeof key === 'string' ? key.length : 0);
      if (typeof posting !== 'number') total += BITMAP_BYTES + posting.byteLength;
    }
    return total;
  }

  dispose(): void {
    for (const posting of this.map.values()) {
      if (typeof posting !== 'number') posting.dispose();
    }
    this.map.clear();
  }
}
