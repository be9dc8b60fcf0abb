import { checkInteger, checkRows } from '../base/check.js';
import { LeandexError, outOfRange } from '../base/errors.js';
import { drain, runSteps, throwIfAborted } from '../base/steps.js';
import { bytesSource, joined } from '../format/container.js';
import { layOut } from '../format/container-writer.js';
import type { AllowList } from '../graph/allow-list.js';
import type { AllowedIds } from '../graph/id-set.js';
import { LeanIndex } from '../graph/lean-index.js';
import {
  type AddOptions,
  type BuildOptions,
  checkWriteOptions,
  type WriteOptions,
} from '../graph/options.js';
import type { SearchResult } from '../graph/search.js';
import type { IndexStats } from '../graph/stats.js';
import { WriteQueue } from '../graph/write-queue.js';
import { ALONE, type Crew, crewOf } from '../threads/crew.js';
import { hasThreads, PoolLease } from '../threads/pool.js';
import { DocumentTokens } from './document-tokens.js';
import { FdeEncoder } from './encoder.js';
import {
  type LeanMultiIndexOptions,
  type MultiSearchOptions,
  type MultiSearchPlan,
  resolveMulti,
  resolveMultiSearch,
  type TokenSets,
} from './multi-options.js';
import { checkOffsets } from './offsets.js';
import { describeMulti, readMultiSteps } from './save-multi.js';
import type { TokenBits } from './token-codec.js';

/** Fewer tokens are encoded sooner than other threads would hear of them. */
const CREW_TOKENS_MIN = 4096;

/** What a LeanMultiIndex consists of. */
export interface MultiParts {
  encoder: FdeEncoder;
  index: LeanIndex;
  documents: DocumentTokens;
}

export interface MultiIndexStats {
  /** Documents, and tokens of all of them. */
  count: number;
  tokens: number;
  dimensions: number;
  /** Numbers of an encoding. */
  fdeDimensions: number;
  tokenBits: TokenBits;
  /** Bytes a document: its codes and links in the index of encodings, and its tokens. */
  bytesPerDocument: { encoding: number; tokens: number; total: number };
  /** The index of encodings. */
  index: IndexStats;
}

/**
 * An index in memory of documents of several vectors each, as late-interaction models make them. A
 * document's score is MaxSim: the sum over the query's vectors of the largest inner product with one
 * of the document's. Candidates come from a LeanIndex of one vector a document (MUVERA's fixed
 * dimensional encodings), and are ranked by MaxSim on their stored tokens.
 */
export class LeanMultiIndex {
  private readonly parts: MultiParts;
  private readonly pool = new PoolLease();
  private readonly writes = new WriteQueue();
  private closing: Promise<void> | undefined;

  private constructor(parts: MultiParts) {
    this.parts = parts;
  }

  /**
   * Builds an index of documents, which get the ids 0, 1, … Any number of documents, each of one
   * token at least.
   * @throws TypeError, RangeError for wrong options or input (code `INVALID_ARGUMENT`,
   * `DIMENSION_MISMATCH`); LeandexError `ABORTED`, `RESOURCE_EXHAUSTED`.
   */
  static async build(
    sets: TokenSets,
    options: LeanMultiIndexOptions & Omit<BuildOptions, 'queries'>,
  ): Promise<LeanMultiIndex> {
    const resolved = resolveMulti(options);
    const { fde, tokenBits } = resolved;
    const { onProgress, signal, threads } = options;
    const run: WriteOptions = {
      ...(onProgress && { onProgress }),
      ...(signal && { signal }),
      ...(threads !== undefined && { threads }),
    };
    checkWriteOptions('LeanMultiIndex', run);
    checkSets(sets, fde.dimensions);
    const shared = hasThreads();
    const encoder = new FdeEncoder(fde, { shared });
    const documents = new DocumentTokens(fde.dimensions, tokenBits, shared);
    const pool = new PoolLease();
    try {
      const crew = await crewFor(pool, sets, run.threads);
      const encodings = await runSteps(encoder.documentSteps(sets.tokens, sets.offsets, crew), run);
      const index = await LeanIndex.build(encodings, {
        ...resolved.index,
        ...run,
      });
      documents.name(
        index.ids(),
        await runSteps(documents.store.addSteps(sets.tokens, sets.offsets), run),
      );
      return new LeanMultiIndex({ encoder, index, documents });
    } finally {
      await pool.release();
    }
  }

  /**
   * Adds documents and resolves to their ids; all or nothing. Errors as for build(), `CLOSED`.
   */
  async add(sets: TokenSets, options: AddOptions = {}): Promise<Uint32Array> {
    this.requireOpen();
    checkWriteOptions('add', options, ['ids']);
    const { encoder, documents, index } = this.parts;
    checkSets(sets, encoder.options.dimensions);
    const { ids, ...run } = options;
    return this.writes.run(async () => {
      const encodings = await this.encode(sets, run);
      const slots = await runSteps(documents.store.addSteps(sets.tokens, sets.offsets), run);
      let added: Uint32Array | undefined;
      try {
        added = await index.add(encodings, options);
        return added;
      } finally {
        if (added === undefined) documents.discard(slots);
        // Those that were deleted meanwhile are not there any more.
        else documents.name(added, slots, (id) => index.has(id));
      }
    });
  }

  /**
   * Puts other tokens (rows of `dimensions` numbers, one at least) in the place of those of an id.
   * Errors as for add(), LeandexError `NOT_FOUND`.
   */
  async update(id: number, tokens: Float32Array, options: WriteOptions = {}): Promise<void> {
    this.requireOpen();
    checkWriteOptions('update', options);
    checkInteger('id', id, 0, 0xffff_ffff);
    const { encoder, documents, index } = this.parts;
    const { dimensions } = encoder.options;
    const sets = { tokens, offsets: Uint32Array.of(0, checkRows('tokens', tokens, dimensions)) };
    checkSets(sets, dimensions);
    await this.writes.run(async () => {
      const encoding = await this.encode(sets, options);
      const slots = await runSteps(documents.store.addSteps(tokens, sets.offsets), options);
      try {
        await index.update(id, encoding, options);
      } catch (error) {
        documents.discard(slots);
        throw error;
      }
      documents.forget([id]);
      documents.name(Uint32Array.of(id), slots, (live) => index.has(live));
    });
  }

  /**
   * Deletes ids: from this moment on none of them is returned. Resolves to how many there were.
   * Errors as for `LeanIndex.delete`.
   */
  async delete(ids: Iterable<number>, options: WriteOptions = {}): Promise<number> {
    this.requireOpen();
    const { documents, index } = this.parts;
    const isList = typeof ids?.[Symbol.iterator] === 'function' && typeof ids !== 'string';
    const wanted = isList ? [...ids] : ids;
    const deleting = index.delete(wanted, options);
    // The index has refused wrong ids by now, or forgotten all.
    if (isList) documents.forget((wanted as number[]).filter((id) => !index.has(id)));
    return deleting;
  }

  /** Repairs the graph around what is deleted and gives memory back, as `LeanIndex.compact`. */
  async compact(options: WriteOptions = {}): Promise<void> {
    this.requireOpen();
    await this.writes.run(() => this.parts.index.compact(options));
  }

  /**
   * The k documents with the highest MaxSim of a query (m x `dimensions`, m ≥ 1), best first; fewer
   * where there are fewer.
   * @throws TypeError, RangeError for wrong lengths, NaN, k below 1, or unknown options.
   */
  search(query: Float32Array, k: number, options: MultiSearchOptions = {}): SearchResult {
    const plan = this.plan(query, k, options);
    const { index, encoder } = this.parts;
    const encoding = encoder.encodeQuery(query);
    for (let wider = plan; ; wider = widen(wider)) {
      const { ids } = index.search(encoding, wider.candidates, searchOptions(wider));
      const result = this.rank(query, ids, k);
      if (this.isEnough(result, ids, wider)) return result;
    }
  }

  /** search() with the search for candidates in another thread. */
  async searchAsync(
    query: Float32Array,
    k: number,
    options: MultiSearchOptions = {},
  ): Promise<SearchResult> {
    const plan = this.plan(query, k, options);
    const { index, encoder } = this.parts;
    const copy = query.slice();
    const encoding = encoder.encodeQuery(copy);
    for (let wider = plan; ; wider = widen(wider)) {
      const { ids } = await index.searchAsync(encoding, wider.candidates, searchOptions(wider));
      const result = this.rank(copy, ids, k);
      if (this.isEnough(result, ids, wider)) return result;
    }
  }

  private plan(query: Float32Array, k: number, options: MultiSearchOptions): MultiSearchPlan {
    this.requireOpen();
    if (checkRows('query', query, this.dimensions) === 0) {
      throw outOfRange('query', 'at least one row', query);
    }
    return resolveMultiSearch(k, options);
  }

  /** The k best of the candidates by MaxSim; those whose tokens are still to come are left out. */
  private rank(query: Float32Array, candidates: Uint32Array, k: number): SearchResult {
    return this.parts.documents.rank(query, candidates, k);
  }

  /** Whether there are k results, or no more to find than was looked for. */
  private isEnough(
    { ids }: SearchResult,
    candidates: Uint32Array,
    { k, candidates: wanted }: MultiSearchPlan,
  ): boolean {
    return ids.length === k || candidates.length < wanted || wanted >= this.parts.index.count;
  }

  /** Ids that searches may be restricted to, translated once for many searches. */
  allowList(ids: AllowedIds): AllowList {
    this.requireOpen();
    return this.parts.index.allowList(ids);
  }

  /** Number of documents. */
  get count(): number {
    return this.parts.documents.count;
  }

  /** The ids of all documents, ascending. */
  ids(): Uint32Array {
    const { index, documents } = this.parts;
    return index.ids().filter((id) => documents.has(id));
  }

  /** Whether there is a document with this id. */
  has(id: number): boolean {
    return this.parts.documents.has(id);
  }

  /** Numbers in a token. */
  get dimensions(): number {
    return this.parts.encoder.options.dimensions;
  }

  /** The tokens of a document as they are stored, row after row; undefined for an unknown id. */
  tokensOf(id: number): Float32Array | undefined {
    this.requireOpen();
    return this.parts.documents.tokensOf(id);
  }

  /** Sizes and settings, measured from what the index holds. */
  stats(): MultiIndexStats {
    const { index, documents, encoder } = this.parts;
    const stats = index.stats();
    const each = Math.max(1, documents.count);
    const encoding = stats.bytesPerVector.total;
    const tokens = documents.store.bytes / each;
    return {
      count: documents.count,
      tokens: documents.tokenCount,
      dimensions: this.dimensions,
      fdeDimensions: encoder.dimensions,
      tokenBits: documents.store.bits,
      bytesPerDocument: { encoding, tokens, total: encoding + tokens },
      index: stats,
    };
  }

  /**
   * The whole index as bytes, with checksums; the same index gives the same bytes.
   * @throws LeandexError `BUSY` while a write is under way, `CLOSED`.
   */
  toBytes(): Uint8Array {
    this.requireOpen();
    if (this.writes.isBusy) {
      throw new LeandexError('BUSY', 'a write is under way: await it before toBytes()');
    }
    return joined(drain(layOut(describeMulti(this.parts))));
  }

  /**
   * The index that toBytes() wrote, verified throughout.
   * @throws TypeError for anything but a Uint8Array; LeandexError `CORRUPT`, `UNSUPPORTED_VERSION`.
   */
  static fromBytes(bytes: Uint8Array): LeanMultiIndex {
    return new LeanMultiIndex(drain(readMultiSteps(bytesSource(bytes), hasThreads())));
  }

  /** Waits for what is under way and ends the threads. All but this then fail with `CLOSED`. */
  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  private async end(): Promise<void> {
    await this.writes.idle();
    await this.parts.index.close();
    await this.pool.release();
  }

  private async encode(sets: TokenSets, options: WriteOptions): Promise<Float32Array> {
    throwIfAborted(options.signal);
    const crew = await crewFor(this.pool, sets, options.threads);
    return runSteps(this.parts.encoder.documentSteps(sets.tokens, sets.offsets, crew), options);
  }

  private requireOpen(): void {
    if (this.closing !== undefined) throw new LeandexError('CLOSED', 'the index is closed');
  }
}

/** As many threads as wanted for many tokens, this one for few. */
async function crewFor(
  pool: PoolLease,
  { offsets }: TokenSets,
  threads = Number.POSITIVE_INFINITY,
): Promise<Crew> {
  if (!hasThreads() || threads === 1 || offsets.at(-1)! < CREW_TOKENS_MIN) return ALONE;
  return crewOf(await pool.get(), threads);
}

/** @throws TypeError, RangeError unless these are token sets of one token at least each. */
function checkSets(sets: TokenSets, dimensions: number): void {
  const { tokens, offsets } = sets ?? {};
  checkOffsets(offsets, checkRows('tokens', tokens, dimensions));
  const empty = offsets.findIndex((offset, i) => i > 0 && offset === offsets[i - 1]);
  if (empty > 0) throw outOfRange(`document ${empty - 1}`, 'of one token at least', 'none');
}

function searchOptions({ candidates, ef, allow }: MultiSearchPlan) {
  return {
    ef: Math.max(ef ?? Math.max(128, 2 * candidates), candidates),
    ...(allow && { allow }),
  };
}

/** Looks further: some candidates had just been deleted or are just being added. */
function widen(plan: MultiSearchPlan): MultiSearchPlan {
  return { ...plan, candidates: 2 * plan.candidates };
}
