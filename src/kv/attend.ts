import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import {
  type KvQueries,
  partsOfQueries,
  type QueryRow,
  queryRows,
  type ResolvedQueries,
  resolveQueries,
} from './query-rows.js';
import { type StagedLayer, stageLayerSteps, stageSums } from './scan.js';
import { CHUNK, copyTiles, type KvView, type ScoredChunk, scoreSteps } from './score.js';
import { exactRows, streamOf } from './segment.js';
import { type KvStream, TILE } from './stream.js';
import { withKernels } from './work-kernels.js';

/**
 * Causal attention: softmax(scale · q kᵀ) v for each head of each query, of the shape of the queries;
 * 0 for queries that no token is before. The cache goes through a fixed memory, a chunk of tokens at
 * a time, with an online softmax (FlashAttention, arXiv 2205.14135).
 */
export function* attendSteps(view: KvView, request: KvQueries): Steps<Float32Array> {
  const resolved = resolveQueries('attend', request, view.options);
  const out = new Float32Array(resolved.queries.length);
  const { headDim } = view.options;
  const size = resolved.queryHeads * headDim;
  for (const part of partsOfQueries(resolved, headDim)) {
    const found = yield* withKernels((kernels) => attendPartSteps(kernels, view, part));
    out.set(found, part.first * size);
    const total = resolved.positions.length;
    yield { phase: 'build', done: part.first + part.positions.length, total };
  }
  return out;
}

/** What the weights so far give, not yet divided by their sum. */
interface Sums {
  readonly rows: readonly QueryRow[];
  readonly headDim: number;
  /** rows × headDim. */
  readonly outputs: Float64Array;
  /** Addresses: scores or weights of a chunk, kvSoftmax's state and factors. */
  readonly scores: number;
  readonly state: number;
  readonly factors: number;
}

function* attendPartSteps(
  kernels: Kernels,
  view: KvView,
  request: ResolvedQueries,
): Steps<Float32Array> {
  const { headDim } = view.options;
  const rows = queryRows(request, view.options);
  const count = rows.rows.length;
  const sums: Sums = {
    rows: rows.rows,
    headDim,
    outputs: new Float64Array(count * headDim),
    scores: kernels.alloc(count * CHUNK * 4),
    state: kernels.alloc(count * 8),
    factors: kernels.alloc(count * 4),
  };
  const start = kernels.f32(sums.state, count * 2);
  for (let row = 0; row < count; row++) start[row * 2] = -Infinity;
  const { layer, rotation } = request;
  const scoring = { layer, rotation, rows, scores: sums.scores };
  for (const [at, segment] of view.segments.entries()) {
    const mark = kernels.mark();
    const { stream, part } = streamOf(segment, 'values', layer);
    const staged = yield* stageLayerSteps(kernels, stream, part);
    const exact = exactRows(stream, part);
    const totals = kernels.alloc(count * totalsOf(stream) * 4);
    const tiles = kernels.alloc((CHUNK / TILE) * stream.tileBytes);
    const plan = stageSums(kernels, staged, count, CHUNK / TILE);
    yield* scoreSteps(kernels, view, at, scoring, (chunk) => {
      kernels.call.kvSoftmax(sums.scores, count, CHUNK, CHUNK, sums.state, sums.factors);
      scaleSums(kernels, sums, totals, totalsOf(stream));
      addExact(kernels, sums, exact, chunk);
      copyTiles(kernels, stream, chunk.from, chunk.tiles, tiles);
      kernels.call.kvAccumulate(plan, tiles, chunk.tiles, sums.scores, count, CHUNK, totals);
    });
    addTotals(kernels, sums, stream, staged, totals);
    kernels.release(mark);
  }
  return divided(kernels, sums, request.queries.length);
}

/** Floats of a row's sums of codes and weights. */
function totalsOf({ widths }: KvStream): number {
  return widths.length + 1;
}

/** Earlier sums, after the largest score has changed. */
function scaleSums(kernels: Kernels, sums: Sums, totals: number, stride: number): void {
  const { rows, headDim, outputs } = sums;
  const factors = kernels.f32(sums.factors, rows.length);
  factors.forEach((factor, row) => {
    if (factor === 1) return;
    kernels.call.scaleF32(totals + row * stride * 4, factor, stride);
    for (let i = row * headDim; i < (row + 1) * headDim; i++) outputs[i] = outputs[i]! * factor;
  });
}

/** Adds what exact tokens give, and takes their weights away, so that their codes give nothing. */
function addExact(
  kernels: Kernels,
  { rows, headDim, outputs, scores }: Sums,
  exact: ReadonlyMap<number, Float32Array>,
  { from, to }: ScoredChunk,
): void {
  const weights = kernels.f32(scores, rows.length * CHUNK);
  for (const [token, value] of exact) {
    if (token < from || token >= to) continue;
    for (const [row, { first }] of rows.entries()) {
      const at = row * CHUNK + token - from;
      const weight = weights[at]!;
      weights[at] = 0;
      const own = outputs.subarray(row * headDim, (row + 1) * headDim);
      for (let i = 0; i < headDim; i++) own[i] = own[i]! + weight * value[first + i]!;
    }
  }
}

/** Adds what the sums of codes stand for: (Σ w) mean + A Σ w c, c = step · (code − top / 2). */
function addTotals(
  kernels: Kernels,
  { rows, headDim, outputs }: Sums,
  stream: KvStream,
  { matrix, mean }: StagedLayer,
  totals: number,
): void {
  const { widths, steps, basis } = stream;
  const n = widths.length;
  const coefficients = kernels.alloc(n * 4);
  for (const [row, { first }] of rows.entries()) {
    const sums = kernels.f32(totals + row * totalsOf(stream) * 4, n + 1);
    const own = kernels.f32(coefficients, n);
    const weight = sums[n]!;
    for (let j = 0; j < n; j++) {
      own[j] = steps[j]! * (sums[j]! - weight * 0.5 * (2 ** widths[j]! - 1));
    }
    for (let i = 0; i < headDim; i++) {
      const numbers = matrix + (first + i) * basis.rank * 4;
      const at = row * headDim + i;
      const rest = kernels.call.dotF32(numbers, coefficients, n);
      outputs[at] = outputs[at]! + weight * mean[first + i]! + rest;
    }
  }
}

function divided(
  kernels: Kernels,
  { rows, headDim, outputs, state }: Sums,
  length: number,
): Float32Array {
  const sums = kernels.f32(state, rows.length * 2);
  const out = new Float32Array(length);
  for (const [row, { at }] of rows.entries()) {
    const sum = sums[row * 2 + 1]!;
    for (let i = 0; i < headDim && sum > 0; i++) out[at + i] = outputs[row * headDim + i]! / sum;
  }
  return out;
}
