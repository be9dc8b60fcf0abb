import { LeandexError } from '../base/errors.js';
import { type RunOptions, runSteps, type Steps } from '../base/steps.js';
import type { DocumentTokens } from '../fde/document-tokens.js';
import { FdeEncoder } from '../fde/encoder.js';
import type { ResolvedMulti } from '../fde/multi-options.js';
import type { PartedContainer } from '../format/container-writer.js';
import type { SearchResult } from '../graph/search.js';
import { WriteQueue } from '../graph/write-queue.js';
import { joinVectors, vectorsAt } from '../store/columns.js';
import type { VectorColumn } from '../store/types.js';
import { ALONE, type Crew, crewOf } from '../threads/crew.js';
import { hasThreads, PoolLease } from '../threads/pool.js';
import type { AllowedRows } from './allowed-rows.js';
import { BACKGROUND_THREADS } from './background.js';
import type { MultiConfig } from './config.js';
import { sharedFloats } from './copy-vectors.js';
import type { FieldStore, GraphField, IndexRows, MultivectorInfo } from './field.js';
import type { Beam, RowIndex } from './row-index.js';
import { unitRows } from './unit-rows.js';

/** Candidates that MaxSim ranks: so many for each result, and these at least. */
const CANDIDATES_EACH = 4;
const CANDIDATES_MIN = 100;
const CANDIDATES_MAX = 0x7fff_ffff;
/** Fewer tokens are encoded, and fewer numbers multiplied, before other threads would have heard of it. */
const CREW_TOKENS_MIN = 4096;
const CREW_PRODUCTS_MIN = 1 << 26;
/** Tokens of a query that are encoded at once: the encoding of all is the sum. */
const QUERY_TOKENS_AT_ONCE = 256;
/** A WebAssembly memory has 4 GiB; writes that are under way want to find room. */
const TOKEN_BYTES_MAX = 3 * 2 ** 30;

/** Tokens of several points, as a column has them. */
type Tokens = Required<Pick<VectorColumn, 'vectors' | 'offsets'>>;

/**
 * A field with several vectors a point, its tokens. The index is of one vector a row, the encoding of
 * its tokens, and gives candidates; MaxSim ranks them by the tokens, which are kept as codes. A row
 * has its tokens before it is in the index, and loses them first.
 */
export class MultiField implements GraphField {
  readonly config: MultiConfig;
  readonly index: RowIndex;
  readonly scoreMax = Number.POSITIVE_INFINITY;
  private readonly documents: DocumentTokens;
  private readonly encoder: FdeEncoder;
  private readonly pool = new PoolLease();
  /** An encoder does one thing at a time. */
  private readonly encoding = new WriteQueue();
  /** While tokens are being stored some have no row yet. */
  private readonly storing = new WriteQueue();
  /** Rankings under way, whose threads must not end before them. */
  private readonly ranking = new Set<Promise<unknown>>();
  private isClosed = false;

  constructor(
    config: MultiConfig,
    { fde }: ResolvedMulti,
    index: RowIndex,
    documents: DocumentTokens,
  ) {
    this.config = config;
    this.index = index;
    this.documents = documents;
    this.encoder = new FdeEncoder(fde, { shared: hasThreads() });
  }

  has(row: number): boolean {
    return this.index.has(row);
  }

  hasRoomFor(vectors: number): boolean {
    const { store } = this.documents;
    return store.bytes + vectors * store.recordBytes <= TOKEN_BYTES_MAX;
  }

  get multivector(): MultivectorInfo {
    const { store, tokenCount } = this.documents;
    return {
      ...this.config.multivector,
      fdeDimensions: this.encoder.dimensions,
      tokenBits: store.bits,
      tokens: tokenCount,
      tokenBytes: store.bytes,
    };
  }

  async add(
    rows: Uint32Array,
    { vectors, offsets }: Pick<VectorColumn, 'vectors' | 'offsets'>,
  ): Promise<void> {
    const tokens = { vectors: await this.comparable(vectors), offsets: offsets! };
    const encodings = await this.encode(tokens);
    await this.keep(rows, tokens, () => true);
    await this.index.add(rows, encodings);
  }

  async remove(rows: Iterable<number>): Promise<void> {
    const all = [...rows];
    this.documents.forget(all);
    await this.index.remove(all);
  }

  /** Also keeps the tokens of rows that it has none of. */
  async read(rows: Uint32Array, stored: FieldStore, signal?: AbortSignal): Promise<IndexRows> {
    const options = signal ? { signal } : {};
    const { size } = this.index.config;
    const found = new Uint32Array(rows.length);
    const encodings = sharedFloats(rows.length * size);
    let count = 0;
    for (let rest = rows; rest.length > 0; ) {
      const some = await stored.read(rest);
      const vectors = await this.comparable(some.vectors, options);
      const tokens = { vectors, offsets: some.offsets! };
      encodings.set(await this.encode(tokens, options), count * size);
      await this.keep(some.rows, tokens, (row) => stored.has(row), options);
      found.set(some.rows, count);
      count += some.rows.length;
      rest = some.rest;
    }
    return { rows: found.subarray(0, count), vectors: encodings.subarray(0, count * size) };
  }

  async search(
    query: Float32Array,
    k: number,
    { ef, rerank }: Beam,
    allowed: AllowedRows | undefined,
  ): Promise<SearchResult> {
    const tokens = await this.comparable(query);
    const encoding = await runSteps(this.queryEncoding(tokens));
    for (let wanted = candidatesFor(k, rerank); ; wanted = Math.min(CANDIDATES_MAX, 2 * wanted)) {
      const { ids } = await this.index.search(encoding, wanted, ef ? { ef } : {}, allowed);
      const best = await this.rank(tokens, ids, k);
      if (isEnough(best, k, ids, wanted)) return best;
    }
  }

  async searchBatch(
    queries: readonly Float32Array[],
    k: number,
    beam: Beam,
    allowed: AllowedRows | undefined,
  ): Promise<SearchResult[]> {
    const { ef, rerank } = beam;
    const wanted = candidatesFor(k, rerank);
    const comparable: Float32Array[] = [];
    const encodings: Float32Array[] = [];
    for (const query of queries) {
      const tokens = await this.comparable(query);
      comparable.push(tokens);
      encodings.push(await runSteps(this.queryEncoding(tokens)));
    }
    const found = await this.index.searchBatch(encodings, wanted, ef ? { ef } : {}, allowed);
    const results: SearchResult[] = [];
    for (const [i, { ids }] of found.entries()) {
      const best = await this.rank(comparable[i]!, ids, k);
      const isFound = isEnough(best, k, ids, wanted);
      results.push(isFound ? best : await this.search(queries[i]!, k, beam, allowed));
    }
    return results;
  }

  /** The k best candidates by MaxSim; those whose tokens are gone are left out. */
  private async rank(
    tokens: Float32Array,
    candidates: Uint32Array,
    k: number,
  ): Promise<SearchResult> {
    // A search of the index may have ended just before it was closed.
    if (this.isClosed) throw new LeandexError('CLOSED', 'the index is closed');
    const ranking = this.rankNow(tokens, candidates, k);
    this.ranking.add(ranking);
    try {
      return await ranking;
    } finally {
      this.ranking.delete(ranking);
    }
  }

  private async rankNow(
    tokens: Float32Array,
    candidates: Uint32Array,
    k: number,
  ): Promise<SearchResult> {
    const { documents } = this;
    const count = candidates.reduce((sum, row) => sum + documents.countOf(row), 0);
    const crew = await this.crewFor(tokens.length * count >= CREW_PRODUCTS_MIN);
    return runSteps(documents.rankSteps(tokens, candidates, k, crew));
  }

  /** Tokens so that their inner products are what is compared. */
  private async comparable(tokens: Float32Array, options: RunOptions = {}): Promise<Float32Array> {
    const { distance, size } = this.config;
    return distance === 'Cosine' ? runSteps(unitRows(tokens, size), options) : tokens;
  }

  private *queryEncoding(tokens: Float32Array): Steps<Float32Array> {
    const atOnce = QUERY_TOKENS_AT_ONCE * this.config.size;
    const sum = this.encoder.encodeQuery(tokens.subarray(0, atOnce));
    for (let from = atOnce; from < tokens.length; from += atOnce) {
      yield;
      const part = this.encoder.encodeQuery(tokens.subarray(from, from + atOnce));
      part.forEach((x, i) => {
        sum[i]! += x;
      });
    }
    return sum;
  }

  private encode({ vectors, offsets }: Tokens, options: RunOptions = {}): Promise<Float32Array> {
    return this.encoding.run(async () => {
      const crew = await this.crewFor(offsets.at(-1)! >= CREW_TOKENS_MIN);
      return runSteps(this.encoder.documentSteps(vectors, offsets, crew), options);
    });
  }

  private async crewFor(isLong: boolean): Promise<Crew> {
    if (!hasThreads() || !isLong) return ALONE;
    return crewOf(await this.pool.get(), BACKGROUND_THREADS);
  }

  /** Keeps the tokens of rows that it has none of, unless the rows have ended by then. */
  private keep(
    rows: Uint32Array,
    tokens: Tokens,
    isLive: (row: number) => boolean,
    options: RunOptions = {},
  ): Promise<void> {
    const { documents } = this;
    const { size } = this.config;
    return this.storing.run(async () => {
      const places = [...rows.keys()].filter((i) => !documents.has(rows[i]!));
      if (places.length === 0) return;
      let missing: Pick<VectorColumn, 'vectors' | 'offsets'> = tokens;
      if (places.length < rows.length) {
        const own = places.map((i) => vectorsAt(tokens, i, size));
        missing = joinVectors(own, { size, multi: true });
      }
      const { vectors, offsets } = missing;
      const slots = await runSteps(documents.store.addSteps(vectors, offsets!), options);
      documents.name(
        Uint32Array.from(places, (i) => rows[i]!),
        slots,
        isLive,
      );
    });
  }

  /** Gives what is to be saved of the tokens, which stays as it is until `save` resolves. */
  async saveTokens(
    save: (sections: Pick<PartedContainer, 'header' | 'sections'>) => Promise<void>,
  ): Promise<void> {
    const { documents } = this;
    const { sections, release } = await this.storing.run(async () => {
      const sections = documents.toSections();
      return { sections, release: documents.store.hold() };
    });
    try {
      await save(sections);
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.allSettled(this.ranking);
    await Promise.all([this.encoding.idle(), this.storing.idle()]);
    await this.index.close();
    await this.pool.release();
  }
}

function candidatesFor(k: number, rerank: number | undefined): number {
  const preset = Math.max(CANDIDATES_MIN, CANDIDATES_EACH * k);
  return Math.min(CANDIDATES_MAX, Math.max(k, rerank ?? preset));
}

/** Whether there are k results, or no more to find than was looked for. */
function isEnough(
  { ids }: SearchResult,
  k: number,
  candidates: Uint32Array,
  wanted: number,
): boolean {
  return ids.length === k || candidates.length < wanted || wanted === CANDIDATES_MAX;
}
