import type { PointId } from '../base/point-id.js';
import type { Filter, Payload } from '../filter/types.js';
import type { OrderBy } from './query-types.js';
import type { SparseVector } from './sparse-vectors.js';

export type { FieldSchema, FieldType } from '../filter/field-schema.js';
export type { Condition, FieldCondition, Filter, Match, Payload } from '../filter/types.js';
export type { TextIndexOptions, TextTokenizer } from '../store/text-tables.js';
export type { Durability, Originals } from '../store/types.js';
export type { SparseVector } from './sparse-vectors.js';

/** A vector, as numbers or ready as float32. */
export type Vector = Float32Array | readonly number[];

/** Several vectors that are compared as one: one by one, or as rows of one matrix. */
export type MultiVector = readonly Vector[] | Float32Array;

/** The vectors of a point: one, several that are compared as one, or some of the named ones. */
export type Vectors =
  | Vector
  | MultiVector
  | { readonly [name: string]: Vector | MultiVector | SparseVector | undefined };

/** A vector as it is stored; an array where there are several that are compared as one. */
export type StoredVector = Float32Array | Float32Array[];

/** A sparse vector as it is stored, by ascending index. */
export interface StoredSparseVector {
  indices: Uint32Array;
  values: Float32Array;
}

/** What upsert() writes. */
export interface Point {
  id: PointId;
  /** Required where the collection has one vector; with named vectors any of them may be absent. */
  vector?: Vectors | undefined;
  /** A JSON object. */
  payload?: Payload | object | null | undefined;
}

/** A stored point, with what was asked for. */
export interface StoredRecord {
  id: PointId;
  payload?: Payload | null | undefined;
  vector?: StoredVector | Record<string, StoredVector | StoredSparseVector> | undefined;
  /** In the order of a payload field, its value: a number, or an instant in microseconds since 1970. */
  orderValue?: number | undefined;
}

/** A result of a query, best first. */
export interface Hit extends StoredRecord {
  /**
   * Similarity for Cosine and Dot (larger is better), distance for Euclid (smaller is better); with
   * `multivector` MaxSim, the sum of the similarities of the query's vectors; of `fusion` the fused
   * score; 0 in the order of a payload field.
   */
  score: number;
}

/** Which points a write is about. */
export type Target = readonly PointId[] | { filter: Filter };

/** What a write did. */
export interface WriteResult {
  /** Number of this operation among the collection's writes. */
  version: number;
  /** Points written or changed. */
  count: number;
}

/** Which part of the payloads to return: all, none, some paths, or all but some. */
export type PayloadSelection =
  | boolean
  | readonly string[]
  | { include: readonly string[] }
  | { exclude: readonly string[] };

export interface Selection {
  /** Default: true. */
  withPayload?: PayloadSelection | undefined;
  /** All vectors, none, or those with these names. Default: false. */
  withVector?: boolean | readonly string[] | undefined;
}

export interface Group {
  id: string | number;
  hits: Hit[];
}

export interface Scroll extends Selection {
  filter?: Filter | undefined;
  /**
   * The order of a payload field instead of that of ids. There is no `offset` and no `next` then: the
   * next page is what comes from the last value on, without the points seen, or a `query`.
   */
  orderBy?: OrderBy | undefined;
  /** Points of a page. Default 10. */
  limit?: number | undefined;
  /** Id of the first point of the page: what `next` of the page before was. */
  offset?: PointId | undefined;
  signal?: AbortSignal | undefined;
}

export interface Page {
  points: StoredRecord[];
  /** Where the next page begins; null where this is the last. */
  next: PointId | null;
}

export interface FacetCount {
  value: string | number | boolean;
  count: number;
}
