import { Bitmap } from '../filter/bitmap.js';
import type { AllowList } from '../graph/allow-list.js';
import type { LeanIndex } from '../graph/lean-index.js';

/**
 * Rows that searches may return, as plain bits in memory that the garbage collector knows of,
 * translated once for each index and kept for the next search.
 */
export class AllowedRows {
  /** How many rows there are. */
  readonly size: number;
  /** The state's replacements when they were found: after others some of the rows are gone. */
  readonly replacements: number;
  private readonly bits: Uint8Array;
  private readonly lists = new WeakMap<LeanIndex, { list: AllowList; stamp: number }>();

  /** @param nextRow all rows are below it. */
  constructor(rows: Bitmap, nextRow: number, replacements: number) {
    this.size = rows.size;
    this.replacements = replacements;
    this.bits = rows.toBits(nextRow);
  }

  has(row: number): boolean {
    return (((this.bits[row >>> 3] ?? 0) >>> (row & 7)) & 1) === 1;
  }

  /** The list for an index; `stamp` changes whenever rows come to it. */
  in(index: LeanIndex, stamp: number): AllowList {
    const known = this.lists.get(index);
    if (known?.stamp === stamp) return known.list;
    const list = index.allowList(this.bits);
    this.lists.set(index, { list, stamp });
    return list;
  }

  /** Ascending. */
  toRows(): Uint32Array {
    const rows = new Uint32Array(this.size);
    let count = 0;
    for (const [byte, bits] of this.bits.entries()) {
      for (let rest = bits; rest !== 0; rest &= rest - 1) {
        rows[count++] = 8 * byte + 31 - Math.clz32(rest & -rest);
      }
    }
    return rows;
  }

  /** The same as a bitmap, which whoever asks for it frees. */
  toBitmap(): Bitmap {
    return Bitmap.from(this.toRows());
  }
}
