import { checkInteger } from '../base/check.js';
import { LeandexError, outOfRange, wrongType } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';
import { ChangeLog } from './change-log.js';
import { FREE, IdPage, PAGE_IDS } from './id-page.js';
import { PAGE_SLOTS, SlotPage } from './slot-page.js';

/** Where a vector lives: a slot, 0 … 2^31 − 1, of a shard, 0 … 255. */
export interface Place {
  shard: number;
  slot: number;
}

const SLOT_MAX = 0x7fff_ffff;
const SHARD_MAX = 255;
/** Slots that are read between two yields. */
const SLOTS_PER_STEP = 4096;
/** One less than fit 32 bits: the last one stands for "none". */
export const IDS_MAX = 0xffff_ffff;

/**
 * Which vector is where. Ids are whole numbers, assigned in sequence from 0 unless they are given,
 * and never changed; slots are reused and may be moved between. About 8 bytes a vector, of typed
 * arrays in pages: pages without a live id are dropped and thin ones packed, so that memory follows
 * the number of live ids however many have been and however far apart they are.
 */
export class IdTable {
  private next = 0;
  private live = 0;
  private readonly idPages = new Map<number, IdPage>();
  /** By shard, then by slot / PAGE_SLOTS; undefined where no id lives. */
  private readonly slotPages: (SlotPage | undefined)[][] = [];
  private readonly log = new ChangeLog();

  /** The id that the next assign() gives by itself: more than any that exists or existed. */
  get nextId(): number {
    return this.next;
  }

  /** Number of live ids. */
  get size(): number {
    return this.live;
  }

  /** One more than the highest shard that ever held an id. */
  get shards(): number {
    return this.slotPages.length;
  }

  /** Grows with every change of what lives in a slot. */
  get version(): number {
    return this.log.version;
  }

  /** Visits the slots changed since a version; false, visiting none, if that is too long ago. */
  replay(since: number, visit: (shard: number, slot: number) => void): boolean {
    return this.log.replay(since, visit);
  }

  /** @throws LeandexError `RESOURCE_EXHAUSTED` unless so many ids can follow in sequence. */
  requireIds(count: number): void {
    if (this.next + count <= IDS_MAX) return;
    const left = IDS_MAX - this.next;
    const problem = `of ${IDS_MAX} ids in sequence ${left} are left, and ${count} are needed`;
    throw new LeandexError('RESOURCE_EXHAUSTED', `${problem}: give ids, or build a new index`);
  }

  /**
   * Gives an id to what lives in a free slot: the next one, or any that does not live.
   * @throws LeandexError `RESOURCE_EXHAUSTED` after 2^32 − 1 ids.
   */
  assign(slot: number, shard = 0, given?: number): number {
    this.requireFree(shard, slot);
    if (given === undefined) this.requireIds(1);
    const id = given ?? this.next;
    if (!this.enter(id, shard, slot)) {
      throw new LeandexError('INTERNAL', `id ${id} lives already`);
    }
    this.next = Math.max(this.next, id + 1);
    return id;
  }

  /** Notes where an id lives; false, changing nothing, if it lives already. */
  private enter(id: number, shard: number, slot: number): boolean {
    const number = Math.floor(id / PAGE_IDS);
    let page = this.idPages.get(number);
    if (page === undefined) {
      page = new IdPage();
      this.idPages.set(number, page);
    }
    if (!page.add(id % PAGE_IDS, slot, shard)) return false;
    this.fill(shard, slot, id);
    this.live++;
    return true;
  }

  /** Where an id lives, undefined if it does not. */
  place(id: number): Place | undefined {
    const slot = this.slotOf(id);
    return slot < 0 ? undefined : { shard: this.shardOf(id), slot };
  }

  /** The slot of an id, -1 if it does not live. */
  slotOf(id: number): number {
    const page = this.pageOf(id);
    const index = page === undefined ? -1 : page.indexOf(id % PAGE_IDS);
    return index < 0 ? -1 : page!.slotAt(index);
  }

  /** The shard of an id, -1 if it does not live. */
  shardOf(id: number): number {
    const page = this.pageOf(id);
    const index = page === undefined ? -1 : page.indexOf(id % PAGE_IDS);
    return index < 0 ? -1 : page!.shardAt(index);
  }

  /** The id in a slot, -1 if it is free. */
  idAt(shard: number, slot: number): number {
    const id = this.slotPage(shard, slot)?.ids[slot % PAGE_SLOTS] ?? FREE;
    return id === FREE ? -1 : id;
  }

  /** Moves a live id to a free slot. */
  move(id: number, shard: number, slot: number): void {
    const from = this.place(id);
    if (from === undefined) throw new LeandexError('INTERNAL', `id ${id} does not live`);
    this.requireFree(shard, slot);
    this.empty(from.shard, from.slot);
    const page = this.pageOf(id)!;
    page.place(page.indexOf(id % PAGE_IDS), slot, shard);
    this.fill(shard, slot, id);
  }

  /** Ends an id and frees its slot; false if it does not live. */
  remove(id: number): boolean {
    const from = this.place(id);
    if (from === undefined) return false;
    this.empty(from.shard, from.slot);
    const page = this.pageOf(id)!;
    page.remove(page.indexOf(id % PAGE_IDS));
    this.live--;
    if (page.live === 0) this.idPages.delete(Math.floor(id / PAGE_IDS));
    else page.shrink();
    return true;
  }

  /** All live ids, ascending. */
  liveIds(): Uint32Array {
    const all = new Uint32Array(this.live);
    let count = 0;
    for (const number of Float64Array.from(this.idPages.keys()).sort()) {
      const page = this.idPages.get(number)!;
      page.writeIds(number * PAGE_IDS, all, count);
      count += page.live;
    }
    return all;
  }

  /** The pages of a shard's slots, in order, undefined where no id lives. Only for reading. */
  pagesOf(shard: number): readonly (SlotPage | undefined)[] {
    return this.slotPages[shard] ?? [];
  }

  /** The id in each of a shard's slots up to the last used one, 0xffffffff where it is free. */
  idsOf(shard: number): Uint32Array {
    const pages = this.pagesOf(shard);
    const ids = new Uint32Array(pages.length * PAGE_SLOTS).fill(FREE);
    pages.forEach((page, i) => {
      if (page !== undefined) ids.set(page.ids, i * PAGE_SLOTS);
    });
    return ids.subarray(0, ids.findLastIndex((id) => id !== FREE) + 1);
  }

  /**
   * The table whose idsOf() and nextId these are.
   * @throws TypeError, RangeError `INVALID_ARGUMENT` for ids that occur twice or are not below
   * nextId, for too many shards or slots.
   */
  static from(shards: readonly Uint32Array[], nextId: number): IdTable {
    return drain(IdTable.fromSteps(shards, nextId));
  }

  /** from() in slices. */
  static *fromSteps(shards: readonly Uint32Array[], nextId: number): Steps<IdTable> {
    const table = new IdTable();
    table.next = checkInteger('nextId', nextId, 0, IDS_MAX);
    checkInteger('the number of shards', shards.length, 0, SHARD_MAX + 1);
    for (const [shard, ids] of shards.entries()) {
      if (!(ids instanceof Uint32Array)) throw wrongType('the ids of a shard', 'Uint32Array', ids);
      checkInteger('the number of slots', ids.length, 0, SLOT_MAX + 1);
      for (const [slot, id] of ids.entries()) {
        if (slot % SLOTS_PER_STEP === 0) yield;
        if (id === FREE) continue;
        if (id >= table.next) throw outOfRange('the id in a slot', `below ${table.next}`, id);
        if (!table.enter(id, shard, slot)) {
          throw outOfRange('the ids in all slots', 'different from each other', `${id} twice`);
        }
      }
    }
    return table;
  }

  /** Bytes of the arrays, for reports. */
  get byteLength(): number {
    let bytes = 0;
    for (const page of this.idPages.values()) bytes += page.byteLength;
    for (const pages of this.slotPages) {
      for (const page of pages) bytes += page?.byteLength ?? 0;
    }
    return bytes;
  }

  private pageOf(id: number): IdPage | undefined {
    return Number.isInteger(id) ? this.idPages.get(Math.floor(id / PAGE_IDS)) : undefined;
  }

  private slotPage(shard: number, slot: number): SlotPage | undefined {
    return this.slotPages[shard]?.[Math.floor(slot / PAGE_SLOTS)];
  }

  private requireFree(shard: number, slot: number): void {
    checkInteger('slot', slot, 0, SLOT_MAX);
    checkInteger('shard', shard, 0, SHARD_MAX);
    const id = this.idAt(shard, slot);
    if (id < 0) return;
    throw new LeandexError('INTERNAL', `slot ${slot} of shard ${shard} holds id ${id}`);
  }

  private fill(shard: number, slot: number, id: number): void {
    while (this.slotPages.length <= shard) this.slotPages.push([]);
    const pages = this.slotPages[shard]!;
    const number = Math.floor(slot / PAGE_SLOTS);
    while (pages.length <= number) pages.push(undefined);
    pages[number] ??= new SlotPage();
    pages[number].set(slot % PAGE_SLOTS, id);
    this.log.add(shard, slot);
  }

  private empty(shard: number, slot: number): void {
    const pages = this.slotPages[shard]!;
    const number = Math.floor(slot / PAGE_SLOTS);
    const page = pages[number]!;
    page.clear(slot % PAGE_SLOTS);
    if (page.live === 0) pages[number] = undefined;
    while (pages.length > 0 && pages.at(-1) === undefined) pages.pop();
    this.log.add(shard, slot);
  }
}
