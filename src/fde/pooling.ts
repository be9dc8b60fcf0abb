import { checkInteger, checkOneOf, checkOptions, checkRows } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { gatherRows } from '../base/gather-rows.js';
import { type RunOptions, runSteps, type Steps } from '../base/steps.js';
import { checkRunOptions } from '../graph/options.js';
import { checkRowValues, requireUnchanged } from '../graph/rows.js';
import { Kernels } from '../kernels/index.js';
import { kMeansSteps } from '../quant/k-means.js';
import { checkOffsets, joinSets, setAt, type TokenSets } from './offsets.js';
import { wardSteps } from './ward.js';

export type PoolingMethod = 'hierarchical' | 'k-means';

export interface PoolingOptions {
  dimensions: number;
  /** Tokens of a document for each that is kept, at least 1. */
  ratio?: number;
  /** Tokens that are kept of a document, in place of a ratio. */
  count?: number;
  /**
   * How tokens are grouped: by Ward's criterion (default; k-means for documents of more than 2,048
   * distinct tokens), or by k-means.
   */
  method?: PoolingMethod;
  /** Seed of k-means. Default 1. */
  seed?: number;
}

const POOLING_OPTIONS = [
  'dimensions',
  'ratio',
  'count',
  'method',
  'seed',
] as const satisfies readonly (keyof PoolingOptions)[];
const METHODS: readonly PoolingMethod[] = ['hierarchical', 'k-means'];
/** Of a token's length: nearer tokens are one. No dot product changes by more than this share. */
const DUPLICATE_DISTANCE = 0.01;
/** How far from 1 the squared length of a unit vector in float16 may be. */
const UNIT_TOLERANCE = 4e-3;
/** The distances of so many tokens take 32 MB. */
const HIERARCHICAL_MAX = 2048;
/** Rows that are compared with others between two yields. */
const ROWS_PER_STEP = 16;

/**
 * Fewer tokens for each document, or query: duplicates and near-duplicates are left out, then the rest is
 * grouped and each group replaced by its mean, of unit length if its tokens have it (token pooling,
 * arXiv 2409.14683; CRISP's clustering, arXiv 2505.11471, without its training). With neither a ratio
 * nor a count only duplicates are left out. A document's result does not depend on the others.
 * @throws TypeError, RangeError for wrong options, lengths and offsets, NaN, infinity or too large
 * numbers; LeandexError `ABORTED`.
 */
export async function poolTokens(
  sets: TokenSets,
  options: PoolingOptions & RunOptions,
): Promise<TokenSets> {
  checkRunOptions('pooling', options, POOLING_OPTIONS);
  const { onProgress, signal, ...pooling } = options;
  const { tokens, offsets } = sets ?? {};
  return runSteps(poolSteps(tokens, offsets, pooling), { onProgress, signal });
}

/** The same in slices. The arrays must not be changed until the end. */
export function* poolSteps(
  tokens: Float32Array,
  offsets: Uint32Array,
  options: PoolingOptions,
): Steps<TokenSets> {
  const resolved = resolve(options);
  const { dimensions } = resolved;
  checkOffsets(offsets, checkRows('tokens', tokens, dimensions));
  yield* checkRowValues(tokens, { dimensions, distance: 'Dot', model: undefined }, 'tokens');
  const kernels = new Kernels();
  const pooled: Float32Array[] = [];
  const { length } = tokens;
  const total = offsets.length - 1;
  for (let i = 0; i < total; i++) {
    // A caller may have given the array away meanwhile.
    requireUnchanged(tokens, length);
    const rows = setAt({ tokens, offsets }, i, dimensions);
    pooled.push(yield* poolOne(kernels, rows, resolved));
    yield { phase: 'pool', done: i + 1, total };
  }
  return joinSets(pooled, dimensions);
}

type ResolvedPooling = Required<Pick<PoolingOptions, 'dimensions' | 'method' | 'seed'>> & {
  /** How many of so many tokens are kept. */
  keep: (count: number) => number;
};

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for unknown or wrong options. */
export function checkPooling(options: PoolingOptions): void {
  resolve(options);
}

function resolve(options: PoolingOptions): ResolvedPooling {
  checkOptions('pooling', options, POOLING_OPTIONS);
  const { ratio, count } = options;
  if (ratio !== undefined && count !== undefined) {
    throw outOfRange('pooling', 'a ratio or a count, not both', ratio);
  }
  if (ratio !== undefined) {
    if (typeof ratio !== 'number') throw wrongType('ratio', 'a number', ratio);
    if (!(ratio >= 1 && ratio < Infinity)) throw outOfRange('ratio', 'at least 1', ratio);
  }
  if (count !== undefined) checkInteger('count', count, 1, 0xffff_ffff);
  return {
    dimensions: checkInteger('dimensions', options.dimensions, 1, 32_768),
    method: checkOneOf('method', options.method ?? 'hierarchical', METHODS),
    seed: checkInteger('seed', options.seed ?? 1, 0, 0xffff_ffff),
    keep: (tokens) => count ?? Math.ceil(tokens / (ratio ?? 1)),
  };
}

function* poolOne(
  kernels: Kernels,
  rows: Float32Array,
  { dimensions, method, seed, keep }: ResolvedPooling,
): Steps<Float32Array> {
  const mark = kernels.mark();
  const placed = kernels.copyF32(rows);
  const given = rows.length / dimensions;
  const distinct = yield* distinctRows(kernels, placed, given, dimensions);
  const k = keep(given);
  let labels: Uint32Array = distinct.map((_, i) => i);
  if (k < distinct.length && method === 'hierarchical' && distinct.length <= HIERARCHICAL_MAX) {
    const distances = yield* squaredDistances(kernels, placed, distinct, dimensions);
    labels = yield* wardSteps(distances, distinct.length, k);
  } else if (k < distinct.length) {
    const chosen = gatherRows(rows, dimensions, distinct);
    ({ labels } = yield* kMeansSteps(chosen, dimensions, k, seed, kernels));
  }
  kernels.release(mark);
  return meansOf(rows, distinct, labels, dimensions);
}

/** The rows that are not (nearly) the same as one before them. */
function* distinctRows(
  kernels: Kernels,
  placed: number,
  count: number,
  dimensions: number,
): Steps<Uint32Array> {
  const { dotF32, squaredL2F32 } = kernels.call;
  const distinct: number[] = [];
  for (let r = 0; r < count; r++) {
    const row = placed + r * dimensions * 4;
    const near = DUPLICATE_DISTANCE ** 2 * dotF32(row, row, dimensions);
    const isNear = (other: number) =>
      squaredL2F32(row, placed + other * dimensions * 4, dimensions) <= near;
    if (!distinct.some(isNear)) distinct.push(r);
    if (r % ROWS_PER_STEP === 0) yield;
  }
  return Uint32Array.from(distinct);
}

/** The squared distances between the chosen rows, n x n. */
function* squaredDistances(
  kernels: Kernels,
  placed: number,
  chosen: Uint32Array,
  dimensions: number,
): Steps<Float64Array> {
  const n = chosen.length;
  const distances = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = placed + chosen[i]! * dimensions * 4;
    for (let j = 0; j < i; j++) {
      const other = placed + chosen[j]! * dimensions * 4;
      const distance = kernels.call.squaredL2F32(row, other, dimensions);
      distances[i * n + j] = distance;
      distances[j * n + i] = distance;
    }
    if (i % ROWS_PER_STEP === 0) yield;
  }
  return distances;
}

/** The mean of the chosen rows of each label, in the order of their first rows. */
function meansOf(
  rows: Float32Array,
  chosen: Uint32Array,
  labels: Uint32Array,
  dimensions: number,
): Float32Array {
  const groups = new Map<number, Float32Array[]>();
  for (const [i, r] of chosen.entries()) {
    const members = groups.get(labels[i]!) ?? [];
    members.push(rows.subarray(r * dimensions, (r + 1) * dimensions));
    groups.set(labels[i]!, members);
  }
  const out = new Float32Array(groups.size * dimensions);
  for (const [i, members] of [...groups.values()].entries()) {
    out.set(members.length === 1 ? members[0]! : meanOf(members), i * dimensions);
  }
  return out;
}

/** The mean of rows; of unit length where all of them are and it has a direction. */
function meanOf(members: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array(members[0]!.length);
  for (const row of members) {
    for (let j = 0; j < mean.length; j++) mean[j]! += row[j]! / members.length;
  }
  const length = Math.sqrt(squaredLength(mean));
  const isUnit = members.every((row) => Math.abs(squaredLength(row) - 1) <= UNIT_TOLERANCE);
  return isUnit && length > 0 ? mean.map((x) => x / length) : mean;
}

function squaredLength(row: Float32Array | Float64Array): number {
  let sum = 0;
  for (let j = 0; j < row.length; j++) sum += row[j]! * row[j]!;
  return sum;
}
