import type { Steps } from '../base/steps.js';
import type { Bitmap } from './bitmap.js';
import type { Scalar, ValueTest } from './conditions.js';

/** What an index of one type knows about a test. */
export interface Found {
  /** The rows with a value of the type that passes, or may pass; the caller disposes of it. */
  rows: Bitmap;
  /**
   * Which of them only may: `none`; those with `several` values, of which each is not enough by
   * itself; or these, which the caller disposes of.
   */
  unsure: 'none' | 'several' | Bitmap;
  /** Whether values of other types may pass too. */
  othersToo: boolean;
}

/**
 * The index of the values of one type at one path. `Key` is what it keeps of a value; the same key
 * may be added to a row again and is removed as a whole.
 */
export interface ValueIndex<Key> {
  /** Undefined for a value that is not of the type. */
  keyOf(value: unknown): Key | undefined;
  /** Whether this may be a key: of those that were saved. */
  isKey(key: unknown): boolean;
  add(key: Key, row: number): void;
  remove(key: Key, row: number): void;
  /** Removes these rows, whatever their keys are; yields every few milliseconds. */
  forget(rows: Bitmap): Steps<void>;
  /**
   * Undefined where the index is of no use for the test.
   * @param single the rows with a value of the type, if none of them has several
   */
  find(test: ValueTest, single?: Bitmap): Found | undefined;
  /** Calls back with each value and how many of these rows have it, if any. */
  counts?(rows: Bitmap, visit: (value: Scalar, count: number) => void): void;
  /** Bytes of memory, roughly. */
  readonly byteLength: number;
  dispose(): void;
}
