import { Bitmap } from './bitmap.js';

/** Rows this much spread out are sorted; closer ones are set as bits, which costs by the span. */
const SPAN_PER_ROW = 1024;

/** Gathers lists of rows, in any order and with repetitions, into a bitmap. */
export class RowCollector {
  private readonly lists: Uint32Array[] = [];
  private count = 0;
  private last = 0;

  /**
   * @param rows must stay as they are until `toBitmap`.
   * @param last none of them is greater.
   */
  add(rows: Uint32Array, last: number): void {
    this.lists.push(rows);
    this.count += rows.length;
    this.last = Math.max(this.last, last);
  }

  toBitmap(): Bitmap {
    if (this.count === 0) return Bitmap.empty();
    return this.last > SPAN_PER_ROW * this.count ? this.sorted() : this.asBits();
  }

  private sorted(): Bitmap {
    const all = new Uint32Array(this.count);
    let at = 0;
    for (const rows of this.lists) {
      all.set(rows, at);
      at += rows.length;
    }
    return Bitmap.from(all.sort());
  }

  private asBits(): Bitmap {
    const bits = new Uint32Array(Math.floor(this.last / 32) + 1);
    for (const rows of this.lists) {
      for (let i = 0; i < rows.length; i++) bits[rows[i]! >>> 5]! |= 1 << (rows[i]! & 31);
    }
    return Bitmap.fromBits(bits);
  }
}
