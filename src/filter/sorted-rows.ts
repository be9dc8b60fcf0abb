import type { Bitmap } from './bitmap.js';
import { type Interval, isWithin } from './interval.js';

/** Pairs a bucket holds at most; a change moves no more than these, 24 KiB. */
export const BUCKET_PAIRS = 2048;

/** Pairs of value and row in ascending order, by value and then by row; never none. */
interface Bucket {
  values: Float64Array;
  rows: Uint32Array;
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

  add(value: number, row: number): void {
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

  forget(rows: Bitmap): void {
    const isGone = rows.lookup();
    const kept = new SortedRows();
    for (const { values, rows, count } of this.buckets) {
      for (let i = 0; i < count; i++) {
        if (!isGone(rows[i]!)) kept.append(values[i]!, rows[i]!);
      }
    }
    this.buckets = kept.buckets;
  }

  /** The rows of all values within the interval, as views valid until the next change. */
  *within(interval: Interval): Generator<Uint32Array> {
    for (const { rows, from, to } of this.runs(interval)) yield rows.subarray(from, to);
  }

  /** Whether so few values, counted with repetitions, are within the interval. */
  isFewerThan(count: number, interval: Interval): boolean {
    let total = 0;
    for (const { from, to } of this.runs(interval)) {
      total += to - from;
      if (total >= count) return false;
    }
    return true;
  }

  /** The pairs within the interval, in order. */
  *pairs(interval: Interval): Generator<[value: number, row: number]> {
    for (const { values, rows, from, to } of this.runs(interval)) {
      for (let i = from; i < to; i++) yield [values[i]!, rows[i]!];
    }
  }

  /** Where the pairs within an interval are: from, up to before `to`, in some buckets. */
  private *runs(interval: Interval): Generator<Bucket & { from: number; to: number }> {
    const { low, lowOpen, high, highOpen } = interval;
    // The rows are numbers from 0 to 2^32 - 1, so these come before and after all of a value.
    const first = this.bucketOf(low, lowOpen ? Infinity : -1);
    for (let i = first; i < this.buckets.length; i++) {
      const bucket = this.buckets[i]!;
      const from = i === first ? placeIn(bucket, low, lowOpen ? Infinity : -1) : 0;
      const isLast = !isWithin({ ...interval, low: -Infinity }, bucket.values[bucket.count - 1]!);
      const to = isLast ? placeIn(bucket, high, highOpen ? -1 : Infinity) : bucket.count;
      if (from < to) yield { ...bucket, from, to };
      if (isLast) return;
    }
  }

  /** Every bucket's pairs as views, in order; valid until the next change. */
  *chunks(): Generator<{ values: Float64Array; rows: Uint32Array }> {
    for (const { values, rows, count } of this.buckets) {
      yield { values: values.subarray(0, count), rows: rows.subarray(0, count) };
    }
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
  private join(index: number): void {
    const [bucket, next] = [this.buckets[index], this.buckets[index + 1]];
    if (bucket === undefined || next === undefined) return;
    if (bucket.count + next.count > BUCKET_PAIRS / 2) return;
    bucket.values.set(next.values.subarray(0, next.count), bucket.count);
    bucket.rows.set(next.rows.subarray(0, next.count), bucket.count);
    bucket.count += next.count;
    this.buckets.splice(index + 1, 1);
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
