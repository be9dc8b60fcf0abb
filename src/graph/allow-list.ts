import { countBits } from '../base/bits.js';
import { type AllowedIds, type IdSet, readIdSet } from './id-set.js';
import type { IdTable } from './id-table.js';
import { type BitMoves, PAGE_SLOTS, type SlotPage } from './slot-page.js';

const PAGE_WORDS = PAGE_SLOTS / 32;

/** The allowed slots of one shard. */
interface ShardBits {
  /** Bit slot & 31 of word slot >> 5, whole pages of slots. */
  words: Uint32Array;
  count: number;
  revision: number;
}

/**
 * The ids that searches may return, ready for many of them: kept as a bitmap of slots for each
 * shard, which follows when vectors are deleted or moved. The set of ids is fixed: vectors that are
 * added later are not in it. Ids that were deleted are ignored.
 */
export class AllowList {
  private readonly table: IdTable;
  private readonly ids: IdSet;
  private readonly shards: ShardBits[] = [];
  private version: number;
  private total = 0;

  /**
   * @param allowed a copy is taken.
   * @throws TypeError, RangeError `INVALID_ARGUMENT` for ids that were never assigned and for
   * anything but a bitmap or a list. Bits of a bitmap for such ids are ignored.
   */
  constructor(allowed: AllowedIds, table: IdTable) {
    this.table = table;
    this.ids = readIdSet(allowed, table.nextId);
    this.version = table.version;
    this.translate();
  }

  /** Whether it was made for this table's ids. */
  belongsTo(table: IdTable): boolean {
    return this.table === table;
  }

  /** How many live vectors are allowed, in all shards. */
  get count(): number {
    this.follow();
    return this.total;
  }

  /** How many live vectors of a shard are allowed. */
  countOf(shard: number): number {
    this.follow();
    return this.shards[shard]?.count ?? 0;
  }

  /**
   * The allowed slots of a shard: bit slot & 7 of byte slot >> 3, up to the last slot with a live
   * vector or further. Valid until the table changes; only for reading.
   */
  slotsOf(shard: number): Uint8Array {
    this.follow();
    const words = this.shards[shard]?.words ?? new Uint32Array(0);
    return new Uint8Array(words.buffer);
  }

  /** Changes whenever slotsOf(shard) does, so that copies of it need not be made anew. */
  revisionOf(shard: number): number {
    this.follow();
    return this.shards[shard]?.revision ?? 0;
  }

  /** Whether a live vector with this id is allowed. */
  has(id: number): boolean {
    return this.table.slotOf(id) >= 0 && this.ids.has(id);
  }

  /** Brings the bitmaps up to date: slot by slot after few changes, else all anew. */
  private follow(): void {
    const { table, version } = this;
    if (table.version === version) return;
    this.version = table.version;
    if (!table.replay(version, (shard, slot) => this.update(shard, slot))) this.translate();
  }

  private update(shard: number, slot: number): void {
    const id = this.table.idAt(shard, slot);
    const word = Math.floor(slot / 32);
    const bits = this.shards[shard] ?? this.resize(shard, 0);
    // Bits reach as far as live vectors do, allowed or not.
    if (id >= 0 && word >= bits.words.length) {
      this.resize(shard, (Math.floor(word / PAGE_WORDS) + 1) * PAGE_WORDS);
      bits.revision++;
    }
    const bit = 1 << (slot & 31);
    const isAllowed = id >= 0 && this.ids.has(id);
    const was = ((bits.words[word] ?? 0) & bit) !== 0;
    if (isAllowed === was) return;
    bits.words[word]! ^= bit;
    bits.count += isAllowed ? 1 : -1;
    bits.revision++;
    this.total += isAllowed ? 1 : -1;
  }

  private translate(): void {
    this.total = 0;
    const { table, ids } = this;
    for (let shard = 0; shard < table.shards; shard++) {
      const pages = table.pagesOf(shard);
      const bits = this.resize(shard, pages.length * PAGE_WORDS);
      bits.words.fill(0);
      if (ids.bitmap !== undefined) copyPages(ids.bitmap, pages, bits.words);
      bits.revision++;
    }
    for (const id of ids.list ?? []) {
      const slot = table.slotOf(id);
      if (slot < 0) continue;
      this.shards[table.shardOf(id)]!.words[slot >>> 5]! |= 1 << (slot & 31);
    }
    for (const bits of this.shards) {
      bits.count = countBits(bits.words);
      this.total += bits.count;
    }
  }

  /** The bits of a shard with room for so many words, those that are there kept. */
  private resize(shard: number, words: number): ShardBits {
    while (this.shards.length <= shard) {
      this.shards.push({ words: new Uint32Array(0), count: 0, revision: 0 });
    }
    const bits = this.shards[shard]!;
    if (bits.words.length === words) return bits;
    const resized = new Uint32Array(words);
    resized.set(bits.words.subarray(0, words));
    bits.words = resized;
    return bits;
  }
}

/** Sets the bits of slots, page after page, from a bitmap of ids. */
function copyPages(
  bitmap: Uint32Array,
  pages: readonly (SlotPage | undefined)[],
  to: Uint32Array,
): void {
  pages.forEach((page, i) => {
    if (page === undefined) return;
    const words = to.subarray(i * PAGE_WORDS, (i + 1) * PAGE_WORDS);
    const { moves } = page;
    if (moves === null) gather(bitmap, page, words);
    else moveBits(bitmap, moves, words);
  });
}

/** The usual case: runs of ids, moved many bits at a time. */
function moveBits(bitmap: Uint32Array, { ends, at, right, mask }: BitMoves, to: Uint32Array): void {
  for (let i = 0, move = 0; i < to.length; i++) {
    let bits = 0;
    for (const end = ends[i]!; move < end; move++) {
      const from = at[move]!;
      const shift = right[move]!;
      // Beyond either end there are no words, and those that do not exist shift to 0.
      const low = bitmap[from]! >>> shift;
      const high = (bitmap[from + 1]! << 1) << (31 - shift);
      bits |= (low | high) & mask[move]!;
    }
    to[i] = bits;
  }
}

/** Ids in any order. */
function gather(bitmap: Uint32Array, { ids }: SlotPage, to: Uint32Array): void {
  const { length } = bitmap;
  for (let i = 0; i < to.length; i++) {
    let bits = 0;
    for (let slot = 32 * i + 31; slot >= 32 * i; slot--) {
      const id = ids[slot]!;
      const word = id >>> 5;
      // A free slot has the highest number, whose bit is never set.
      bits = (bits << 1) | (word < length ? (bitmap[word]! >>> (id & 31)) & 1 : 0);
    }
    to[i] = bits;
  }
}
