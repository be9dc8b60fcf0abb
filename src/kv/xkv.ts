import { checkInteger, checkOptions } from '../base/check.js';
import { outOfRange } from '../base/errors.js';
import { drain, partRunOptions, type RunOptions, runSteps, type Steps } from '../base/steps.js';
import { randomizedSvdSteps } from '../linalg/randomized-svd.js';
import type { LayerSpan } from './basis.js';
import { checkBetween } from './options.js';
import {
  checkShape,
  checkTokens,
  KV_KINDS,
  type KvKind,
  type KvRows,
  type KvShape,
  type KvTokens,
  widthOf,
} from './shape.js';
import { floatsOf, halvesOf } from './stream.js';
import { withKernels } from './work-kernels.js';

export interface XkvOptions extends KvShape {
  /** Adjacent layers that share their left factor, 1 for an SVD of each layer. */
  group: number;
  /** Ranks of each group; or one of the next two, by which ranks are chosen. */
  ranks?: { keys: number; values: number };
  /** Bytes of all factors. */
  bytes?: number;
  /** Relative error of each kind's numbers, all layers together. */
  error?: number;
}

const XKV_OPTIONS = ['layers', 'kvHeads', 'headDim', 'group', 'ranks', 'bytes', 'error'];

/** X ≈ left · right for the layers of a group side by side, both binary16. */
export interface XkvGroup {
  readonly kind: KvKind;
  readonly layers: LayerSpan;
  readonly rank: number;
  /** tokens × rank: U √Σ. */
  readonly left: Uint16Array;
  /** rank × (count · width): √Σ Vᵀ. */
  readonly right: Uint16Array;
}

/** The factors of a group before they are cut to a rank. */
interface Whole {
  readonly kind: KvKind;
  readonly layers: LayerSpan;
  readonly columns: number;
  readonly u: Float32Array;
  readonly s: Float64Array;
  readonly v: Float32Array;
}

/**
 * xKV as published (arXiv 2503.18893): the keys before RoPE, and the values, of a group of adjacent
 * layers side by side are one matrix, of which the truncated SVD is kept: a left factor that the
 * layers share, and a right one for each. Without codes, exact tokens or a mean: KvModel has those,
 * and less error in as many bytes.
 */
export class Xkv {
  readonly shape: KvShape;
  readonly tokens: number;
  readonly groups: readonly XkvGroup[];

  /** Made by xkv(). */
  constructor(shape: KvShape, tokens: number, groups: readonly XkvGroup[]) {
    this.shape = shape;
    this.tokens = tokens;
    this.groups = groups;
  }

  /** Of all factors. */
  get bytes(): number {
    return this.groups.reduce((sum, { left, right }) => sum + 2 * (left.length + right.length), 0);
  }

  /** Keys and values of all tokens of a layer. */
  reconstruct(layer: number): { keys: Float32Array; values: Float32Array } {
    checkInteger('layer', layer, 0, this.shape.layers - 1);
    return { keys: this.rowsOf('keys', layer), values: this.rowsOf('values', layer) };
  }

  private rowsOf(kind: KvKind, layer: number): Float32Array {
    const { shape, tokens, groups } = this;
    const width = widthOf(shape);
    const { layers, rank, left, right } = groups.find(
      ({ kind: of, layers: { first, count } }) =>
        of === kind && layer >= first && layer < first + count,
    )!;
    const [u, v] = [floatsOf(left), floatsOf(right)];
    const columns = layers.count * width;
    const first = (layer - layers.first) * width;
    const rows = new Float32Array(tokens * width);
    const sums = new Float64Array(width);
    for (let token = 0; token < tokens; token++) {
      sums.fill(0);
      for (let k = 0; k < rank; k++) {
        const x = u[token * rank + k]!;
        for (let j = 0; j < width; j++) sums[j] = sums[j]! + x * v[k * columns + first + j]!;
      }
      rows.set(sums, token * width);
    }
    return rows;
  }
}

/**
 * The truncated SVDs of all groups. Ranks that are not given are chosen so that each goes where it
 * takes most of the squared error a byte, keys and values counting alike relative to their size.
 *
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH`.
 */
export function xkv(tokens: KvTokens, options: XkvOptions): Xkv {
  return drain(xkvSteps(tokens, options));
}

/** xkv() in slices. Errors as there, LeandexError `ABORTED`. */
export async function xkvAsync(tokens: KvTokens, options: XkvOptions & RunOptions): Promise<Xkv> {
  const { run, rest } = partRunOptions('xkvAsync', options);
  return runSteps(xkvSteps(tokens, rest), run);
}

function* xkvSteps(tokens: KvTokens, options: XkvOptions): Steps<Xkv> {
  checkOptions('xkv', options, XKV_OPTIONS);
  const { ranks, bytes, error } = options;
  const shape = checkShape(options);
  const size = checkInteger('group', options.group, 1, shape.layers);
  const rows = checkTokens('xkv', tokens, shape);
  checkInteger('tokens', rows.tokens, 1, 2 ** 31);
  if ([ranks, bytes, error].filter((x) => x !== undefined).length !== 1) {
    throw outOfRange('xkv', 'given one of ranks, bytes and error', 'none or more of them');
  }
  if (ranks !== undefined) checkOptions('ranks', ranks, KV_KINDS);
  if (bytes !== undefined) checkInteger('bytes', bytes, 0, 2 ** 52);
  if (error !== undefined) checkBetween('error', error, 0, 1);
  const whole: Whole[] = [];
  const count = Math.ceil(shape.layers / size);
  for (const kind of KV_KINDS) {
    for (let i = 0; i < count; i++) {
      const layers = { first: i * size, count: Math.min(size, shape.layers - i * size) };
      const rank = ranks && checkInteger(`ranks.${kind}`, ranks[kind], 1, rows.tokens);
      whole.push(yield* groupSteps(rows, widthOf(shape), kind, layers, rank));
      yield { phase: 'build', done: whole.length, total: 2 * count };
    }
  }
  const chosen = chooseRanks(whole, rows.tokens, options);
  const groups = whole.map((of, i) => truncated(of, rows.tokens, chosen[i]!));
  return new Xkv(shape, rows.tokens, groups);
}

/** The SVD of the layers of a group side by side: `rank` triples, or all. */
function* groupSteps(
  rows: KvRows,
  width: number,
  kind: KvKind,
  layers: LayerSpan,
  rank: number | undefined,
): Steps<Whole> {
  const columns = layers.count * width;
  const matrix = new Float32Array(rows.tokens * columns);
  for (let i = 0; i < layers.count; i++) {
    const of = rows[kind][layers.first + i]!;
    for (let token = 0; token < rows.tokens; token++) {
      const row = of.subarray(token * width, (token + 1) * width);
      matrix.set(row, token * columns + i * width);
    }
    yield;
  }
  const most = Math.min(rows.tokens, columns);
  const wanted = rank === undefined ? most : checkInteger(`ranks.${kind}`, rank, 1, most);
  const svd = yield* withKernels((kernels) =>
    randomizedSvdSteps(kernels, matrix, rows.tokens, columns, wanted),
  );
  return { kind, layers, columns, ...svd };
}

/** A rank for each group. */
function chooseRanks(
  whole: readonly Whole[],
  tokens: number,
  { ranks, bytes, error }: XkvOptions,
): number[] {
  if (ranks !== undefined) return whole.map(({ kind }) => ranks[kind]);
  const energy = { keys: 0, values: 0 };
  for (const { kind, s } of whole) for (const value of s) energy[kind] += value * value;
  const costs = whole.map(({ columns }) => 2 * (tokens + columns));
  const gains = whole.flatMap(({ kind, s }, group) =>
    [...s].map((value) => ({ group, kind, gain: (value * value) / (energy[kind] || 1) })),
  );
  gains.sort((a, b) => b.gain / costs[b.group]! - a.gain / costs[a.group]!);
  const chosen = whole.map(() => 0);
  const left = { keys: 1, values: 1 };
  const target = error === undefined ? -1 : error ** 2;
  let budget = bytes ?? Infinity;
  for (const { group, kind, gain } of gains) {
    if (left[kind] <= target) continue;
    if (costs[group]! > budget) break;
    chosen[group] = chosen[group]! + 1;
    budget -= costs[group]!;
    left[kind] -= gain;
  }
  return chosen;
}

function truncated(
  { kind, layers, columns, u, s, v }: Whole,
  tokens: number,
  rank: number,
): XkvGroup {
  const all = s.length;
  // Half of Σ on either side: with all of it on one, large numbers would leave binary16's range.
  const roots = s.map(Math.sqrt);
  const left = new Float32Array(tokens * rank);
  for (let token = 0; token < tokens; token++) {
    for (let k = 0; k < rank; k++) left[token * rank + k] = u[token * all + k]! * roots[k]!;
  }
  const right = new Float32Array(rank * columns);
  for (let k = 0; k < rank; k++) {
    for (let j = 0; j < columns; j++) right[k * columns + j] = v[j * all + k]! * roots[k]!;
  }
  return { kind, layers, rank, left: halvesOf(left), right: halvesOf(right) };
}
