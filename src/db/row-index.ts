import { turnIfDue } from '../base/steps.js';
import { LeanIndex } from '../graph/lean-index.js';
import type { BatchSearchResult, SearchResult } from '../graph/search.js';
import type { AllowedRows } from './allowed-rows.js';
import type { IndexConfig } from './config.js';

/** Numbers that are compared at once, without handing the search to another thread: some 20 µs. */
const INLINE_NUMBERS_MAX = 1 << 16;
/** More than the new vectors may be: they never become a graph by themselves. */
const NEVER = 1_000_000;

/**
 * Rows that are held as float32 until the graph takes them: 400,000, and a gigabyte. Further writes
 * wait for it beyond.
 */
export function freshRowsMax(size: number): number {
  return Math.min(400_000, Math.floor(2 ** 30 / (4 * size)));
}

/** How to search: beam width and re-rank depth, as of `LeanIndex.search`. */
export interface Beam {
  ef?: number;
  rerank?: number;
}

/** The index that new vectors go to: float32, scanned. */
export function freshIndex({ size, distance }: IndexConfig): Promise<LeanIndex> {
  const none = new Float32Array(0);
  return LeanIndex.build(none, { dimensions: size, distance, exactBelow: NEVER });
}

/**
 * Vectors of one field of a collection by row, one each: a graph where there are many, and beside it
 * those that are too new for it, compared exactly. The indexer moves them (indexer.ts).
 */
export class RowIndex {
  readonly config: IndexConfig;
  readonly fresh: LeanIndex;
  /** Undefined while there are few vectors. */
  graph: LeanIndex | undefined;
  /** Grows whenever rows come to an index, where translated row sets would miss them. */
  stamp = 0;
  /** Grows whenever rows leave an index for another, where a search that had begun may miss them. */
  moves = 0;

  constructor(config: IndexConfig, fresh: LeanIndex, graph: LeanIndex | undefined) {
    this.config = config;
    this.fresh = fresh;
    this.graph = graph;
  }

  /** Rows that a search can find; one that is being moved counts twice. */
  get count(): number {
    return this.fresh.count + (this.graph?.count ?? 0);
  }

  async add(rows: Uint32Array, vectors: Float32Array): Promise<void> {
    await this.fresh.add(vectors, { ids: rows });
    this.stamp++;
  }

  /** From now on none of the rows is found. Resolves when the graph is mended where that was due. */
  async remove(rows: Iterable<number>): Promise<void> {
    const { fresh, graph } = this;
    const all = [...rows];
    const repairs = [fresh, graph].map(async (index) => {
      const there = index === undefined ? [] : all.filter((row) => index.has(row));
      if (there.length > 0) await index!.delete(there);
    });
    await Promise.all(repairs);
  }

  /** The k nearest rows, best first. */
  async search(
    query: Float32Array,
    k: number,
    beam: Beam,
    allowed: AllowedRows | undefined,
  ): Promise<SearchResult> {
    const { fresh } = this;
    for (;;) {
      await turnIfDue();
      const isInline = (index: LeanIndex) =>
        index === fresh && index.count * query.length <= INLINE_NUMBERS_MAX;
      const found = await this.searchParts(async (index) => {
        const options = this.optionsFor(index, beam, allowed);
        if (isInline(index)) return index.search(query, k, options);
        return index.searchAsync(query, k, options);
      });
      if (found !== undefined) return found.length === 1 ? found[0]! : this.merge(found, k);
    }
  }

  /** The same for many queries; one result for each. */
  async searchBatch(
    queries: readonly Float32Array[],
    k: number,
    beam: Beam,
    allowed: AllowedRows | undefined,
  ): Promise<SearchResult[]> {
    const { size } = this.config;
    const matrix = new Float32Array(queries.length * size);
    queries.forEach((query, i) => {
      matrix.set(query, i * size);
    });
    for (;;) {
      const found = await this.searchParts(async (index) =>
        index.searchBatch(matrix, k, this.optionsFor(index, beam, allowed)),
      );
      if (found === undefined) continue;
      return queries.map((_, i) =>
        this.merge(
          found.map((part) => rowOf(part, i)),
          k,
        ),
      );
    }
  }

  /** What each index gives; undefined where rows left one for another meanwhile, which may miss them. */
  private async searchParts<T>(search: (index: LeanIndex) => Promise<T>): Promise<T[] | undefined> {
    const { moves } = this;
    try {
      const found = await Promise.all(this.parts().map(search));
      return this.moves === moves ? found : undefined;
    } catch (error) {
      // An index that another took the place of is closed.
      if (this.moves !== moves) return undefined;
      throw error;
    }
  }

  /** Whether a row is in one of the indexes. */
  has(row: number): boolean {
    return this.fresh.has(row) || this.graph?.has(row) === true;
  }

  /** The indexes that hold something. */
  private parts(): LeanIndex[] {
    return [this.graph, this.fresh]
      .filter((index) => index !== undefined)
      .filter(({ count }) => count > 0);
  }

  private optionsFor(index: LeanIndex, beam: Beam, allowed: AllowedRows | undefined) {
    return { ...beam, ...(allowed && { allow: allowed.in(index, this.stamp) }) };
  }

  /** The k best of several results; a row that is being moved may be in two of them. */
  private merge(parts: readonly SearchResult[], k: number): SearchResult {
    const sign = this.config.distance === 'Euclid' ? 1 : -1;
    const hits = parts.flatMap(({ ids, scores }) =>
      Array.from(ids, (row, i) => ({ row, score: scores[i]! })),
    );
    hits.sort((a, b) => sign * (a.score - b.score) || a.row - b.row);
    const seen = new Set<number>();
    const best = hits.filter(({ row }) => !seen.has(row) && seen.add(row)).slice(0, k);
    return {
      ids: Uint32Array.from(best, ({ row }) => row),
      scores: Float32Array.from(best, ({ score }) => score),
    };
  }

  async close(): Promise<void> {
    await Promise.all([this.fresh.close(), this.graph?.close()]);
  }
}

function rowOf({ ids, scores, k }: BatchSearchResult, i: number): SearchResult {
  return { ids: ids.subarray(i * k, (i + 1) * k), scores: scores.subarray(i * k, (i + 1) * k) };
}
