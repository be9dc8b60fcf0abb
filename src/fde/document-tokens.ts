import { drain, type Steps } from '../base/steps.js';
import { asBytes } from '../format/container.js';
import type { ContainerReader } from '../format/container-reader.js';
import type { PartedContainer } from '../format/container-writer.js';
import { corrupt, partsOf } from '../format/layout.js';
import { NONE } from '../graph/memory.js';
import type { SearchResult } from '../graph/search.js';
import { ALONE, type Crew } from '../threads/crew.js';
import type { TokenBits } from './token-codec.js';
import { TokenStore } from './token-store.js';

/** Ids that are written down, or read, between two yields. */
const IDS_PER_STEP = 4096;
/** Name of a section: the id in each slot, NONE where no document is. */
const IDS = 'token.ids';

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

  /** Ascending. */
  ids(): Uint32Array {
    return Uint32Array.from(this.slots.keys()).sort();
  }

  /** Number of tokens of a document, 0 for an unknown id. */
  countOf(id: number): number {
    const slot = this.slots.get(id);
    return slot === undefined ? 0 : this.store.countOf(slot);
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

  /**
   * What goes in the header of a container, and sections. They stay valid while the store is held
   * (TokenStore.hold); documents may be deleted meanwhile, not added.
   */
  *sectionSteps(): Steps<Pick<PartedContainer, 'header' | 'sections'>> {
    const { header, sections } = this.store.toSections();
    const ids = new Uint32Array(header.slots as number).fill(NONE);
    let done = 0;
    for (const [id, slot] of this.slots) {
      ids[slot] = id;
      if (++done % IDS_PER_STEP === 0) yield;
    }
    return { header, sections: { [IDS]: () => partsOf(asBytes(ids)), ...sections } };
  }

  /**
   * Reads what sectionSteps() gave: `header` is its header, its sections are the next of the reader.
   * Documents that do not live any more, or were deleted while they were saved, are left out.
   * @throws LeandexError `CORRUPT` for what nobody can have written, `RESOURCE_EXHAUSTED`.
   */
  static *fromSections(
    header: unknown,
    reader: ContainerReader,
    shared: boolean,
    isLive: (id: number) => boolean = () => true,
  ): Steps<DocumentTokens> {
    const slots = Number((header as { slots?: unknown } | undefined)?.slots);
    const ids = new Uint32Array((yield* reader.read(IDS, slots * 4)).buffer);
    const store = yield* TokenStore.fromSections(header, reader, shared);
    const documents = new DocumentTokens(store.dimensions, store.bits, shared, store);
    for (let from = 0; from < ids.length; from += IDS_PER_STEP) {
      documents.nameSlots(ids.subarray(from, from + IDS_PER_STEP), from, isLive, reader.kind);
      yield;
    }
    return documents;
  }

  /** Gives ids to the documents of the slots from a first one on. */
  private nameSlots(
    ids: Uint32Array,
    first: number,
    isLive: (id: number) => boolean,
    kind: string,
  ): void {
    const { store } = this;
    for (const [i, id] of ids.entries()) {
      const slot = first + i;
      if (!store.has(slot)) {
        if (id !== NONE) throw corrupt(kind, `document ${id} has no tokens`);
      } else if (id === NONE) {
        store.remove(slot);
      } else if (this.has(id) || store.countOf(slot) === 0) {
        throw corrupt(kind, `document ${id} is there twice, or empty`);
      } else {
        this.name(Uint32Array.of(id), Uint32Array.of(slot), isLive);
      }
    }
  }
}
