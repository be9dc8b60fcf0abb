import { checkInteger, checkOptions, checkRows } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';
import { asBytes } from '../format/container.js';
import type { ContainerReader } from '../format/container-reader.js';
import type { PartedContainer } from '../format/container-writer.js';
import { corrupt, partsOf } from '../format/layout.js';
import { MAGNITUDE_MAX, requireUnchanged } from '../graph/rows.js';
import { Kernels } from '../kernels/index.js';
import { ALONE, type Crew } from '../threads/crew.js';
import { MaxSim, type RankedDocuments } from './max-sim.js';
import { checkOffsets } from './offsets.js';
import { gathered, scattered } from './record-parts.js';
import { type TokenBits, TokenCodec } from './token-codec.js';
import { FREE, TokenMemory } from './token-memory.js';

export interface TokenStoreOptions {
  dimensions: number;
  bits: TokenBits;
  /** Whether other threads may score documents too. */
  shared: boolean;
}

const SLOTS_MAX = 0x7fff_ffff;
/** Documents whose tokens are checked between two yields. */
const SLOTS_PER_STEP = 16;
/** Names of sections: the number of tokens in each slot (FREE for none), the records in their order. */
const COUNTS = 'token.counts';
const RECORDS = 'token.records';

/**
 * The tokens of documents, rows of one length, in one WebAssembly memory: as they are, as float16, or
 * each on its own min–max grid of 2^bits steps (LVQ, arXiv 2304.04759). A document is known by its
 * slot; slots of removed documents are used again.
 */
export class TokenStore {
  readonly dimensions: number;
  readonly bits: TokenBits;
  readonly kernels: Kernels;
  private readonly codec: TokenCodec;
  private readonly memory: TokenMemory;
  private readonly scorer: MaxSim;
  private documents = 0;

  /** @throws TypeError, RangeError `INVALID_ARGUMENT`; LeandexError `RESOURCE_EXHAUSTED`. */
  constructor(options: TokenStoreOptions) {
    checkOptions('TokenStore', options, ['dimensions', 'bits', 'shared']);
    this.dimensions = options.dimensions;
    this.bits = options.bits;
    this.kernels = new Kernels({ shared: options.shared });
    this.codec = new TokenCodec(this.kernels, options.dimensions, options.bits);
    this.memory = new TokenMemory(this.kernels, this.codec.recordBytes);
    this.scorer = new MaxSim(this.memory, this.codec);
  }

  /** Number of documents. */
  get count(): number {
    return this.documents;
  }

  /** Bytes that the documents take, with the space of removed ones that is not yet used again. */
  get bytes(): number {
    return this.memory.bytes;
  }

  /** Bytes of one stored token. */
  get recordBytes(): number {
    return this.codec.recordBytes;
  }

  /** Number of tokens of a document. @throws RangeError for a slot without one. */
  countOf(slot: number): number {
    return this.memory.countOf(this.checkSlot('slot', slot));
  }

  /**
   * Stores documents: rows offsets[i] … offsets[i + 1] − 1 of `tokens` are those of the i-th, which
   * may have none. Returns the slot of each. All are stored, or none.
   * @throws TypeError, RangeError for wrong types, lengths, offsets, NaN, infinity or numbers that the
   * codes do not hold; LeandexError `RESOURCE_EXHAUSTED`.
   */
  add(tokens: Float32Array, offsets: Uint32Array): Uint32Array {
    return drain(this.addSteps(tokens, offsets));
  }

  /** The same in slices. The arrays must not be changed until the end. */
  *addSteps(tokens: Float32Array, offsets: Uint32Array): Steps<Uint32Array> {
    const { dimensions } = this;
    checkOffsets(offsets, checkRows('tokens', tokens, dimensions));
    const { length } = tokens;
    yield* this.codec.checkSteps('tokens', tokens);
    const slots = new Uint32Array(offsets.length - 1);
    let added = 0;
    let isComplete = false;
    try {
      while (added < slots.length) {
        // A caller may have given the array away meanwhile.
        requireUnchanged(tokens, length);
        const [from, to] = [offsets[added]! * dimensions, offsets[added + 1]! * dimensions];
        slots[added] = this.addOne(tokens.subarray(from, to));
        added++;
        yield;
      }
      isComplete = true;
      return slots;
    } finally {
      // It may end at any of the yields, the last one too.
      if (!isComplete) for (const slot of slots.subarray(0, added)) this.remove(slot);
    }
  }

  private addOne(rows: Float32Array): number {
    const { memory, codec } = this;
    const slot = memory.place(rows.length / this.dimensions);
    const { address, count } = memory.documentAt(slot);
    codec.encode(rows, address);
    memory.setReach(slot, codec.longest(address, count));
    this.documents++;
    return slot;
  }

  /** @throws RangeError for a slot without a document. */
  remove(slot: number): void {
    this.memory.remove(this.checkSlot('slot', slot));
    this.documents--;
  }

  /** The tokens that a document's records stand for, count x dimensions. */
  tokensOf(slot: number): Float32Array {
    const { address, count } = this.memory.documentAt(this.checkSlot('slot', slot));
    return this.codec.decode(address, count);
  }

  /**
   * MaxSim of a query (m x dimensions, m ≥ 1) with documents: the sum over its rows of the largest dot
   * product with a stored token; 0 for a document without tokens. In the order of slots.
   * @throws TypeError, RangeError for wrong types and values, and for slots without a document.
   */
  maxSim(query: Float32Array, slots: Uint32Array): Float32Array {
    return drain(this.maxSimSteps(query, slots, ALONE));
  }

  /** The same in slices, or by the threads of a crew. */
  *maxSimSteps(query: Float32Array, slots: Uint32Array, crew: Crew): Steps<Float32Array> {
    this.checkSearch(query, slots);
    return yield* this.scorer.score(query, slots, crew);
  }

  /** The k documents with the highest MaxSim, best first; equal ones in the order of slots. */
  rank(query: Float32Array, slots: Uint32Array, k: number): RankedDocuments {
    return drain(this.rankSteps(query, slots, k, ALONE));
  }

  /** The same in slices, or by the threads of a crew. `slots` names no document twice. */
  *rankSteps(
    query: Float32Array,
    slots: Uint32Array,
    k: number,
    crew: Crew,
  ): Steps<RankedDocuments> {
    this.checkSearch(query, slots);
    checkInteger('k', k, 1, 0x7fff_ffff);
    return yield* this.scorer.rank(query, slots, k, crew);
  }

  /** What goes in the header of a container, and sections: as of now, while held from now on. */
  toSections(): Pick<PartedContainer, 'header' | 'sections'> {
    const { memory, kernels, recordBytes, dimensions, bits } = this;
    const { addresses, counts } = memory.places();
    return {
      header: { dimensions, bits, slots: counts.length },
      sections: {
        [COUNTS]: () => partsOf(asBytes(counts)),
        [RECORDS]: () => gathered(records()),
      },
    };

    function* records() {
      for (const [slot, count] of counts.entries()) {
        if (count === FREE) continue;
        const bytes = kernels.u8(addresses[slot]!, count * recordBytes);
        // A memory that is not shared moves when it grows, as a search may make it do.
        yield kernels.shared ? bytes : bytes.slice();
      }
    }
  }

  /** Until the function that this returns is called, removing documents leaves sections as they are. */
  hold(): () => void {
    return this.memory.hold();
  }

  /**
   * Reads what toSections() gave: `header` is its header, its sections are the next of the reader.
   * @throws LeandexError `CORRUPT` for what no store can have written, `RESOURCE_EXHAUSTED`.
   */
  static *fromSections(
    header: unknown,
    reader: ContainerReader,
    shared: boolean,
  ): Steps<TokenStore> {
    const { slots, ...options } = (header ?? {}) as TokenStoreOptions & { slots: number };
    let store: TokenStore;
    try {
      checkInteger('slots', slots, 0, SLOTS_MAX);
      store = new TokenStore({ ...options, shared });
    } catch (cause) {
      if ((cause as { code?: unknown }).code !== 'INVALID_ARGUMENT') throw cause;
      throw corrupt(reader.kind, 'its token options are not valid', {}, cause);
    }
    yield* store.readDocuments(slots, reader);
    return store;
  }

  private *readDocuments(slots: number, reader: ContainerReader): Steps<void> {
    const { memory, kernels, codec, recordBytes } = this;
    const counts = new Uint32Array((yield* reader.read(COUNTS, slots * 4)).buffer);
    const used = counts.filter((count) => count !== FREE);
    const tokens = used.reduce((sum, count) => sum + count, 0);
    const byteLength = tokens * recordBytes;
    reader.require(RECORDS, byteLength);
    yield* reader.readInto(RECORDS, byteLength, scattered(byteLength, records()));
    this.documents = used.length;
    const lengthMax = MAGNITUDE_MAX * Math.sqrt(this.dimensions) * 1.01;
    for (const slot of counts.keys()) {
      if (counts[slot] === FREE) continue;
      const { address, count } = memory.documentAt(slot);
      const reach = codec.longest(address, count);
      memory.setReach(slot, reach);
      if (!(reach <= lengthMax)) {
        throw corrupt(reader.kind, `tokens of slot ${slot} are not finite or too long`);
      }
      if (slot % SLOTS_PER_STEP === 0) yield;
    }

    function* records() {
      for (const slot of memory.placeAll(counts)) {
        const { address, count } = memory.documentAt(slot);
        yield kernels.u8(address, count * recordBytes);
      }
    }
  }

  private checkSearch(query: Float32Array, slots: Uint32Array): void {
    if (checkRows('query', query, this.dimensions) === 0) {
      throw outOfRange('query', 'at least one row', query);
    }
    drain(this.codec.checkSteps('query', query, 32));
    if (!(slots instanceof Uint32Array)) throw wrongType('slots', 'a Uint32Array', slots);
    const unknown = slots.findIndex((slot) => this.memory.countOf(slot) === FREE);
    if (unknown >= 0) this.checkSlot(`slots[${unknown}]`, slots[unknown]!);
  }

  private checkSlot(what: string, slot: number): number {
    if (this.memory.countOf(slot) !== FREE) return slot;
    throw outOfRange(what, 'the slot of a document', slot);
  }
}
