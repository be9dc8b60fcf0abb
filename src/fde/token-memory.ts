import { alignUp, type Kernels } from '../kernels/index.js';
import { Holds } from './holds.js';

/** Documents lie one behind the other in segments of so many bytes, or of their own size. */
const SEGMENT_BYTES = 1 << 20;
/** A document begins with its slot and its number of tokens, for when its segment is cleared. */
const HEAD_BYTES = 16;

/** The count of a slot that holds no document. */
export const FREE = 0xffff_ffff;

interface Segment {
  readonly start: number;
  readonly byteLength: number;
  /** Bytes in use from its start on, and those of them that documents still need. */
  filled: number;
  live: number;
}

/** Where a document is: all that a search needs to know of it. */
export interface PlacedDocument {
  /** Of its first record. */
  readonly address: number;
  readonly count: number;
  /** None of its tokens is longer. */
  readonly reach: number;
}

/**
 * Where the records of documents are in a WebAssembly memory. The space of removed documents is used
 * again: what is left in a segment of which less than half is needed moves elsewhere. So removing a
 * document copies at most half a segment, and no more lies idle than is needed, but for one segment.
 */
export class TokenMemory {
  readonly kernels: Kernels;
  readonly recordBytes: number;
  /** By slot. */
  private addresses = new Uint32Array(16);
  private counts = new Uint32Array(16).fill(FREE);
  private reaches = new Float32Array(16);
  private readonly segmentOf: Segment[] = [];
  private slots = 0;
  private readonly freeSlots: number[] = [];
  /** Segments with documents, the last of them the one that is being filled; those without. */
  private filled: Segment[] = [];
  private readonly empty: Segment[] = [];
  /** Segments to look at: something was removed from them, or they are not filled further. */
  private readonly untidy = new Set<Segment>();
  private readonly holds = new Holds();

  constructor(kernels: Kernels, recordBytes: number) {
    this.kernels = kernels;
    this.recordBytes = recordBytes;
  }

  /** One more than the highest slot that was ever used. */
  get slotCount(): number {
    return this.slots;
  }

  /** Bytes of the segments in use, as far as they are filled. */
  get bytes(): number {
    return this.filled.reduce((sum, { filled }) => sum + filled, 0);
  }

  /** Number of tokens in a slot, FREE where no document is. */
  countOf(slot: number): number {
    return this.counts[slot] ?? FREE;
  }

  documentAt(slot: number): PlacedDocument {
    const [address, count] = [this.addresses[slot]!, this.counts[slot]!];
    return { address, count, reach: this.reaches[slot]! };
  }

  setReach(slot: number, reach: number): void {
    this.reaches[slot] = reach;
  }

  /**
   * A slot with room for so many records, whose bytes are not set: one that is free, or the next.
   * @throws LeandexError `RESOURCE_EXHAUSTED`, and nothing has changed.
   */
  place(count: number): number {
    const slot = this.freeSlots.at(-1) ?? this.slots;
    this.placeAt(slot, count);
    if (slot === this.slots) this.slots++;
    else this.freeSlots.pop();
    this.tidy();
    return slot;
  }

  /** Places documents of so many records in slots 0, 1 …, none where the count is FREE. */
  *placeAll(counts: Uint32Array): Generator<number> {
    for (const [slot, count] of counts.entries()) {
      if (count === FREE) {
        this.ensureSlots(slot + 1);
        this.freeSlots.push(slot);
      } else {
        this.placeAt(slot, count);
      }
      this.slots = slot + 1;
      if (count !== FREE) yield slot;
    }
  }

  private placeAt(slot: number, count: number): void {
    this.ensureSlots(slot + 1);
    const byteLength = this.bytesOf(count);
    const segment = this.segmentFor(byteLength);
    this.putAt(slot, count, segment, byteLength);
  }

  private putAt(slot: number, count: number, segment: Segment, byteLength: number): void {
    const start = segment.start + segment.filled;
    segment.filled += byteLength;
    segment.live += byteLength;
    this.kernels.u32(start, 2).set([slot, count]);
    this.addresses[slot] = start + HEAD_BYTES;
    this.counts[slot] = count;
    this.segmentOf[slot] = segment;
  }

  private bytesOf(count: number): number {
    return alignUp(HEAD_BYTES + count * this.recordBytes, 16);
  }

  /** The segment that is being filled, or another in its place if it has no room. */
  private segmentFor(byteLength: number): Segment {
    const last = this.filled.at(-1);
    if (last !== undefined && last.filled + byteLength <= last.byteLength) return last;
    const fitting = this.empty.filter((segment) => segment.byteLength >= byteLength);
    const smallest = fitting.sort((a, b) => a.byteLength - b.byteLength)[0];
    if (smallest !== undefined) this.empty.splice(this.empty.indexOf(smallest), 1);
    const segment = smallest ?? this.newSegment(Math.max(SEGMENT_BYTES, byteLength));
    if (last !== undefined) this.untidy.add(last);
    this.filled.push(segment);
    return segment;
  }

  private newSegment(byteLength: number): Segment {
    return { start: this.kernels.alloc(byteLength), byteLength, filled: 0, live: 0 };
  }

  /** Removes the document of a slot, which is used again when no hold of now runs any more. */
  remove(slot: number): void {
    const segment = this.segmentOf[slot]!;
    segment.live -= this.bytesOf(this.counts[slot]!);
    this.untidy.add(segment);
    this.counts[slot] = FREE;
    this.addresses[slot] = 0;
    this.holds.retire(() => this.freeSlots.push(slot));
    this.tidy();
  }

  /** Where the documents are now, by slot up to the last one in use: copies. */
  places(): { addresses: Uint32Array; counts: Uint32Array } {
    const { addresses, counts } = this;
    let end = this.slots;
    while (end > 0 && counts[end - 1] === FREE) end--;
    return { addresses: addresses.slice(0, end), counts: counts.slice(0, end) };
  }

  /** Until the function that this returns is called, the bytes of documents of now stay as they are. */
  hold(): () => void {
    return this.holds.begin();
  }

  /** Clears the segments that are worth it. */
  private tidy(): void {
    // Clearing one may fill another: a set hands out what is added while it is walked.
    for (const segment of this.untidy) {
      this.untidy.delete(segment);
      if (segment.live * 2 >= segment.filled) continue;
      // The one that is being filled need not be copied, nor given up while somebody reads it.
      const isLast = segment === this.filled.at(-1);
      if (isLast && (segment.live > 0 || this.holds.areRunning)) continue;
      if (segment.live > 0 && !this.moveAll(segment)) continue;
      this.filled = this.filled.filter((other) => other !== segment);
      this.holds.retire(() => {
        segment.filled = 0;
        this.empty.push(segment);
      });
    }
  }

  /** Moves the documents of a segment; false if there is no memory for all of them. */
  private moveAll(segment: Segment): boolean {
    const { kernels } = this;
    for (let at = 0; at < segment.filled; ) {
      const [slot, count] = kernels.u32(segment.start + at, 2);
      const byteLength = this.bytesOf(count!);
      const address = segment.start + at + HEAD_BYTES;
      at += byteLength;
      if (this.addresses[slot!] !== address) continue;
      try {
        this.placeAt(slot!, count!);
      } catch {
        return false;
      }
      segment.live -= byteLength;
      const records = kernels.u8(address, count! * this.recordBytes);
      kernels.u8(this.addresses[slot!]!, records.length).set(records);
    }
    return true;
  }

  private ensureSlots(least: number): void {
    if (least <= this.counts.length) return;
    const length = Math.max(least, 2 * this.counts.length);
    const { addresses, counts, reaches } = this;
    this.addresses = new Uint32Array(length);
    this.counts = new Uint32Array(length).fill(FREE);
    this.reaches = new Float32Array(length);
    this.addresses.set(addresses);
    this.counts.set(counts);
    this.reaches.set(reaches);
  }
}
