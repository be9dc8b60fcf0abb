import type { SearchResult } from '../graph/search.js';
import type { VectorColumn, VectorRows } from '../store/types.js';
import type { AllowedRows } from './allowed-rows.js';
import type { FieldConfig, Multivector } from './config.js';
import type { Beam, RowIndex } from './row-index.js';

/** The stored vectors of a field. */
export interface FieldStore {
  /** Those of some rows, as `StoredCollection.readVectors` gives them. */
  read(rows: Uint32Array): Promise<VectorRows>;
  /** Whether a row lives and has this field. */
  has(row: number): boolean;
}

/** One vector for each of some rows, ascending; in memory that threads share. */
export interface IndexRows {
  rows: Uint32Array;
  vectors: Float32Array;
}

/** What a field with several vectors a point keeps in memory, besides the index of encodings. */
export interface MultivectorInfo extends Multivector {
  /** Numbers of the encoding that stands for a point. */
  fdeDimensions: number;
  /** Bits a number of the vectors in memory, how many vectors there are, and their bytes. */
  tokenBits: number;
  tokens: number;
  tokenBytes: number;
}

/**
 * A field of a collection as it is in memory, by row. What it has of a row is made of what is stored,
 * and never changes: rows are names for ever.
 */
export interface Field {
  readonly config: FieldConfig;
  /** The vectors, or one for each row that stands for its several. */
  readonly index: RowIndex;
  /** No score is higher, but for the errors of codes. */
  readonly scoreMax: number;
  readonly multivector: MultivectorInfo | undefined;
  /** Whether there is memory for so many vectors more besides the index. */
  hasRoomFor(vectors: number): boolean;
  /** Takes in new rows: the i-th has the i-th of the vectors, or several by offsets. */
  add(rows: Uint32Array, vectors: Pick<VectorColumn, 'vectors' | 'offsets'>): Promise<void>;
  /** From now on none of the rows is found. Resolves when the graph is mended where that was due. */
  remove(rows: Iterable<number>): Promise<void>;
  /** Reads stored rows: what the index is to have of those that are there. */
  read(rows: Uint32Array, stored: FieldStore, signal?: AbortSignal): Promise<IndexRows>;
  /** The k best rows, best first. */
  search(
    query: Float32Array,
    k: number,
    beam: Beam,
    allowed: AllowedRows | undefined,
  ): Promise<SearchResult>;
  /** The same for many queries; one result for each. */
  searchBatch(
    queries: readonly Float32Array[],
    k: number,
    beam: Beam,
    allowed: AllowedRows | undefined,
  ): Promise<SearchResult[]>;
  close(): Promise<void>;
}
