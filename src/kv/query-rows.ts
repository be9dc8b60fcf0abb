import { checkFinite, checkInteger, checkOptions } from '../base/check.js';
import { wrongDimension, wrongType } from '../base/errors.js';
import { checkBetween, type ResolvedKv } from './options.js';
import { type Rope, type Rotation, resolveRope, rotate } from './rope.js';
import { TOKENS_MAX, widthOf } from './shape.js';

export interface KvQueries {
  layer: number;
  /** [m, queryHeads · headDim] before RoPE, queryHeads a multiple of kvHeads. */
  queries: Float32Array;
  /** Position of each query: it sees the tokens up to its own. */
  positions: ArrayLike<number>;
  /** How queries and keys are rotated. Default: not at all. */
  rope?: Rope;
  /** What scores are multiplied by. Default headDim^−½. */
  scale?: number;
}

export const KV_QUERIES = [
  'layer',
  'queries',
  'positions',
  'rope',
  'scale',
] as const satisfies readonly (keyof KvQueries)[];

export interface ResolvedQueries {
  readonly layer: number;
  readonly queries: Float32Array;
  readonly positions: readonly number[];
  readonly queryHeads: number;
  readonly rotation: Rotation;
  readonly scale: number;
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH` */
export function resolveQueries(
  what: string,
  request: KvQueries,
  options: ResolvedKv,
): ResolvedQueries {
  checkOptions(what, request, KV_QUERIES);
  const { queries } = request;
  const { headDim } = options;
  const layer = checkInteger('layer', request.layer, 0, options.layers - 1);
  if (!(queries instanceof Float32Array)) throw wrongType('queries', 'a Float32Array', queries);
  const given = request.positions as ArrayLike<number> | null | undefined;
  if (typeof given?.length !== 'number') {
    throw wrongType('positions', 'an array of positions', request.positions);
  }
  const positions = Array.from(given, (position, i) =>
    checkInteger(`positions[${i}]`, position, 0, TOKENS_MAX),
  );
  const count = Math.max(1, positions.length);
  const size = widthOf(options) * count;
  const isEmpty = queries.length === 0;
  if (queries.length % size !== 0 || isEmpty !== (positions.length === 0)) {
    const expected = `a multiple of ${size}: ${positions.length} positions of ${widthOf(options)}`;
    throw wrongDimension('queries', expected, queries.length);
  }
  checkFinite('queries', queries, Math.max(1, queries.length / count));
  return {
    layer,
    queries,
    positions,
    queryHeads: queries.length / (count * headDim),
    rotation: resolveRope(request.rope, headDim),
    scale: checkBetween('scale', request.scale ?? headDim ** -0.5, 1e-6, 1e6),
  };
}

/** A row of queries: one head of one query. */
export interface QueryRow {
  readonly position: number;
  /** First number of its kv head among those of a token. */
  readonly first: number;
  /** First number of the head among all queries. */
  readonly at: number;
}

/** The heads of queries as rows of headDim numbers, rotated and scaled; those of a kv head together. */
export interface QueryRows {
  readonly numbers: Float32Array;
  readonly rows: readonly QueryRow[];
}

export function queryRows(request: ResolvedQueries, { kvHeads, headDim }: ResolvedKv): QueryRows {
  const { queries, positions, queryHeads, rotation, scale } = request;
  const group = queryHeads / kvHeads;
  const numbers = new Float32Array(queries.length);
  const rows: QueryRow[] = [];
  for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
    for (const [query, position] of positions.entries()) {
      for (let i = 0; i < group; i++) {
        const at = (query * queryHeads + kvHead * group + i) * headDim;
        const to = rows.length * headDim;
        for (let j = 0; j < headDim; j++) numbers[to + j] = queries[at + j]! * scale;
        rotate(rotation, numbers, to, position);
        rows.push({ position, first: kvHead * headDim, at });
      }
    }
  }
  return { numbers, rows };
}

/** Rows that go through a cache together. */
const ROWS_MAX = 128;

/** Parts of some queries, in order, whose rows go through a cache together. */
export function* partsOfQueries(
  request: ResolvedQueries,
  headDim: number,
): Generator<ResolvedQueries & { first: number }> {
  const { queries, positions, queryHeads } = request;
  const size = queryHeads * headDim;
  const count = Math.max(1, Math.floor(ROWS_MAX / Math.max(1, queryHeads)));
  for (let first = 0; first < positions.length; first += count) {
    const end = Math.min(positions.length, first + count);
    yield {
      ...request,
      first,
      queries: queries.subarray(first * size, end * size),
      positions: positions.slice(first, end),
    };
  }
}
