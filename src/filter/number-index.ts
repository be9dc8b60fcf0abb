import type { Steps } from '../base/steps.js';
import type { Bitmap } from './bitmap.js';
import type { Scalar, ValueTest } from './conditions.js';
import { parseInstant } from './instant.js';
import type { Interval } from './interval.js';
import { RowCollector } from './row-collector.js';
import { SortedRows } from './sorted-rows.js';
import type { Found, ValueIndex } from './value-index.js';

type NumberType = 'integer' | 'float' | 'datetime';

/** Numbers, or instants in microseconds, in order. */
export class NumberIndex implements ValueIndex<number> {
  private readonly type: NumberType;
  readonly sorted = new SortedRows();

  constructor(type: NumberType) {
    this.type = type;
  }

  keyOf(value: unknown): number | undefined {
    if (this.type === 'datetime') {
      return typeof value === 'string' ? parseInstant(value) : undefined;
    }
    if (typeof value !== 'number') return undefined;
    // -0 and 0 are the same value.
    return this.type === 'float' || Number.isInteger(value) ? value + 0 : undefined;
  }

  isKey(key: unknown): boolean {
    if (!Number.isFinite(key) || Object.is(key, -0)) return false;
    return this.type === 'float' || Number.isInteger(key);
  }

  add(value: number, row: number): void {
    this.sorted.add(value, row);
  }

  remove(value: number, row: number): void {
    this.sorted.remove(value, row);
  }

  forget(rows: Bitmap): Steps<void> {
    return this.sorted.forget(rows.lookup());
  }

  find(test: ValueTest, single?: Bitmap): Found | undefined {
    if (test.kind === 'datetime' && this.type === 'datetime') {
      return { rows: this.rowsOf(test.interval, single), unsure: 'none', othersToo: false };
    }
    if (this.type === 'datetime') return undefined;
    if (test.kind === 'range') {
      const rows = this.rowsOf(test.interval, single);
      return { rows, unsure: 'none', othersToo: this.type === 'integer' };
    }
    if (test.kind !== 'any') return undefined;
    const numbers: Interval[] = [];
    let othersToo = false;
    for (const value of test.values) {
      if (typeof value === 'number') numbers.push(exactly(value));
      else othersToo = true;
    }
    return { rows: this.rowsWithin(numbers), unsure: 'none', othersToo };
  }

  /** Of rows with one value each, what lies outside is taken away where that is less. */
  private rowsOf(interval: Interval, single: Bitmap | undefined): Bitmap {
    const count = this.sorted.within(interval).reduce((sum, { rows }) => sum + rows.length, 0);
    if (single === undefined || 2 * count <= single.size) return this.rowsWithin([interval]);
    const collector = new RowCollector();
    for (const { rows } of this.sorted.outside(interval)) collector.add(rows, this.sorted.lastRow);
    const outside = collector.toBitmap();
    const inside = single.andNot(outside);
    outside.dispose();
    return inside;
  }

  private rowsWithin(intervals: readonly Interval[]): Bitmap {
    const collector = new RowCollector();
    for (const interval of intervals) {
      for (const { rows } of this.sorted.within(interval)) collector.add(rows, this.sorted.lastRow);
    }
    return collector.toBitmap();
  }

  counts(rows: Bitmap, visit: (value: Scalar, count: number) => void): void {
    const isIn = rows.lookup();
    let [value, count] = [Number.NaN, 0];
    for (const pairs of this.sorted.between()) {
      for (let i = 0; i < pairs.values.length; i++) {
        if (pairs.values[i] !== value) {
          if (count > 0) visit(value, count);
          value = pairs.values[i]!;
          count = 0;
        }
        if (isIn(pairs.rows[i]!)) count++;
      }
    }
    if (count > 0) visit(value, count);
  }

  get byteLength(): number {
    return this.sorted.byteLength;
  }

  dispose(): void {}
}

function exactly(value: number): Interval {
  return { low: value, lowOpen: false, high: value, highOpen: false };
}
