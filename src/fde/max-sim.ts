import type { Steps } from '../base/steps.js';
import { alignUp, type Kernels } from '../kernels/index.js';
import type { Crew, Job } from '../threads/crew.js';
import type { TokenCodec } from './token-codec.js';
import type { TokenMemory } from './token-memory.js';

export interface RankedDocuments {
  slots: Uint32Array;
  /** MaxSim of each, highest first. */
  scores: Float32Array;
}

/** Multiplications of a slice in this thread, or keys that a list moves: a millisecond or two. */
const PRODUCTS_PER_STEP = 10_000_000;
/** Address, number of tokens, slot and reach: a document in the list of a call (wasm/maxsim.ts). */
const DOCUMENT_BYTES = 16;

/** Memory for one call at a time. */
interface Block {
  readonly start: number;
  readonly byteLength: number;
}

/** A query and documents where the kernels find them. */
interface Call {
  readonly block: Block;
  /** First arguments of the kernels: panels, rows of the query, dimensions, bits. */
  readonly query: readonly number[];
  readonly documents: number;
  /** The first thread's working memory, and bytes from one thread's to the next. */
  readonly work: number;
  readonly workBytes: number;
  readonly results: number;
  /** How many documents a slice scores. */
  readonly atOnce: number;
}

/** MaxSim of documents in a memory (wasm/maxsim.ts). Arguments are checked by the caller. */
export class MaxSim {
  private readonly memory: TokenMemory;
  private readonly codec: TokenCodec;
  private readonly kernels: Kernels;
  private readonly idle: Block[] = [];

  constructor(memory: TokenMemory, codec: TokenCodec) {
    this.memory = memory;
    this.codec = codec;
    this.kernels = memory.kernels;
  }

  /** The score of each slot's document, in their order. */
  *score(query: Float32Array, slots: Uint32Array, crew: Crew): Steps<Float32Array> {
    const { kernels } = this;
    return yield* this.withCall(query, slots, crew, 0, slots.length * 4, function* (call) {
      const { documents, results } = call;
      yield* deal(kernels, crew, slots.length, call, (from, to, work) => ({
        kernel: 'maxSim',
        args: [
          ...call.query,
          documents + from * DOCUMENT_BYTES,
          to - from,
          work,
          results + from * 4,
        ],
      }));
      return kernels.f32(results, slots.length).slice();
    });
  }

  /** The k best documents: by score, equal ones by slot. */
  *rank(query: Float32Array, slots: Uint32Array, most: number, crew: Crew): Steps<RankedDocuments> {
    const { kernels } = this;
    const k = Math.min(most, slots.length);
    if (k === 0) return { slots: new Uint32Array(0), scores: new Float32Array(0) };
    const listBytes = alignUp((k + 1) * 8, 64);
    const sizes = new Uint32Array(crew.threads);
    const resultBytes = crew.threads * listBytes + 2 * k * 4;
    return yield* this.withCall(query, slots, crew, k, resultBytes, function* (call) {
      const { documents, results } = call;
      const list = (thread: number) => results + thread * listBytes;
      const job = (from: number, to: number, work: number, thread: number): Job => ({
        kernel: 'maxSimBest',
        args: [
          ...[...call.query, documents + from * DOCUMENT_BYTES, to - from, work],
          ...[k, list(thread), sizes[thread]!],
        ],
      });
      yield* deal(kernels, crew, slots.length, call, job, (size, thread) => {
        sizes[thread] = size;
      });
      const [ids, distances] = [list(crew.threads), list(crew.threads) + k * 4];
      const lists = Array.from(sizes, (size, thread) => {
        kernels.call.readKeys(list(thread), size, ids, distances);
        const read = [...kernels.u32(ids, size)];
        return read.map((slot, i) => ({ slot, score: 0 - kernels.floats[distances / 4 + i]! }));
      });
      return best(lists, k);
    });
  }

  /** Runs with the query and the documents in place, which stay there until the end. */
  private *withCall<T>(
    query: Float32Array,
    slots: Uint32Array,
    crew: Crew,
    kept: number,
    resultBytes: number,
    run: (call: Call) => Steps<T>,
  ): Steps<T> {
    const release = this.memory.hold();
    let block: Block | undefined;
    try {
      const call = this.prepare(query, slots, crew.threads, kept, resultBytes);
      block = call.block;
      return yield* run(call);
    } finally {
      if (block !== undefined) this.idle.push(block);
      release();
    }
  }

  private prepare(
    query: Float32Array,
    slots: Uint32Array,
    threads: number,
    kept: number,
    resultBytes: number,
  ): Call {
    const { kernels, memory } = this;
    const { dimensions, bits, signs } = this.codec;
    const { call } = kernels;
    const m = query.length / dimensions;
    const mostTokens = slots.reduce((most, slot) => Math.max(most, memory.countOf(slot)), 0);
    const workBytes = alignUp(16 + mostTokens * call.expandedBytes(dimensions, bits), 64);
    const panelBytes = Math.ceil(m / 4) * call.panelBytes(dimensions, bits);
    const { block, starts } = this.take([
      panelBytes,
      query.byteLength,
      call.tokenWidth(dimensions, bits) * 6,
      slots.length * DOCUMENT_BYTES,
      threads * workBytes,
      resultBytes,
    ]);
    const [panels, rows, row, documents, work, results] = starts;
    kernels.f32(rows!, query.length).set(query);
    kernels.u8(panels!, panelBytes).fill(0);
    call.packQuery(rows!, m, dimensions, bits, signs, row!, panels!);
    this.list(slots, documents!);
    return {
      block,
      query: [panels!, m, dimensions, bits],
      documents: documents!,
      work: work!,
      workBytes,
      results: results!,
      // A document that is kept moves the worse ones in the list.
      atOnce: Math.ceil(PRODUCTS_PER_STEP / (m * Math.max(1, mostTokens) * dimensions + kept)),
    };
  }

  /** Writes where the documents are. */
  private list(slots: Uint32Array, documents: number): void {
    const { memory, kernels } = this;
    const [words, floats] = [kernels.words, kernels.floats];
    // What rounding may add to a dot product: far below this (wasm/maxsim.ts).
    const margin = 1 + (this.codec.dimensions + 32) / 32_768;
    for (const [i, slot] of slots.entries()) {
      const { address, count, reach } = memory.documentAt(slot);
      const at = (documents + i * DOCUMENT_BYTES) / 4;
      words[at] = address;
      words[at + 1] = count;
      words[at + 2] = slot;
      floats[at + 3] = reach * margin;
    }
  }

  /** Memory for parts of so many bytes; what is idle is used again, or left for twice as much. */
  private take(sizes: readonly number[]): { block: Block; starts: number[] } {
    let byteLength = 0;
    const offsets = sizes.map((bytes) => {
      const offset = byteLength;
      byteLength += alignUp(bytes, 64);
      return offset;
    });
    let block = this.idle.at(-1);
    if (block === undefined || block.byteLength < byteLength) {
      const least = Math.max(byteLength, 2 * (block?.byteLength ?? 0));
      block = { start: this.kernels.alloc(least), byteLength: least };
    }
    // Only now: where there is no memory for more, what is idle serves smaller calls.
    this.idle.pop();
    const { start } = block;
    return { block, starts: offsets.map((offset) => start + offset) };
  }
}

/** Shares documents 0 … count − 1 out to the threads of a crew, or scores them here in slices. */
function* deal(
  kernels: Kernels,
  crew: Crew,
  count: number,
  { work, workBytes, atOnce }: Call,
  job: (from: number, to: number, work: number, thread: number) => Job,
  took: (result: number, thread: number) => void = () => {},
): Steps<void> {
  if (crew.isHere) {
    for (let from = 0; from < count; from += atOnce) {
      const to = Math.min(count, from + atOnce);
      took((crew.run(kernels, [job(from, to, work, 0)]) as number[])[0]!, 0);
      yield;
    }
    return;
  }
  const share = Math.ceil(count / crew.threads);
  const jobs: Job[] = [];
  for (let from = 0; from < count; from += share) {
    const thread = jobs.length;
    jobs.push(job(from, Math.min(count, from + share), work + thread * workBytes, thread));
  }
  yield Promise.resolve(crew.run(kernels, jobs)).then((results) => results.forEach(took));
}

/** The k best of sorted lists. */
function best(lists: { slot: number; score: number }[][], k: number): RankedDocuments {
  const sorted = lists.flat().sort((a, b) => b.score - a.score || a.slot - b.slot);
  const kept = sorted.slice(0, k);
  return {
    slots: Uint32Array.from(kept, ({ slot }) => slot),
    scores: Float32Array.from(kept, ({ score }) => score),
  };
}
