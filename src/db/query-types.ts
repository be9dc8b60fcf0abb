import type { PointId } from '../base/point-id.js';
import type { Filter } from '../filter/types.js';
import type { MultiVector, Selection, SparseVector, Vector } from './types.js';

/** How the results of several searches become one list; its formulas are in docs/collections.md. */
export type Fusion =
  | 'rrf'
  | 'dbsf'
  | {
      /** By reciprocal ranks: `k` is 2 unless given; a weight for each of the prefetches, by default 1. */
      rrf: { k?: number | undefined; weights?: readonly number[] | undefined };
    };

/** The order of a payload field that has an index of type `integer`, `float` or `datetime`. */
export type OrderBy =
  | string
  | {
      field: string;
      /** Default: `asc`. */
      direction?: 'asc' | 'desc' | undefined;
      /** The first value: a number, or an instant as RFC 3339 text. */
      startFrom?: number | string | undefined;
    };

/** Maximal marginal relevance: results that are near to what was asked for, and far from each other. */
export interface Mmr {
  /** 0 looks at relevance alone, 1 at diversity alone. Default 0.5. */
  diversity?: number | undefined;
  /** The best points to choose from. Default: 4 times what is wanted, at most 16,384. */
  candidates?: number | undefined;
}

/** Words that are looked for in the texts of a field with a text index (`createTextIndex`). */
export interface TextQuery {
  field: string;
  /** Words; a word that the index splits, such as `e-mail`, is looked for as a phrase. */
  match: string;
  /** Whether one of the words is enough, all must be there, or in this order. Default: `any`. */
  operator?: 'any' | 'all' | 'phrase' | undefined;
  /** Whether each word (of a phrase the last) may be the beginning of a longer one. Default: false. */
  prefix?: boolean | undefined;
}

interface Targets {
  /** Points near to this vector (or these). */
  vector: Vector | MultiVector | SparseVector;
  /** Points near to the vector of this one, which is then not among the results. */
  id: PointId;
  /** What `prefetch` found, as one list. */
  fusion: Fusion;
  /** Points in the order of a payload field. */
  orderBy: OrderBy;
  /** Points whose texts have these words, by BM25. */
  text: TextQuery;
}

type Only<K extends keyof Targets> = Pick<Targets, K> & {
  [Other in Exclude<keyof Targets, K>]?: undefined;
};

/** What to look for: one of these. */
export type QueryTarget = { [K in keyof Targets]: Only<K> }[keyof Targets];

/** What all queries share. */
export interface SearchOptions {
  filter?: Filter | undefined;
  /**
   * Searches whose results are the candidates of this one, up to 8 deep: they are fused, or ranked anew
   * by their stored vectors, or ordered. The filter holds for them too.
   */
  prefetch?: readonly Prefetch[] | undefined;
  /** Which of the named vectors to search by. */
  using?: string | undefined;
  /** Only results at least as good as this score. */
  scoreThreshold?: number | undefined;
  /** Results that differ from each other. */
  mmr?: Mmr | undefined;
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

/** A search whose results are the candidates of another. */
export type Prefetch = QueryTarget &
  Omit<SearchOptions, 'signal'> & {
    /** Results wanted. Default 10. */
    limit?: number | undefined;
  };

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
