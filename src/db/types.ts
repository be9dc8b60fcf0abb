import type { PointId } from '../base/point-id.js';
import type { Filter, Payload } from '../filter/types.js';

export type { FieldSchema, FieldType } from '../filter/field-schema.js';
export type { Condition, FieldCondition, Filter, Match, Payload } from '../filter/types.js';
export type { Durability, Originals } from '../store/types.js';

/** A vector, as numbers or ready as float32. */
export type Vector = Float32Array | readonly number[];

/** Several vectors that are compared as one: one by one, or as rows of one matrix. */
export type MultiVector = readonly Vector[] | Float32Array;

/** The vectors of a point: one, several that are compared as one, or some of the named ones. */
export type Vectors =
  | Vector
  | MultiVector
  | { readonly [name: string]: Vector | MultiVector | undefined };

/** A vector as it is stored; an array where there are several that are compared as one. */
export type StoredVector = Float32Array | Float32Array[];

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
  vector?: StoredVector | Record<string, StoredVector> | undefined;
}

/** A result of a query, best first. */
export interface Hit extends StoredRecord {
  /**
   * Similarity for Cosine and Dot (larger is better), distance for Euclid (smaller is better); with
   * `multivector` MaxSim, the sum of the similarities of the query's vectors.
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

/** What all reads by distance share. */
export interface SearchOptions {
  filter?: Filter | undefined;
  /** Which of the named vectors to search by. */
  using?: string | undefined;
  /** Only results at least as good as this score. */
  scoreThreshold?: number | undefined;
  /** Beam width of the graph search; see `LeanIndex.search`. */
  ef?: number | undefined;
  /**
   * How many of the beam are ranked anew by the full-dimensional codes; with `multivector` how many
   * candidates are ranked by MaxSim, by default max(100, 4 times what is wanted).
   */
  rerank?: number | undefined;
  /** Ranks the best candidates (four times what is wanted) by their stored originals. */
  rescore?: 'exact' | undefined;
  /** Compares with every stored original: exact, and slow for large collections. */
  exact?: boolean | undefined;
  signal?: AbortSignal | undefined;
}

/** What to look for: a vector (or several), or the vector of a point, which is then not among the results. */
export type QueryTarget =
  | { vector: Vector | MultiVector; id?: never }
  | { id: PointId; vector?: never };

export type Query = QueryTarget &
  SearchOptions &
  Selection & {
    /** Results wanted. Default 10. */
    limit?: number | undefined;
    /** Results left out before them. Default 0. */
    offset?: number | undefined;
  };

export type GroupQuery = QueryTarget &
  SearchOptions &
  Selection & {
    /** Payload field whose strings and integers name the groups. */
    groupBy: string;
    /** Groups wanted. Default 10. */
    limit?: number | undefined;
    /** Results in each. Default 3. */
    groupSize?: number | undefined;
  };

export interface Group {
  id: string | number;
  hits: Hit[];
}

export interface Scroll extends Selection {
  filter?: Filter | undefined;
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
