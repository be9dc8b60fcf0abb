import type { PointId } from '../base/point-id.js';
import type { GeoArea } from './geo.js';
import type { Interval } from './interval.js';
import type { Path } from './path.js';
import type { Slice } from './slice.js';
import type { Tokenizer } from './tokens.js';

/**
 * A filter after parsing: checked, its paths and times read, its lists made sets. Plain data, which
 * other threads can be sent.
 */
export interface ParsedFilter {
  must: ParsedCondition[];
  should: ParsedCondition[];
  mustNot: ParsedCondition[];
  minShould: { conditions: ParsedCondition[]; minCount: number } | undefined;
}

export type ParsedCondition =
  | { kind: 'filter'; filter: ParsedFilter }
  | { kind: 'has_id'; ids: ReadonlySet<PointId> }
  | { kind: 'has_vector'; name: string }
  | { kind: 'slice'; slice: Slice }
  /** Some object among the elements at the path matches; paths in the filter start there. */
  | { kind: 'nested'; path: Path; filter: ParsedFilter }
  | ParsedFieldCondition;

export interface ParsedFieldCondition {
  kind: 'field';
  path: Path;
  /** The whole path as text, that of enclosing `nested` conditions included: names the index. */
  field: string;
  test: FieldTest;
}

/** What is asked of the values at a path. */
export type FieldTest =
  | ValueTest
  | { kind: 'is_empty' }
  | { kind: 'is_null' }
  | { kind: 'values_count'; interval: Interval };

/** What is asked of one value; some value at the path must pass. */
export type ValueTest =
  | { kind: 'any'; values: ReadonlySet<Scalar> }
  | { kind: 'except'; values: ReadonlySet<Scalar> }
  | { kind: 'prefix'; prefix: string }
  | { kind: 'range'; interval: Interval }
  /** In microseconds since 1970. */
  | { kind: 'datetime'; interval: Interval }
  | { kind: 'geo'; area: GeoArea }
  | TextTest;

/** Integers that no number of a payload can equal are left out of sets. */
export type Scalar = string | number | boolean;

export type TextTest =
  /** Without a text index: `all` and `phrase` look for the text, `any` for one of its words. */
  | { kind: 'substring'; texts: readonly string[] }
  | {
      kind: 'tokens';
      mode: 'all' | 'any' | 'phrase';
      tokens: readonly string[];
      tokenizer: Tokenizer;
    };
