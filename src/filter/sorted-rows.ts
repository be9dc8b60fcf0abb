import type { Steps } from '../base/steps.js';
import type { Interval } from './interval.js';

/** Pairs a bucket holds at most; a change moves no more than these, 24 KiB. */
export const BUCKET_PAIRS = 2048;

/** Values with their rows, in ascending order by value and then by row. */
export interface Pairs {
  values: Float64Array;
  rows: Uint32Array;
}

/** The first `count` pairs of its arrays; never none. */
interface Bucket extends Pairs {
  count: number;
}

/**
 * Pairs of a number and a row, in order: a list of sorted buckets, found by binary search. A change
 * moves the pairs of one bucket, and what an interval selects are runs of whole arrays, read at the
 * speed of memory: half of a million pairs become a bitmap in half a millisecond. (Joining bitmaps
 * of the buckets takes twice as long, and bit-sliced indexes a bitmap operation for each of 64 bits.)
 */
export class SortedRows {
  private buckets: Bucket[] = [];
  private greatestRow = 0;

  /** No row is greater. */
  get lastRow(): number {
    return this.greatestRow;
  }

  add(value: number, row: number): void {
    if (row > this.greatestRow) this.greatestRow = row;
    if (this.buckets.length === 0) {
      this.append(value, row);
      return;
    }
    const index = this.bucketOf(value, row);
    const bucket = this.buckets[index]!;
    const at = placeIn(bucket, value, row);
    if (isAt(bucket, at, value, row)) return;
    if (bucket.count < BUCKET_PAIRS) {
      insert(bucket, at, value, row);
    } else if (at === BUCKET_PAIRS && index === this.buckets.length - 1) {
      // Ascending values, as of times, leave full buckets behind.
      this.append(value, row);
    } else {
      this.split(index);
      this.add(value, row);
    }
  }

  /** Adds a pair that comes after all the others. */
  append(value: number, row: number): void {
    if (row > this.greatestRow) this.greatestRow = row;
    let last = this.buckets.at(-1);
    if (last === undefined || last.count === BUCKET_PAIRS) {
      last = newBucket();
      this.buckets.push(last);
    }
    insert(last, last.count, value, row);
  }

  remove(value: number, row: number): void {
    const index = this.bucketOf(value, row);
    const bucket = this.buckets[index];
    if (bucket === undefined) return;
    const at = placeIn(bucket, value, row);
    if (!isAt(bucket, at, value, row)) return;
    bucket.values.copyWithin(at, at + 1, bucket.count);
    bucket.rows.copyWithin(at, at + 1, bucket.count);
    bucket.count--;
    if (bucket.count === 0) this.buckets.splice(index, 1);
    this.join(index);
    this.join(index - 1);
  }

  /** Yields now and then; pairs that come or go meanwhile may keep some of the rows in it. */
  *forget(isGone: (row: number) => boolean): Steps<void> {
    for (let i = 0; i < this.buckets.length; i++) {
      const bucket = this.buckets[i]!;
      keepOnly(bucket, isGone);
      if (bucket.count === 0) this.buckets.splice(i--, 1);
      else if (this.join(i - 1)) i--;
      yield;
    }
  }

  /**
   * The place of the first pair whose value is not less than this one, or greater than it. Places
   * are in the order of pairs, and valid until the next change.
   */
  placeOf(value: number, isGreater: boolean): number {
    // Rows are numbers from 0 to 2^32 - 1, so these come before and after all of a value.
    const row = isGreater ? Infinity : -1;
    const index = this.bucketOf(value, row);
    const bucket = this.buckets[index];
    return index * BUCKET_PAIRS + (bucket === undefined ? 0 : placeIn(bucket, value, row));
  }

  /** The pairs from one place up to before another, as views valid until the next change. */
  between(from = 0, to = Infinity): Pairs[] {
    const found: Pairs[] = [];
    for (let i = Math.floor(from / BUCKET_PAIRS); i < this.buckets.length; i++) {
      const { values, rows, count } = this.buckets[i]!;
      const first = Math.max(0, from - i * BUCKET_PAIRS);
      const end = Math.min(count, to - i * BUCKET_PAIRS);
      if (to <= i * BUCKET_PAIRS) break;
      if (first < end) {
        found.push({ values: values.subarray(first, end), rows: rows.subarray(first, end) });
      }
    }
    return found;
  }

  /** The pairs of all values within the interval. */
  within({ low, lowOpen, high, highOpen }: Interval): Pairs[] {
    return this.between(this.placeOf(low, lowOpen), this.placeOf(high, !highOpen));
  }

  /** The pairs of all other values; an interval without any value leaves all of them. */
  outside({ low, lowOpen, high, highOpen }: Interval): Pairs[] {
    const from = this.placeOf(low, lowOpen);
    const to = Math.max(from, this.placeOf(high, !highOpen));
    return [...this.between(0, from), ...this.between(to)];
  }

  /** Bytes of memory. */
  get byteLength(): number {
    return this.buckets.length * BUCKET_PAIRS * 12;
  }

  /** The last bucket that begins no later than the pair, else the first. */
  private bucketOf(value: number, row: number): number {
    let [low, high] = [0, this.buckets.length];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (isAfter(this.buckets[middle]!, 0, value, row)) high = middle;
      else low = middle;
    }
    return low;
  }

  private split(index: number): void {
    const bucket = this.buckets[index]!;
    const upper = newBucket();
    const half = bucket.count >>> 1;
    upper.values.set(bucket.values.subarray(half, bucket.count));
    upper.rows.set(bucket.rows.subarray(half, bucket.count));
    upper.count = bucket.count - half;
    bucket.count = half;
    this.buckets.splice(index + 1, 0, upper);
  }

  /** Joins a bucket with the next one if both are nearly empty. */
  private join(index: number): boolean {
    const [bucket, next] = [this.buckets[index], this.buckets[index + 1]];
    if (bucket === undefined || next === undefined) return false;
    if (bucket.count + next.count > BUCKET_PAIRS / 2) return false;
    bucket.values.set(next.values.subarray(0, next.count), bucket.count);
    bucket.rows.set(next.rows.subarray(0, next.count), bucket.count);
    bucket.count += next.count;
    this.buckets.splice(index + 1, 1);
    return true;
  }
}

function newBucket(): Bucket {
  return {
    values: new Float64Array(BUCKET_PAIRS),
    rows: new Uint32Array(BUCKET_PAIRS),
    count: 0,
  };
}

function insert(bucket: Bucket, at: number, value: number, row: number): void {
  const { values, rows, count } = bucket;
  values.copyWithin(at + 1, at, count);
  rows.copyWithin(at + 1, at, count);
  values[at] = value;
  rows[at] = row;
  bucket.count++;
}

function keepOnly(bucket: Bucket, isGone: (row: number) => boolean): void {
  const { values, rows, count } = bucket;
  let kept = 0;
  for (let i = 0; i < count; i++) {
    if (isGone(rows[i]!)) continue;
    values[kept] = values[i]!;
    rows[kept++] = rows[i]!;
  }
  bucket.count = kept;
}

/** Whether the bucket's pair at a place comes after this one. */
function isAfter({ values, rows }: Bucket, at: number, value: number, row: number): boolean {
  return values[at]! > value || (values[at] === value && rows[at]! > row);
}

function isAt({ values, rows, count }: Bucket, at: number, value: number, row: number): boolean {
  return at < count && values[at] === value && rows[at] === row;
}

/** Where a pair is in a bucket or would be. */
function placeIn(bucket: Bucket, value: number, row: number): number {
  let [low, high] = [0, bucket.count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { values, rows } = bucket;
    if (values[middle]! < value || (values[middle] === value && rows[middle]! < row)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
