import { FREE } from './id-page.js';

/** Slots of a page: those from a multiple of this on. */
export const PAGE_SLOTS = 4096;

/** With more moves a word of slots is sooner put together bit by bit. */
const MOVES_MAX = (PAGE_SLOTS / 32) * 12;

/**
 * How a bitmap of ids becomes one of slots, a word of 32 slots at a time. Neighbouring slots mostly
 * hold ids as far apart as they are: all whose ids have the same distance to their slots are moved
 * together.
 */
export interface BitMoves {
  /** The moves of word i end before ends[i], and begin where those of the word before it end. */
  readonly ends: Uint16Array;
  /** A move takes the 32 bits from bit right[j] of word at[j] on, and of them those of mask[j]. */
  readonly at: Int32Array;
  readonly right: Uint8Array;
  readonly mask: Uint32Array;
}

/** Which ids live in the slots of one page. */
export class SlotPage {
  /** The id in each slot, FREE where there is none. */
  readonly ids = new Uint32Array(PAGE_SLOTS).fill(FREE);
  live = 0;
  /** Undefined until asked for, null where the ids lie in too many ways. */
  private known: BitMoves | null | undefined;

  /** The moves of the page's bits; null where its ids are scattered. */
  get moves(): BitMoves | null {
    if (this.known === undefined) this.known = movesOf(this.ids);
    return this.known;
  }

  set(place: number, id: number): void {
    this.ids[place] = id;
    this.live++;
    this.known = undefined;
  }

  clear(place: number): void {
    this.ids[place] = FREE;
    this.live--;
    this.known = undefined;
  }

  /** Bytes of the arrays. */
  get byteLength(): number {
    const { ids, known } = this;
    if (!known) return ids.byteLength;
    const { ends, at, right, mask } = known;
    return [ids, ends, at, right, mask].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }
}

function movesOf(ids: Uint32Array): BitMoves | null {
  const ends = new Uint16Array(PAGE_SLOTS / 32);
  const at: number[] = [];
  const right: number[] = [];
  const mask: number[] = [];
  for (let word = 0, first = 0; word < ends.length; word++, first = mask.length) {
    for (let bit = 0; bit < 32; bit++) {
      const id = ids[32 * word + bit]!;
      if (id === FREE) continue;
      const from = Math.floor((id - bit) / 32);
      const shift = id - bit - 32 * from;
      let move = first;
      while (move < mask.length && (at[move] !== from || right[move] !== shift)) move++;
      if (move === MOVES_MAX) return null;
      at[move] = from;
      right[move] = shift;
      mask[move] = (mask[move] ?? 0) | (1 << bit);
    }
    ends[word] = mask.length;
  }
  return {
    ends,
    at: Int32Array.from(at),
    right: Uint8Array.from(right),
    mask: Uint32Array.from(mask),
  };
}
