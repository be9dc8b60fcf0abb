import type { Bitmap } from '../filter/bitmap.js';
import type { AllowList } from '../graph/allow-list.js';
import type { LeanIndex } from '../graph/lean-index.js';

/** Rows that searches may return, translated once for each index and kept for the next search. */
export class AllowedRows {
  readonly rows: Bitmap;
  private readonly bits: Uint8Array;
  private readonly lists = new Map<LeanIndex, { list: AllowList; stamp: number }>();

  constructor(rows: Bitmap, nextRow: number) {
    this.rows = rows;
    this.bits = rows.toBits(nextRow);
  }

  get size(): number {
    return this.rows.size;
  }

  /** The list for an index; `stamp` changes whenever rows come to it. */
  in(index: LeanIndex, stamp: number): AllowList {
    const known = this.lists.get(index);
    if (known?.stamp === stamp) return known.list;
    const list = index.allowList(this.bits);
    this.lists.set(index, { list, stamp });
    return list;
  }
}
