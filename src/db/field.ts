import type { RunOptions } from '../base/steps.js';
import type { VectorColumn, VectorRows } from '../store/types.js';
import type { AllowedRows } from './allowed-rows.js';
import type { FieldConfig, MultiConfig, Multivector, SingleConfig } from './config.js';
import type { Beam, RowIndex } from './row-index.js';
import type { SparseField } from './sparse-field.js';

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

/** Rows with their scores, best first. */
export interface RowScores {
  ids: Uint32Array;
  scores: Float32Array | Float64Array;
}

/**
 * A field of a collection as it is in memory, by row. What it has of a row is made of what is stored,
 * and never changes: rows are names for ever.
 */
export interface FieldBase {
  readonly config: FieldConfig;
  /** No score is higher, but for the errors of codes. */
  readonly scoreMax: number;
  /** Whether a row's vectors are in it. */
  has(row: number): boolean;
  /** Whether there is memory for so many vectors more besides the index. */
  hasRoomFor(vectors: number): boolean;
  /** Takes in new rows: the i-th has the i-th of the vectors, or several by offsets. */
  add(rows: Uint32Array, vectors: Pick<VectorColumn, 'vectors' | 'offsets'>): Promise<void>;
  /** From now on none of the rows is found. Resolves when the graph is mended where that was due. */
  remove(rows: Iterable<number>): Promise<void>;
  /** The k best rows, best first. */
  search(
    query: Float32Array,
    k: number,
    beam: Beam,
    allowed: AllowedRows | undefined,
  ): Promise<RowScores>;
  /** The same for many queries; one result for each. */
  searchBatch(
    queries: readonly Float32Array[],
    k: number,
    beam: Beam,
    allowed: AllowedRows | undefined,
  ): Promise<RowScores[]>;
  close(): Promise<void>;
}

/** A field of dense vectors, which a graph indexes. */
export interface GraphField extends FieldBase {
  readonly config: SingleConfig | MultiConfig;
  /** The vectors, or one for each row that stands for its several. */
  readonly index: RowIndex;
  readonly multivector: MultivectorInfo | undefined;
  /** Reads stored rows: what the index is to have of those that are there. */
  read(rows: Uint32Array, stored: FieldStore, signal?: AbortSignal): Promise<IndexRows>;
}

export type Field = GraphField | SparseField;

/** Fills a field with stored rows that it has not. */
export interface Filler {
  take(rows: Uint32Array, options: RunOptions): Promise<void>;
}
