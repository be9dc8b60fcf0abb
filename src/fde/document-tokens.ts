import type { SearchResult } from '../graph/search.js';
import type { TokenBits } from './token-codec.js';
import { TokenStore } from './token-store.js';

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

  /** The k best of the candidates by MaxSim, best first; equal ones in the order of candidates. */
  rank(query: Float32Array, candidates: Uint32Array, k: number): SearchResult {
    const idOf = new Map<number, number>();
    for (const id of candidates) {
      const slot = this.slots.get(id);
      if (slot !== undefined) idOf.set(slot, id);
    }
    const { slots, scores } = this.store.rank(query, Uint32Array.from(idOf.keys()), k);
    return { ids: slots.map((slot) => idOf.get(slot)!), scores };
  }
}
