import { checkFinite, checkInteger, checkOptions } from '../base/check.js';
import { wrongDimension, wrongType } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import { checkBetween, type ResolvedKv } from './options.js';
import { type Rope, type Rotation, resolveRope, rotate } from './rope.js';
import {
  movePosition,
  type StagedLayer,
  stageLayerSteps,
  stageRotated,
  stageUnrotated,
} from './scan.js';
import { exactRows, type KvSegment, streamOf } from './segment.js';
import { TOKENS_MAX, widthOf } from './shape.js';
import { type KvStream, TILE } from './stream.js';
import { withKernels } from './work-kernels.js';

/** Tokens that are scored at a time. */
const CHUNK = 16 * TILE;
/** Rows of queries (a head of a query each) that go through the cache together. */
const ROWS_MAX = 128;

export interface AttendRequest {
  layer: number;
  /** [m, queryHeads · headDim] before RoPE, queryHeads a multiple of kvHeads. */
  queries: Float32Array;
  /** Position of each query: it attends to tokens up to its own. */
  positions: ArrayLike<number>;
  /** How queries and keys are rotated. Default: not at all. */
  rope?: Rope;
  /** What scores are multiplied by. Default headDim^−½. */
  scale?: number;
}

const REQUEST = [
  'layer',
  'queries',
  'positions',
  'rope',
  'scale',
] as const satisfies readonly (keyof AttendRequest)[];

interface ResolvedRequest {
  readonly layer: number;
  readonly queries: Float32Array;
  readonly positions: readonly number[];
  readonly queryHeads: number;
  readonly rotation: Rotation;
  readonly scale: number;
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH` */
export function resolveRequest(request: AttendRequest, options: ResolvedKv): ResolvedRequest {
  checkOptions('attend', request, REQUEST);
  const { queries } = request;
  const { kvHeads, headDim } = options;
  const layer = checkInteger('layer', request.layer, 0, options.layers - 1);
  if (!(queries instanceof Float32Array)) throw wrongType('queries', 'a Float32Array', queries);
  const given = request.positions as ArrayLike<number> | null | undefined;
  if (typeof given?.length !== 'number') {
    throw wrongType('positions', 'an array of positions', request.positions);
  }
  const positions = Array.from(given, (position, i) =>
    checkInteger(`positions[${i}]`, position, 0, TOKENS_MAX),
  );
  const size = widthOf(options) * Math.max(1, positions.length);
  if (queries.length % size !== 0 || (queries.length === 0) !== (positions.length === 0)) {
    const expected = `a multiple of ${size}: ${positions.length} positions, ${kvHeads} kv heads`;
    throw wrongDimension('queries', expected, queries.length);
  }
  checkFinite('queries', queries, Math.max(1, queries.length / Math.max(1, positions.length)));
  return {
    layer,
    queries,
    positions,
    queryHeads: queries.length / (Math.max(1, positions.length) * headDim),
    rotation: resolveRope(request.rope, headDim),
    scale: checkBetween('scale', request.scale ?? headDim ** -0.5, 1e-6, 1e6),
  };
}

/** A cache as attending sees it. */
export interface AttendedCache {
  readonly options: ResolvedKv;
  readonly segments: readonly KvSegment[];
  readonly tokens: number;
}

/**
 * Causal attention: softmax(scale · q kᵀ) v for each head of each query, of the shape of the queries;
 * 0 for queries that no token is before. The cache goes through a fixed memory, a chunk of tokens at
 * a time, with an online softmax (FlashAttention, arXiv 2205.14135).
 */
export function* attendSteps(cache: AttendedCache, request: AttendRequest): Steps<Float32Array> {
  const resolved = resolveRequest(request, cache.options);
  const { queries, positions, queryHeads } = resolved;
  const out = new Float32Array(queries.length);
  const size = queryHeads * cache.options.headDim;
  const perPass = Math.max(1, Math.floor(ROWS_MAX / Math.max(1, queryHeads)));
  for (let first = 0; first < positions.length; first += perPass) {
    const end = Math.min(positions.length, first + perPass);
    const part = {
      ...resolved,
      queries: queries.subarray(first * size, end * size),
      positions: positions.slice(first, end),
    };
    const found = yield* withKernels((kernels) => new Pass(kernels, cache, part).runSteps());
    out.set(found, first * size);
    yield { phase: 'build', done: end, total: positions.length };
  }
  return out;
}

/**
 * Some queries on their way through the cache. Their heads are rows, those of the same kv head
 * together: kv head, query, head within the group.
 */
class Pass {
  private readonly kernels: Kernels;
  private readonly cache: AttendedCache;
  private readonly request: ResolvedRequest;
  private readonly rows: number;
  /** Rotated and scaled. */
  private readonly queries: Float32Array;
  private readonly position: Float64Array;
  /** What the weights so far give, rows × headDim, not yet divided by their sum. */
  private readonly outputs: Float64Array;
  /** Addresses: scores or weights of a chunk, then kvSoftmax's state and factors. */
  private readonly scores: number;
  private readonly state: number;
  private readonly factors: number;

  constructor(kernels: Kernels, cache: AttendedCache, request: ResolvedRequest) {
    const { positions, queryHeads, rotation, scale } = request;
    const { headDim } = cache.options;
    const rows = positions.length * queryHeads;
    this.kernels = kernels;
    this.cache = cache;
    this.request = request;
    this.rows = rows;
    this.queries = new Float32Array(rows * headDim);
    this.position = new Float64Array(rows);
    this.outputs = new Float64Array(rows * headDim);
    this.scores = kernels.alloc(rows * CHUNK * 4);
    this.state = kernels.alloc(rows * 8);
    this.factors = kernels.alloc(rows * 4);
    const state = kernels.f32(this.state, rows * 2);
    for (let row = 0; row < rows; row++) {
      const { query, at } = this.placeOf(row);
      const from = request.queries.subarray(at, at + headDim);
      this.queries.set(
        from.map((x) => x * scale),
        row * headDim,
      );
      rotate(rotation, this.queries, row * headDim, positions[query]!);
      this.position[row] = positions[query]!;
      state[row * 2] = -Infinity;
    }
  }

  /** Which query a row is of, and where its numbers are among them. */
  private placeOf(row: number): { query: number; at: number; kvHead: number } {
    const { positions, queryHeads } = this.request;
    const { kvHeads, headDim } = this.cache.options;
    const group = queryHeads / kvHeads;
    const kvHead = Math.floor(row / (positions.length * group));
    const query = Math.floor(row / group) % positions.length;
    const head = kvHead * group + (row % group);
    return { query, kvHead, at: (query * queryHeads + head) * headDim };
  }

  *runSteps(): Steps<Float32Array> {
    const { cache, request, rows, outputs } = this;
    const { headDim } = cache.options;
    for (const [i, segment] of cache.segments.entries()) {
      const end = cache.segments[i + 1]?.from ?? cache.tokens;
      yield* this.segmentSteps(segment, end - segment.from);
    }
    const state = this.kernels.f32(this.state, rows * 2);
    const out = new Float32Array(request.queries.length);
    for (let row = 0; row < rows; row++) {
      const { at } = this.placeOf(row);
      const sum = state[row * 2 + 1]!;
      for (let i = 0; i < headDim && sum > 0; i++) out[at + i] = outputs[row * headDim + i]! / sum;
    }
    return out;
  }

  private *segmentSteps(segment: KvSegment, tokens: number): Steps<void> {
    const { kernels, rows, request } = this;
    const { layer, rotation } = request;
    const mark = kernels.mark();
    const keys = streamOf(segment, 'keys', layer);
    const values = streamOf(segment, 'values', layer);
    const exactKeys = exactRows(kernels, keys.stream, keys.part);
    const exactValues = exactRows(kernels, values.stream, values.part);
    const { headDim, kvHeads } = this.cache.options;
    for (const [position, row] of exactKeys) {
      for (let head = 0; head < kvHeads; head++) {
        rotate(rotation, row, head * headDim, segment.from + position);
      }
    }
    const scan = yield* this.stageKeys(keys.stream, keys.part);
    const sums = yield* stageLayerSteps(kernels, values.stream, values.part);
    const sumStride = (values.stream.widths.length + 1) * 4;
    const accumulated = kernels.alloc(rows * sumStride * 4);
    const tiles = kernels.alloc(
      (CHUNK / TILE) * Math.max(keys.stream.tileBytes, values.stream.tileBytes),
    );
    const furthest = this.position.reduce((most, position) => Math.max(most, position), -1);
    for (let from = 0; from < tokens && segment.from + from <= furthest; from += CHUNK) {
      const to = Math.min(tokens, from + CHUNK);
      const count = Math.ceil(Math.max(0, Math.min(segment.coded, to) - from) / TILE);
      movePosition(kernels, scan, rotation, segment.from + from);
      this.copyTiles(keys.stream, from, count, tiles);
      kernels.call.kvScore(scan.scan, tiles, count, this.scores, CHUNK);
      this.completeScores(segment, exactKeys, from, to, count * TILE);
      kernels.call.kvSoftmax(this.scores, rows, CHUNK, CHUNK, this.state, this.factors);
      this.scaleSums(accumulated, sumStride);
      this.addExact(exactValues, from, to);
      this.copyTiles(values.stream, from, count, tiles);
      kernels.call.kvAccumulate(sums.scan, tiles, count, this.scores, rows, CHUNK, accumulated);
      yield;
    }
    this.reconstructSums(values.stream, sums, accumulated, sumStride);
    kernels.release(mark);
  }

  private *stageKeys(stream: KvStream, part: number): Steps<StagedLayer> {
    const { kernels, queries, request } = this;
    const { kvHeads, headDim } = this.cache.options;
    const staged = yield* stageLayerSteps(kernels, stream, part);
    if (request.rotation.frequencies.length > 0) {
      stageRotated(kernels, stream, staged, { kvHeads, headDim }, request.rotation, queries);
    } else {
      stageUnrotated(kernels, stream, staged, { kvHeads, headDim }, queries);
    }
    return staged;
  }

  private copyTiles({ codes, tileBytes }: KvStream, from: number, count: number, to: number): void {
    const at = (from / TILE) * tileBytes;
    this.kernels.u8(to, count * tileBytes).set(codes.subarray(at, at + count * tileBytes));
  }

  /** Scores of exact tokens, and none for those that are not there or behind a query. */
  private completeScores(
    segment: KvSegment,
    exact: ReadonlyMap<number, Float32Array>,
    from: number,
    to: number,
    scored: number,
  ): void {
    const { rows, queries, position } = this;
    const { headDim } = this.cache.options;
    const scores = this.kernels.f32(this.scores, rows * CHUNK);
    for (let row = 0; row < rows; row++) {
      const own = scores.subarray(row * CHUNK, (row + 1) * CHUNK);
      if (scored < CHUNK) own.fill(-Infinity, scored);
      const first = this.placeOf(row).kvHead * headDim;
      for (const [token, key] of exact) {
        if (token < from || token >= to) continue;
        let sum = 0;
        for (let i = 0; i < headDim; i++) sum += queries[row * headDim + i]! * key[first + i]!;
        own[token - from] = sum;
      }
      const visible = Math.min(to, position[row]! - segment.from + 1) - from;
      if (visible < CHUNK) own.fill(-Infinity, Math.max(0, visible));
    }
  }

  /** Sums of earlier weights, after the largest score has changed. */
  private scaleSums(sums: number, stride: number): void {
    const { kernels, rows, outputs } = this;
    const { headDim } = this.cache.options;
    const factors = kernels.f32(this.factors, rows);
    for (let row = 0; row < rows; row++) {
      const factor = factors[row]!;
      if (factor === 1) continue;
      kernels.call.scaleF32(sums + row * stride * 4, factor, stride);
      for (let i = row * headDim; i < (row + 1) * headDim; i++) outputs[i] = outputs[i]! * factor;
    }
  }

  /** Adds what exact tokens give, and takes their weights away, so that their codes give nothing. */
  private addExact(exact: ReadonlyMap<number, Float32Array>, from: number, to: number): void {
    const { rows, outputs } = this;
    const { headDim } = this.cache.options;
    const weights = this.kernels.f32(this.scores, rows * CHUNK);
    for (const [token, value] of exact) {
      if (token < from || token >= to) continue;
      for (let row = 0; row < rows; row++) {
        const at = row * CHUNK + token - from;
        const weight = weights[at]!;
        weights[at] = 0;
        if (weight === 0) continue;
        const first = this.placeOf(row).kvHead * headDim;
        for (let i = 0; i < headDim; i++) {
          const to = row * headDim + i;
          outputs[to] = outputs[to]! + weight * value[first + i]!;
        }
      }
    }
  }

  /** Adds what sums of coefficients give: (Σ w) mean + A Σ w c. */
  private reconstructSums(
    { basis, widths }: KvStream,
    { matrix, mean }: StagedLayer,
    sums: number,
    stride: number,
  ): void {
    const { kernels, rows, outputs } = this;
    const { headDim } = this.cache.options;
    const n = widths.length;
    const numbers = kernels.f32(sums, rows * stride);
    const totals = new Float32Array(n);
    const lanes = (at: number) =>
      numbers[at]! + numbers[at + 1]! + numbers[at + 2]! + numbers[at + 3]!;
    const total = kernels.alloc(n * 4);
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < n; j++) totals[j] = lanes(row * stride + j * 4);
      const weight = lanes(row * stride + n * 4);
      kernels.f32(total, n).set(totals);
      const first = this.placeOf(row).kvHead * headDim;
      for (let i = 0; i < headDim; i++) {
        const from = matrix + (first + i) * basis.rank * 4;
        const at = row * headDim + i;
        outputs[at] =
          outputs[at]! + weight * mean[first + i]! + kernels.call.dotF32(from, total, n);
      }
    }
  }
}
