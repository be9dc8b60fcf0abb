import { type RunOptions, runSteps, throwIfAborted, turnIfDue } from '../base/steps.js';
import { vectorsAt } from '../store/columns.js';
import type { VectorColumn, VectorRows } from '../store/types.js';
import type { SparseConfig } from './config.js';
import type { FieldBase, Filler, RowScores } from './field.js';
import type { Beam } from './row-index.js';
import { SparsePostings } from './sparse-postings.js';
import { PAIR_NUMBERS } from './sparse-vectors.js';

const ROWS_PER_READ = 4096;
/** Rows that come or go between two looks at the time. */
const ROWS_PER_STEP = 64;

/** A field of sparse vectors: an inverted index in memory, made of what is stored on opening. */
export class SparseField implements FieldBase {
  readonly config: SparseConfig;
  readonly scoreMax = Number.POSITIVE_INFINITY;
  readonly postings = new SparsePostings();

  constructor(config: SparseConfig) {
    this.config = config;
  }

  has(row: number): boolean {
    return this.postings.has(row);
  }

  hasRoomFor(): boolean {
    return true;
  }

  async add(rows: Uint32Array, column: Pick<VectorColumn, 'vectors' | 'offsets'>): Promise<void> {
    for (const [i, row] of rows.entries()) {
      if (!this.has(row)) this.postings.add(row, vectorsAt(column, i, PAIR_NUMBERS));
      if (i % ROWS_PER_STEP === 0) await turnIfDue();
    }
  }

  async remove(rows: Iterable<number>): Promise<void> {
    for (const row of [...rows]) this.postings.remove(row);
  }

  search(
    query: Float32Array,
    k: number,
    _beam: Beam,
    allowed: { has(row: number): boolean } | undefined,
  ): Promise<RowScores> {
    const { modifier } = this.config.sparse;
    const isAllowed = (row: number) => allowed?.has(row) ?? true;
    return runSteps(this.postings.search(query, k, modifier, isAllowed));
  }

  async searchBatch(
    queries: readonly Float32Array[],
    k: number,
    beam: Beam,
    allowed: { has(row: number): boolean } | undefined,
  ): Promise<RowScores[]> {
    const results: RowScores[] = [];
    for (const query of queries) results.push(await this.search(query, k, beam, allowed));
    return results;
  }

  /** @param read gives stored rows, as many as are enough for once */
  filler(read: (rows: Uint32Array) => Promise<VectorRows>): Filler {
    return {
      take: async (rows: Uint32Array, { signal }: RunOptions) => {
        for (let from = 0; from < rows.length; from += ROWS_PER_READ) {
          for (let rest = rows.subarray(from, from + ROWS_PER_READ); rest.length > 0; ) {
            throwIfAborted(signal);
            const found = await read(rest);
            await this.add(found.rows, found);
            rest = found.rest;
          }
        }
      },
    };
  }

  async close(): Promise<void> {}
}
