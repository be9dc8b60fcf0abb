import { checkRows } from '../base/check.js';
import { LeandexError } from '../base/errors.js';
import { drain, type Progress, type Steps } from '../base/steps.js';
import { checkRowValues } from '../graph/rows.js';
import type { KernelVariant } from '../kernels/index.js';
import { ALONE, type Crew, type Job } from '../threads/crew.js';
import { FdeMemory } from './memory.js';
import { checkOffsets } from './offsets.js';
import { encodedDimensions, type FdeOptions, type ResolvedFde, resolveFde } from './options.js';

/** Tokens, and bytes of encodings, that one batch takes into the kernels' memory. */
const BATCH_TOKENS = 16_384;
const BATCH_BYTES = 1 << 25;
/** Sets that one thread encodes between two turns of the event loop. */
const SETS_AT_ONCE = 16;

/** Where an encoder's memories live. */
export interface FdeMemoryOptions {
  /** Whether other threads may help. Default false. */
  shared?: boolean;
  /** Default: the process's choice. */
  variant?: KernelVariant;
}

/**
 * Fixed dimensional encodings (MUVERA, arXiv 2405.19504): one vector for a set of tokens, such that
 * <query's, document's> / repetitions is about Σ_q max_p <q, p>. Documents get the centroid of their
 * tokens in each cell, with unit length by default; queries the sum. Same options, same encodings.
 */
export class FdeEncoder {
  readonly options: ResolvedFde;
  private readonly memoryOptions: FdeMemoryOptions;
  private documentMemory: FdeMemory | undefined;
  private queryMemory: FdeMemory | undefined;
  private batchMemory: FdeMemory | undefined;

  /** @throws TypeError, RangeError `INVALID_ARGUMENT` for unknown or wrong options. */
  constructor(options: FdeOptions, memoryOptions: FdeMemoryOptions = {}) {
    this.options = resolveFde(options);
    this.memoryOptions = memoryOptions;
  }

  /** Numbers of an encoding. */
  get dimensions(): number {
    return encodedDimensions(this.options);
  }

  /**
   * The encodings of documents, row after row: document i has the token rows offsets[i] …
   * offsets[i + 1] − 1. A document without tokens is zero.
   * @throws TypeError, RangeError for wrong lengths, offsets, NaN or infinity; LeandexError
   * `RESOURCE_EXHAUSTED`.
   */
  encodeDocuments(tokens: Float32Array, offsets: Uint32Array): Float32Array {
    return drain(this.documentSteps(tokens, offsets, ALONE));
  }

  /** encodeDocuments() in slices, by the threads of a crew. One call at a time. */
  *documentSteps(tokens: Float32Array, offsets: Uint32Array, crew: Crew): Steps<Float32Array> {
    this.documentMemory ??= this.newMemory();
    return yield* this.encodeSets(this.documentMemory, tokens, offsets, false, crew);
  }

  /**
   * The encoding of the tokens of one query. It adds up: that of two token sets together is the sum
   * of theirs. Errors as for encodeDocuments().
   */
  encodeQuery(tokens: Float32Array): Float32Array {
    const count = checkRows('query', tokens, this.options.dimensions);
    drain(this.checkTokens(tokens, 'query'));
    this.queryMemory ??= new FdeMemory(this.options, false, this.memoryOptions.variant);
    let encoding = new Float32Array(0);
    const offsets = Uint32Array.of(0, count);
    drain(
      encodeBatch(this.queryMemory, tokens, offsets, true, ALONE, (rows) => {
        encoding = rows.slice();
      }),
    );
    return encoding;
  }

  /** encodeQuery() of many queries, as documentSteps(). One call at a time, besides that of those. */
  *querySteps(tokens: Float32Array, offsets: Uint32Array, crew: Crew): Steps<Float32Array> {
    this.batchMemory ??= this.newMemory();
    return yield* this.encodeSets(this.batchMemory, tokens, offsets, true, crew);
  }

  private *encodeSets(
    memory: FdeMemory,
    tokens: Float32Array,
    offsets: Uint32Array,
    isQuery: boolean,
    crew: Crew,
  ): Steps<Float32Array> {
    checkOffsets(offsets, checkRows('tokens', tokens, this.options.dimensions));
    const count = offsets.length - 1;
    yield* this.checkTokens(tokens, isQuery ? 'query' : 'tokens');
    const out = roomFor(count, this.dimensions);
    const progress: Progress = { phase: 'encode', done: 0, total: count };
    for (let from = 0; from < count; ) {
      const to = this.batchEnd(offsets, from);
      yield* encodeBatch(memory, tokens, offsets.subarray(from, to + 1), isQuery, crew, (rows) =>
        out.set(rows, from * this.dimensions),
      );
      progress.done = to;
      yield progress;
      from = to;
    }
    return out;
  }

  private checkTokens(tokens: Float32Array, what: string): Steps<void> {
    const { dimensions } = this.options;
    return checkRowValues(tokens, { dimensions, distance: 'Dot', model: undefined }, what);
  }

  private newMemory(): FdeMemory {
    const { shared = false, variant } = this.memoryOptions;
    return new FdeMemory(this.options, shared, variant);
  }

  /** The set behind the last of a batch that begins at `from`: one set at least. */
  private batchEnd(offsets: Uint32Array, from: number): number {
    const most = Math.max(1, Math.floor(BATCH_BYTES / (4 * this.dimensions)));
    const last = Math.min(offsets.length - 1, from + most);
    let to = from + 1;
    while (to < last && offsets[to + 1]! - offsets[from]! <= BATCH_TOKENS) to++;
    return to;
  }
}

/** @throws LeandexError `RESOURCE_EXHAUSTED` */
function roomFor(count: number, dimensions: number): Float32Array {
  try {
    return new Float32Array(count * dimensions);
  } catch (cause) {
    const problem = `no memory holds ${count} encodings of ${dimensions} numbers: add fewer at once`;
    throw new LeandexError('RESOURCE_EXHAUSTED', problem, { cause });
  }
}

/** Encodes the sets between the offsets and hands over a view of their encodings. */
function* encodeBatch(
  memory: FdeMemory,
  tokens: Float32Array,
  offsets: Uint32Array,
  isQuery: boolean,
  crew: Crew,
  take: (encodings: Float32Array) => void,
): Steps<void> {
  const { kernels } = memory;
  const count = offsets.length - 1;
  const first = offsets[0]!;
  const mark = kernels.mark();
  try {
    const rows = memory.copyTokens(tokens, first, offsets[count]! - first);
    const places = kernels.alloc(offsets.byteLength);
    kernels.u32(places, count + 1).set(offsets.map((offset) => offset - first));
    const dimensions = encodedDimensions(memory.options);
    const out = kernels.alloc(count * dimensions * 4);
    const longest = offsets.reduce(
      (most, end, i) => Math.max(most, end - (offsets[i - 1] ?? end)),
      0,
    );
    const job = (scratch: number, from: number, to: number): Job => ({
      kernel: 'encodeSets',
      args: [memory.pointer, scratch, rows, places, from, to, Number(isQuery), out],
    });
    if (crew.isHere) {
      const scratch = memory.allocScratch(longest);
      for (let from = 0; from < count; from += SETS_AT_ONCE) {
        crew.run(kernels, [job(scratch, from, Math.min(count, from + SETS_AT_ONCE))]);
        yield;
      }
    } else {
      const share = Math.ceil(count / crew.threads);
      const jobs: Job[] = [];
      for (let from = 0; from < count; from += share) {
        jobs.push(job(memory.allocScratch(longest), from, Math.min(count, from + share)));
      }
      yield Promise.resolve(crew.run(kernels, jobs));
    }
    take(kernels.f32(out, count * dimensions));
  } finally {
    kernels.release(mark);
  }
}
