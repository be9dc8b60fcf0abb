import type { Steps } from '../base/steps.js';
import type { Kernels } from '../kernels/index.js';
import type { ResolvedKv } from './options.js';
import type { QueryRows } from './query-rows.js';
import { type Rotation, rotate } from './rope.js';
import { movePosition, stageLayerSteps, stageRotated, stageUnrotated } from './scan.js';
import { exactRows, type KvSegment, streamOf } from './segment.js';
import { type KvStream, TILE } from './stream.js';

/** Tokens that are scored at a time. */
export const CHUNK = 32 * TILE;

/** A cache as its readers see it. */
export interface KvView {
  readonly options: ResolvedKv;
  readonly segments: readonly KvSegment[];
  readonly tokens: number;
}

/** Tokens of a segment that were scored: its tokens `from` … `to` − 1. */
export interface ScoredChunk {
  readonly from: number;
  readonly to: number;
  /** Tiles that have codes of these. */
  readonly tiles: number;
}

/** What is scored, and where the scores of a chunk go: CHUNK floats a row. */
export interface Scoring {
  readonly layer: number;
  readonly rotation: Rotation;
  readonly rows: QueryRows;
  readonly scores: number;
}

/** Tokens of a segment, coded or not. */
function tokensOfSegment({ segments, tokens }: KvView, at: number): number {
  return (segments[at + 1]?.from ?? tokens) - segments[at]!.from;
}

/**
 * Scores the tokens of a segment for all rows, chunk by chunk: `use` finds the scores of a chunk, −∞
 * for tokens behind the row's position and where no token is.
 */
export function* scoreSteps(
  kernels: Kernels,
  view: KvView,
  at: number,
  scoring: Scoring,
  use: (chunk: ScoredChunk) => void,
): Steps<void> {
  const { layer, rotation, rows, scores } = scoring;
  const segment = view.segments[at]!;
  const tokens = tokensOfSegment(view, at);
  const { kvHeads, headDim } = view.options;
  const { stream, part } = streamOf(segment, 'keys', layer);
  const exact = exactRows(stream, part);
  for (const [token, key] of exact) {
    for (let head = 0; head < kvHeads; head++) {
      rotate(rotation, key, head * headDim, segment.from + token);
    }
  }
  const staged = yield* stageLayerSteps(kernels, stream, part);
  if (rotation.frequencies.length > 0) {
    stageRotated(kernels, stream.basis.rank, staged, view.options, rotation, rows.numbers);
  } else {
    stageUnrotated(kernels, stream, staged, view.options, rows.numbers);
  }
  const tiles = kernels.alloc((CHUNK / TILE) * stream.tileBytes);
  const furthest = rows.rows.reduce((most, { position }) => Math.max(most, position), -1);
  for (let from = 0; from < tokens && segment.from + from <= furthest; from += CHUNK) {
    const to = Math.min(tokens, from + CHUNK);
    const count = Math.ceil(Math.max(0, Math.min(segment.coded, to) - from) / TILE);
    if (rotation.frequencies.length > 0) {
      movePosition(kernels, staged, rotation, segment.from + from);
    }
    copyTiles(kernels, stream, from, count, tiles);
    kernels.call.kvScore(staged.scan, tiles, count, scores, CHUNK);
    completeScores(kernels, scoring, headDim, segment.from, exact, from, to, count * TILE);
    use({ from, to, tiles: count });
    yield;
  }
}

/** Copies `count` tiles from token `from` on into the memory of kernels. */
export function copyTiles(
  kernels: Kernels,
  { codes, tileBytes }: KvStream,
  from: number,
  count: number,
  address: number,
): void {
  const at = (from / TILE) * tileBytes;
  kernels.u8(address, count * tileBytes).set(codes.subarray(at, at + count * tileBytes));
}

/** Scores of exact tokens, and none for those that are not there or behind a row's position. */
function completeScores(
  kernels: Kernels,
  { rows: { numbers, rows }, scores }: Scoring,
  headDim: number,
  start: number,
  exact: ReadonlyMap<number, Float32Array>,
  from: number,
  to: number,
  scored: number,
): void {
  const all = kernels.f32(scores, rows.length * CHUNK);
  const here = [...exact].filter(([token]) => token >= from && token < to);
  for (const [row, { position, first }] of rows.entries()) {
    const own = all.subarray(row * CHUNK, (row + 1) * CHUNK);
    if (scored < CHUNK) own.fill(-Infinity, scored);
    for (const [token, key] of here) {
      let sum = 0;
      for (let i = 0; i < headDim; i++) sum += numbers[row * headDim + i]! * key[first + i]!;
      own[token - from] = sum;
    }
    const visible = Math.min(to, position - start + 1) - from;
    if (visible < CHUNK) own.fill(-Infinity, Math.max(0, visible));
  }
}
