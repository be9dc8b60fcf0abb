/** Ids of a page: those from a multiple of this on. */
export const PAGE_IDS = 4096;
/** Stands for "no id" and "no slot". */
export const FREE = 0xffff_ffff;

/**
 * Where the ids of one page live. Dense while ids are being assigned or most are alive: a slot for
 * each of the page's ids. Sparse, once fewer than half are alive: a sorted list of those. Ids never
 * come back, so a sparse page only shrinks. Either way at most 16 bytes a live id, mostly 4.
 */
export class IdPage {
  live = 0;
  /** The ids of a sparse page, less the page's first, ascending; undefined while dense. */
  private offsets: Uint16Array | undefined;
  private slots: Uint32Array;
  /** Undefined while all are in shard 0. */
  private shards: Uint8Array | undefined;

  /** @param sparseRoom how many ids a sparse page will hold; a dense page unless given. */
  constructor(sparseRoom?: number) {
    this.offsets = sparseRoom === undefined ? undefined : new Uint16Array(sparseRoom);
    this.slots = new Uint32Array(sparseRoom ?? PAGE_IDS).fill(FREE);
  }

  /** Where in the arrays an id stands, -1 if it is not alive. */
  indexOf(offset: number): number {
    const { offsets } = this;
    if (offsets === undefined) return this.slots[offset] === FREE ? -1 : offset;
    let low = 0;
    let high = this.live;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (offsets[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low < this.live && offsets[low] === offset ? low : -1;
  }

  slotAt(index: number): number {
    return this.slots[index]!;
  }

  shardAt(index: number): number {
    return this.shards?.[index] ?? 0;
  }

  place(index: number, slot: number, shard: number): void {
    this.slots[index] = slot;
    if (shard !== 0) this.shards ??= new Uint8Array(this.slots.length);
    if (this.shards !== undefined) this.shards[index] = shard;
  }

  /** Adds an id: anywhere free in a dense page, at the end of a sparse one (see `sort`). */
  add(offset: number, slot: number, shard: number): void {
    const index = this.offsets === undefined ? offset : this.live;
    if (this.offsets !== undefined) this.offsets[index] = offset;
    this.place(index, slot, shard);
    this.live++;
  }

  /** Puts the ids that were added to a sparse page in order; whether all differ. */
  sort(): boolean {
    const { offsets, slots, shards, live } = this;
    if (offsets === undefined) return true;
    // The order of adding is part of the key, so that it can be undone.
    const keys = Float64Array.from({ length: live }, (_, i) => offsets[i]! * PAGE_IDS + i).sort();
    const order = Array.from(keys, (key) => key % PAGE_IDS);
    this.offsets = Uint16Array.from(order, (i) => offsets[i]!);
    this.slots = Uint32Array.from(order, (i) => slots[i]!);
    this.shards = shards && Uint8Array.from(order, (i) => shards[i]!);
    return this.offsets.every((offset, i, sorted) => i === 0 || sorted[i - 1]! < offset);
  }

  remove(index: number): void {
    this.live--;
    if (this.offsets === undefined) {
      this.slots[index] = FREE;
      return;
    }
    for (const array of [this.offsets, this.slots, this.shards]) {
      array?.copyWithin(index, index + 1, this.live + 1);
    }
  }

  /** Gives back memory, once no more ids will be added. */
  shrink(): void {
    const { offsets, slots, shards, live } = this;
    if (2 * live > slots.length) return;
    if (offsets !== undefined) {
      this.offsets = offsets.slice(0, live);
      this.slots = slots.slice(0, live);
      this.shards = shards?.slice(0, live);
      return;
    }
    const kept = new Uint16Array(live);
    for (let offset = 0, i = 0; offset < PAGE_IDS; offset++) {
      if (slots[offset] !== FREE) kept[i++] = offset;
    }
    this.offsets = kept;
    this.slots = Uint32Array.from(kept, (offset) => slots[offset]!);
    this.shards = shards && Uint8Array.from(kept, (offset) => shards[offset]!);
  }

  /** Bytes of the arrays. */
  get byteLength(): number {
    const { offsets, slots, shards } = this;
    return slots.byteLength + (offsets?.byteLength ?? 0) + (shards?.byteLength ?? 0);
  }
}
