/** Ids of a page: those from a multiple of this on. */
export const PAGE_IDS = 4096;
/** Stands for "no id" and "no slot". */
export const FREE = 0xffff_ffff;

/** A page with more live ids than this is dense; it is sparse again once half of its ids are gone. */
const SPARSE_MAX = (3 / 4) * PAGE_IDS;

/**
 * Where the ids of one page live. Sparse: a sorted list of those that are alive. Dense, once most
 * are: a slot for each of the page's ids. Either way at most 16 bytes a live id, mostly 4.
 */
export class IdPage {
  live = 0;
  /** The ids of a sparse page, less the page's first, ascending; undefined while dense. */
  private offsets: Uint16Array | undefined = new Uint16Array(1);
  private slots = new Uint32Array(1);
  /** Undefined while all are in shard 0. */
  private shards: Uint8Array | undefined;

  /** Where in the arrays an id stands, -1 if it is not alive. */
  indexOf(offset: number): number {
    const { offsets, live } = this;
    if (offsets === undefined) return this.slots[offset] === FREE ? -1 : offset;
    const at = lowerBound(offsets, live, offset);
    return at < live && offsets[at] === offset ? at : -1;
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

  /** Adds an id; false, changing nothing, if it is alive. */
  add(offset: number, slot: number, shard: number): boolean {
    if (this.indexOf(offset) >= 0) return false;
    if (this.offsets !== undefined && this.live === this.offsets.length) this.grow();
    let index = offset;
    if (this.offsets !== undefined) {
      index = lowerBound(this.offsets, this.live, offset);
      if (index < this.live) {
        for (const array of [this.offsets, this.slots, this.shards]) {
          array?.copyWithin(index + 1, index, this.live);
        }
      }
      this.offsets[index] = offset;
    }
    this.place(index, slot, shard);
    this.live++;
    return true;
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

  /** Room for more ids in a sparse page that is full. */
  private grow(): void {
    const { offsets, slots, shards, live } = this;
    if (live < SPARSE_MAX) {
      this.resize(Math.min(SPARSE_MAX, live + (live >> 1) + 1));
      return;
    }
    this.offsets = undefined;
    this.slots = new Uint32Array(PAGE_IDS).fill(FREE);
    this.shards = shards && new Uint8Array(PAGE_IDS);
    for (let i = 0; i < live; i++) this.place(offsets![i]!, slots[i]!, shards?.[i] ?? 0);
  }

  /** Gives back memory where less than half of it is in use. */
  shrink(): void {
    const { offsets, slots, shards, live } = this;
    if (2 * live >= slots.length) return;
    if (offsets !== undefined) {
      this.resize(live);
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

  /** Gives a sparse page room for so many ids. */
  private resize(room: number): void {
    const { offsets, slots, shards, live } = this;
    this.offsets = new Uint16Array(room);
    this.offsets.set(offsets!.subarray(0, live));
    this.slots = new Uint32Array(room);
    this.slots.set(slots.subarray(0, live));
    this.shards = shards && new Uint8Array(room);
    this.shards?.set(shards!.subarray(0, live));
  }

  /** Writes the live ids, ascending, to `out` from place `at` on; `first` is the page's first id. */
  writeIds(first: number, out: Uint32Array, at: number): void {
    const { offsets, slots, live } = this;
    if (offsets !== undefined) {
      for (let i = 0; i < live; i++) out[at++] = first + offsets[i]!;
      return;
    }
    for (let offset = 0; offset < PAGE_IDS; offset++) {
      if (slots[offset] !== FREE) out[at++] = first + offset;
    }
  }

  /** Bytes of the arrays. */
  get byteLength(): number {
    const { offsets, slots, shards } = this;
    return slots.byteLength + (offsets?.byteLength ?? 0) + (shards?.byteLength ?? 0);
  }
}

/** The first of `live` ascending offsets that is not below one. */
function lowerBound(offsets: Uint16Array, live: number, offset: number): number {
  // Ids mostly come in their order.
  if (live === 0 || offsets[live - 1]! < offset) return live;
  let low = 0;
  let high = live;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offsets[middle]! < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
