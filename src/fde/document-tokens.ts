import { drain, type Steps } from '../base/steps.js';
import { asBytes } from '../format/container.js';
import type { ContainerReader } from '../format/container-reader.js';
import type { PartedContainer } from '../format/container-writer.js';
import { corrupt, partsOf } from '../format/layout.js';
import type { SearchResult } from '../graph/search.js';
import { ALONE, type Crew } from '../threads/crew.js';
import type { TokenBits } from './token-codec.js';
import { TokenStore } from './token-store.js';

/** Names of sections: ids, ascending, and the slot of each. */
const IDS = 'token.ids';
const SLOTS = 'token.slots';

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

  /** The k best of the candidates by MaxSim, best first; equal ones in the order of slots. */
  rank(query: Float32Array, candidates: Uint32Array, k: number): SearchResult {
    return drain(this.rankSteps(query, candidates, k, ALONE));
  }

  /**
   * The same in slices, or by the threads of a crew. Documents that are removed meanwhile may be among
   * the results.
   */
  *rankSteps(
    query: Float32Array,
    candidates: Uint32Array,
    k: number,
    crew: Crew,
  ): Steps<SearchResult> {
    const idOf = new Map<number, number>();
    for (const id of candidates) {
      const slot = this.slots.get(id);
      if (slot !== undefined) idOf.set(slot, id);
    }
    const stored = Uint32Array.from(idOf.keys());
    const { slots, scores } = yield* this.store.rankSteps(query, stored, k, crew);
    return { ids: slots.map((slot) => idOf.get(slot)!), scores };
  }

  /**
   * What goes in the header of a container, and sections: of all that is stored, which must have ids.
   * They stay valid while the store is held (TokenStore.hold).
   */
  toSections(): Pick<PartedContainer, 'header' | 'sections'> {
    const ids = this.ids();
    const slots = ids.map((id) => this.slots.get(id)!);
    const { header, sections } = this.store.toSections();
    return {
      header: { ...header, count: ids.length },
      sections: {
        [IDS]: () => partsOf(asBytes(ids)),
        [SLOTS]: () => partsOf(asBytes(slots)),
        ...sections,
      },
    };
  }

  /**
   * Reads what toSections() gave: `header` is its header, its sections are the next of the reader.
   * @throws LeandexError `CORRUPT` for what nobody can have written, `RESOURCE_EXHAUSTED`.
   */
  static *fromSections(
    header: unknown,
    reader: ContainerReader,
    shared: boolean,
  ): Steps<DocumentTokens> {
    const { count, ...rest } = (header ?? {}) as { count?: unknown };
    const byteLength = 4 * Number(count);
    const ids = new Uint32Array((yield* reader.read(IDS, byteLength)).buffer);
    const slots = new Uint32Array((yield* reader.read(SLOTS, byteLength)).buffer);
    const store = yield* TokenStore.fromSections(rest, reader, shared);
    checkNames(ids, slots, store, reader.kind);
    const documents = new DocumentTokens(store.dimensions, store.bits, shared, store);
    documents.name(ids, slots);
    return documents;
  }
}

/** Each stored document has one id. */
function checkNames(ids: Uint32Array, slots: Uint32Array, store: TokenStore, kind: string): void {
  const isEach = slots.length === store.count && new Set(slots).size === slots.length;
  const isAscending = ids.every((id, i) => i === 0 || id > ids[i - 1]!);
  try {
    // It throws for a slot without a document.
    if (isEach && isAscending && slots.every((slot) => store.countOf(slot) > 0)) return;
  } catch (cause) {
    throw corrupt(kind, 'its ids are not those of its documents', {}, cause);
  }
  throw corrupt(kind, 'its ids are not those of its documents');
}
