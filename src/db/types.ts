import type { PointId } from '../base/point-id.js';
import type { Filter, Payload } from '../filter/types.js';

export type { FieldSchema, FieldType } from '../filter/field-schema.js';
export type { Condition, FieldCondition, Filter, Match, Payload } from '../filter/types.js';
export type { Durability, Originals } from '../store/types.js';

/** A vector, as numbers or ready as float32. */
export type Vector = Float32Array | readonly number[];

/** The vectors of a point: one, or some of the named ones. */
export type Vectors = Vector | { readonly [name: string]: Vector | undefined };

/** What upsert() writes. */
export interface Point {
  id: PointId;
  /** Required where the collection has one vector; with named vectors any of them may be absent. */
  vector?: Vectors;
  /** A JSON object. */
  payload?: Payload | null;
}

/** A stored point, with what was asked for. */
export interface StoredRecord {
  id: PointId;
  payload?: Payload | null;
  vector?: Float32Array | Record<string, Float32Array>;
}

/** A result of a query, best first. */
export interface Hit extends StoredRecord {
  /** Similarity for Cosine and Dot (larger is better), distance for Euclid (smaller is better). */
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
  withPayload?: PayloadSelection;
  /** All vectors, none, or those with these names. Default: false. */
  withVector?: boolean | readonly string[];
}

/** What all reads by distance share. */
export interface SearchOptions {
  filter?: Filter;
  /** Which of the named vectors to search by. */
  using?: string;
  /** Only results at least as good as this score. */
  scoreThreshold?: number;
  /** Beam width of the graph search; see `LeanIndex.search`. */
  ef?: number;
  /** How many of the beam are ranked anew by the full-dimensional codes. */
  rerank?: number;
  /** Ranks the best candidates (four times what is wanted) by their stored originals. */
  rescore?: 'exact';
  /** Compares with every stored original: exact, and slow for large collections. */
  exact?: boolean;
  signal?: AbortSignal;
}

/** What to look for: a vector, or the vector of a point, which is then not among the results. */
export type QueryTarget = { vector: Vector; id?: never } | { id: PointId; vector?: never };

export type Query = QueryTarget &
  SearchOptions &
  Selection & {
    /** Results wanted. Default 10. */
    limit?: number;
    /** Results left out before them. Default 0. */
    offset?: number;
  };

export type GroupQuery = QueryTarget &
  SearchOptions &
  Selection & {
    /** Payload field whose strings and integers name the groups. */
    groupBy: string;
    /** Groups wanted. Default 10. */
    limit?: number;
    /** Results in each. Default 3. */
    groupSize?: number;
  };

export interface Group {
  id: string | number;
  hits: Hit[];
}

export interface Scroll extends Selection {
  filter?: Filter;
  /** Points of a page. Default 10. */
  limit?: number;
  /** Id of the first point of the page: what `next` of the page before was. */
  offset?: PointId;
  signal?: AbortSignal;
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
