import { FREE } from './id-page.js';

/** Slots of a page: those from a multiple of this on. */
export const PAGE_SLOTS = 4096;

/** Which ids live in the slots of one page. */
export class SlotPage {
  /** The id in each slot, FREE where there is none. */
  readonly ids = new Uint32Array(PAGE_SLOTS).fill(FREE);
  /** A bit for each slot with an id: bit i & 31 of word i >> 5. */
  readonly used = new Uint32Array(PAGE_SLOTS / 32);
  live = 0;
  /** Id less place in the page of the first id that came into the empty page. */
  private shift = 0;
  /** How many ids have that shift. */
  private shifted = 0;

  /** The id at place 0 if all ids of the page are one run with gaps; else undefined. */
  get runStart(): number | undefined {
    return this.shifted === this.live ? this.shift : undefined;
  }

  set(place: number, id: number): void {
    if (this.live === 0) this.shift = id - place;
    this.ids[place] = id;
    this.used[place >> 5]! |= 1 << (place & 31);
    this.live++;
    if (id - place === this.shift) this.shifted++;
  }

  clear(place: number): void {
    if (this.ids[place]! - place === this.shift) this.shifted--;
    this.ids[place] = FREE;
    this.used[place >> 5]! &= ~(1 << (place & 31));
    this.live--;
  }

  /** Bytes of the arrays. */
  get byteLength(): number {
    return this.ids.byteLength + this.used.byteLength;
  }
}
