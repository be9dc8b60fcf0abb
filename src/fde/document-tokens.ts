import { drain, type Steps } from '../base/steps.js';
import { NONE } from '../graph/memory.js';
import type { SearchResult } from '../graph/search.js';
import { ALONE, type Crew } from '../threads/crew.js';
import type { TokenBits } from './token-codec.js';
import { TokenStore } from './token-store.js';

/** Ids that are written down between two yields. */
const IDS_PER_STEP = 4096;

/** The stored tokens of documents by id. */
export class DocumentTokens {
  readonly store: TokenStore;
  private readonly slots = new Map<number, number>();
  private tokens = 0;

  constructor(dimensions: number, bits: TokenBits, shared: boolean, store?: TokenStore) {
    this.store = store ?? new TokenStore({ dimensions, bits, shared });
  }

  get count(): number {
    return this.slots.size;
  }

  /** Tokens of all documents. */
  get tokenCount(): number {
    return this.tokens;
  }

  has(id: number): boolean {
    return this.slots.has(id);
  }

  slotOf(id: number): number | undefined {
    return this.slots.get(id);
  }

  tokensOf(id: number): Float32Array | undefined {
    const slot = this.slots.get(id);
    return slot === undefined ? undefined : this.store.tokensOf(slot);
  }

  /** Gives ids to stored documents; those whose id does not live any more are removed. */
  name(ids: Uint32Array, slots: Uint32Array, isLive: (id: number) => boolean = () => true): void {
    ids.forEach((id, i) => {
      const slot = slots[i]!;
      if (!isLive(id)) {
        this.store.remove(slot);
        return;
      }
      this.slots.set(id, slot);
      this.tokens += this.store.countOf(slot);
    });
  }

  /** Removes the documents of these ids, as far as there are any. */
  forget(ids: Iterable<number>): void {
    for (const id of ids) {
      const slot = this.slots.get(id);
      if (slot === undefined) continue;
      this.tokens -= this.store.countOf(slot);
      this.store.remove(slot);
      this.slots.delete(id);
    }
  }

  /** Removes stored documents that have no id yet. */
  discard(slots: Uint32Array): void {
    for (const slot of slots) this.store.remove(slot);
  }

  /** The k best of the candidates by MaxSim, best first; those without tokens are left out. */
  rank(query: Float32Array, candidates: Uint32Array, k: number): SearchResult {
    return drain(this.rankSteps(query, candidates, k, ALONE))!;
  }

  /**
   * The same in slices, or by the threads of a crew. Undefined where one of the best was deleted or
   * got other tokens meanwhile.
   */
  *rankSteps(
    query: Float32Array,
    candidates: Uint32Array,
    k: number,
    crew: Crew,
  ): Steps<SearchResult | undefined> {
    const idOf = new Map<number, number>();
    for (const id of candidates) {
      const slot = this.slots.get(id);
      if (slot !== undefined) idOf.set(slot, id);
    }
    // A slot that was given up gets no other document before the end.
    const release = this.store.hold();
    try {
      const all = Uint32Array.from(idOf.keys());
      const { slots, scores } = yield* this.store.rankSteps(query, all, k, crew);
      const ids = slots.map((slot) => idOf.get(slot)!);
      return ids.every((id, i) => this.slots.get(id) === slots[i]) ? { ids, scores } : undefined;
    } finally {
      release();
    }
  }

  /** The id in each slot, NONE where no document is: `length` of them, at least all that are used. */
  *slotIds(length: number): Steps<Uint32Array> {
    const ids = new Uint32Array(length).fill(NONE);
    let done = 0;
    for (const [id, slot] of this.slots) {
      ids[slot] = id;
      if (++done % IDS_PER_STEP === 0) yield;
    }
    return ids;
  }
}
