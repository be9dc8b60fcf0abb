import { checkInteger, checkOneOf, checkOptions, checkRows } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { drain, type Steps } from '../base/steps.js';
import { asBytes } from '../format/container.js';
import type { ContainerReader } from '../format/container-reader.js';
import type { PartedContainer } from '../format/container-writer.js';
import { corrupt, partsOf } from '../format/layout.js';
import { checkRowValues, MAGNITUDE_MAX } from '../graph/rows.js';
import { Kernels, paddedDimensions } from '../kernels/index.js';
import { ALONE, type Crew } from '../threads/crew.js';
import { MaxSim, type RankedDocuments } from './max-sim.js';
import { checkOffsets } from './offsets.js';
import { FREE, TokenMemory } from './token-memory.js';

/** Bits of a stored number: float32, float16, or LVQ codes. */
export type TokenBits = 32 | 16 | 8 | 4;

export interface TokenStoreOptions {
  dimensions: number;
  bits: TokenBits;
  /** Whether other threads may score documents too. */
  shared: boolean;
}

export const TOKEN_BITS: readonly TokenBits[] = [32, 16, 8, 4];
const DIMENSIONS_MAX = 32_768;
/** The largest binary16. */
const HALF_MAX = 65_504;
/** Rows that are copied to the kernels at a time. */
const STAGED_ROWS = 64;
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
  readonly memory: TokenMemory;
  private readonly scorer: MaxSim;
  private readonly staged: number;
  private readonly work: number;
  private documents = 0;

  /** @throws TypeError, RangeError `INVALID_ARGUMENT`; LeandexError `RESOURCE_EXHAUSTED`. */
  constructor(options: TokenStoreOptions) {
    checkOptions('TokenStore', options, ['dimensions', 'bits', 'shared']);
    this.dimensions = checkInteger('dimensions', options.dimensions, 1, DIMENSIONS_MAX);
    this.bits = checkOneOf('bits', options.bits, TOKEN_BITS);
    this.kernels = new Kernels({ shared: options.shared });
    const recordBytes = this.kernels.call.tokenBytes(this.dimensions, this.bits);
    this.memory = new TokenMemory(this.kernels, recordBytes);
    this.scorer = new MaxSim(this.memory, this.dimensions, this.bits);
    this.staged = this.kernels.alloc(STAGED_ROWS * this.dimensions * 4);
    this.work = this.kernels.alloc(paddedDimensions(this.dimensions) * 5);
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
    return this.memory.recordBytes;
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
    const { dimensions } = this;
    checkOffsets(offsets, checkRows('tokens', tokens, dimensions));
    this.checkValues('tokens', tokens);
    if (this.bits === 16) checkHalf(tokens, dimensions);
    const slots = new Uint32Array(offsets.length - 1);
    let added = 0;
    try {
      for (; added < slots.length; added++) {
        const rows = tokens.subarray(
          offsets[added]! * dimensions,
          offsets[added + 1]! * dimensions,
        );
        slots[added] = this.addOne(rows);
      }
    } catch (error) {
      for (const slot of slots.subarray(0, added)) this.remove(slot);
      throw error;
    }
    return slots;
  }

  private addOne(rows: Float32Array): number {
    const { dimensions, bits, memory } = this;
    const { call } = this.kernels;
    const slot = memory.place(rows.length / dimensions);
    const { address, count } = memory.documentAt(slot);
    for (let from = 0; from < count; from += STAGED_ROWS) {
      const size = Math.min(STAGED_ROWS, count - from);
      const part = rows.subarray(from * dimensions, (from + size) * dimensions);
      this.kernels.f32(this.staged, part.length).set(part);
      const at = address + from * this.recordBytes;
      call.encodeTokens(this.staged, size, dimensions, bits, this.work, at);
    }
    memory.setReach(slot, this.reachOf(slot));
    this.documents++;
    return slot;
  }

  /** NaN or infinity where a stored number is neither. */
  private reachOf(slot: number): number {
    const { address, count } = this.memory.documentAt(slot);
    return this.kernels.call.longestToken(address, count, this.dimensions, this.bits, this.work);
  }

  /** @throws RangeError for a slot without a document. */
  remove(slot: number): void {
    this.memory.remove(this.checkSlot('slot', slot));
    this.documents--;
  }

  /** The tokens that a document's records stand for, count x dimensions. */
  tokensOf(slot: number): Float32Array {
    const { dimensions, bits } = this;
    const { address, count } = this.memory.documentAt(this.checkSlot('slot', slot));
    const rows = new Float32Array(count * dimensions);
    for (let from = 0; from < count; from += STAGED_ROWS) {
      const size = Math.min(STAGED_ROWS, count - from);
      const at = address + from * this.recordBytes;
      this.kernels.call.decodeTokens(at, size, dimensions, bits, this.work, this.staged);
      rows.set(this.kernels.f32(this.staged, size * dimensions), from * dimensions);
    }
    return rows;
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

  /** What goes in the header of a container, and sections; valid until the store changes (see hold). */
  toSections(): Pick<PartedContainer, 'header' | 'sections'> {
    const { memory, kernels, recordBytes, dimensions, bits } = this;
    const counts = Uint32Array.from({ length: memory.slotCount }, (_, slot) =>
      memory.countOf(slot),
    );
    const documents = [...counts.keys()]
      .filter((slot) => counts[slot] !== FREE)
      .map((slot) => memory.documentAt(slot));
    return {
      header: { dimensions, bits, slots: counts.length },
      sections: {
        [COUNTS]: () => partsOf(asBytes(counts)),
        *[RECORDS]() {
          for (const { address, count } of documents) {
            yield* partsOf(kernels.u8(address, count * recordBytes));
          }
        },
      },
    };
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
    const { memory, kernels, recordBytes } = this;
    const counts = new Uint32Array((yield* reader.read(COUNTS, slots * 4)).buffer);
    const used = counts.filter((count) => count !== FREE);
    const tokens = used.reduce((sum, count) => sum + count, 0);
    reader.require(RECORDS, tokens * recordBytes);
    yield* reader.readInto(RECORDS, tokens * recordBytes, documentParts());
    this.documents = used.length;
    const lengthMax = MAGNITUDE_MAX * Math.sqrt(this.dimensions) * 1.01;
    for (const slot of counts.keys()) {
      if (counts[slot] === FREE) continue;
      memory.setReach(slot, this.reachOf(slot));
      if (!(this.reachOf(slot) <= lengthMax)) {
        throw corrupt(reader.kind, `tokens of slot ${slot} are not finite or too long`);
      }
      if (slot % SLOTS_PER_STEP === 0) yield;
    }

    function* documentParts() {
      for (const slot of memory.placeAll(counts)) {
        const { address, count } = memory.documentAt(slot);
        yield* partsOf(kernels.u8(address, count * recordBytes));
      }
    }
  }

  private checkSearch(query: Float32Array, slots: Uint32Array): void {
    if (checkRows('query', query, this.dimensions) === 0) {
      throw outOfRange('query', 'at least one row', query);
    }
    this.checkValues('query', query);
    if (!(slots instanceof Uint32Array)) throw wrongType('slots', 'a Uint32Array', slots);
    slots.forEach((slot, i) => {
      this.checkSlot(`slots[${i}]`, slot);
    });
  }

  /** @throws RangeError for NaN, infinity, or numbers whose squares leave float32. */
  private checkValues(what: string, rows: Float32Array): void {
    const { dimensions } = this;
    drain(checkRowValues(rows, { dimensions, distance: 'Dot', model: undefined }, what));
  }

  private checkSlot(what: string, slot: number): number {
    if (this.memory.countOf(slot) !== FREE) return slot;
    throw outOfRange(what, 'the slot of a document', slot);
  }
}

/** @throws RangeError for numbers beyond binary16. */
function checkHalf(rows: Float32Array, dimensions: number): void {
  const at = rows.findIndex((x) => Math.abs(x) > HALF_MAX);
  if (at < 0) return;
  const what = `tokens at row ${Math.floor(at / dimensions)}, column ${at % dimensions}`;
  throw outOfRange(what, `at most ${HALF_MAX} with 16 bits`, rows[at]);
}
