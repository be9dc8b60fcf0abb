import { checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import { outOfRange } from '../base/errors.js';
import { AllowList } from '../graph/allow-list.js';
import type { AllowedIds } from '../graph/id-set.js';
import type { LeanIndex } from '../graph/lean-index.js';
import type { AddOptions, LeanIndexOptions, SearchOptions } from '../graph/options.js';
import { LINE_BYTES, primaryCapacity } from '../quant/layout.js';
import { checkThreshold } from './ball-carving.js';
import {
  encodedDimensions,
  FDE_OPTIONS,
  type FdeOptions,
  type ResolvedFde,
  resolveFde,
} from './options.js';
import { checkPooling, type PoolingOptions } from './pooling.js';
import { TOKEN_BITS, type TokenBits } from './token-codec.js';

/** Sizes of encodings that have a preset. */
export type FdeDimensions = 640 | 1280 | 2560 | 5120 | 10240;

/**
 * Hyperplanes and repetitions of a size, with 16 numbers a cell, and its codes: as few bytes as need at
 * most a fifth more candidates than float32 (docs/multi-vector.md). Large sizes have few components
 * of 4 bits instead of twice as many of 2, whose training takes four times as long.
 */
interface Shape {
  partitionBits: number;
  repetitions: number;
  codeBits: 2 | 4;
  codeBytes: number;
}

const SHAPES: Readonly<Record<FdeDimensions, Shape>> = {
  640: { partitionBits: 2, repetitions: 10, codeBits: 2, codeBytes: 128 },
  1280: { partitionBits: 2, repetitions: 20, codeBits: 2, codeBytes: 160 },
  2560: { partitionBits: 3, repetitions: 20, codeBits: 2, codeBytes: 320 },
  5120: { partitionBits: 4, repetitions: 20, codeBits: 4, codeBytes: 640 },
  10240: { partitionBits: 5, repetitions: 20, codeBits: 4, codeBytes: 1024 },
};
const FDE_DIMENSIONS = Object.keys(SHAPES).map(Number) as FdeDimensions[];

/** What shapes a LeanMultiIndex; everything but `dimensions` has a default that needs no tuning. */
export interface LeanMultiIndexOptions
  extends Pick<
    LeanIndexOptions,
    'm' | 'efConstruction' | 'exactBelow' | 'order' | 'shards' | 'seed'
  > {
  /** Numbers in a token, 1 … 4096. */
  dimensions: number;
  /** Numbers of the vector that stands for a document among the candidates. Default 1280. */
  fdeDimensions?: FdeDimensions;
  /** Bits a number of the stored tokens: float32, float16 or LVQ codes. Default 8. */
  tokenBits?: TokenBits;
  /**
   * Fewer tokens for each document, as poolTokens() makes them, before they are encoded and stored:
   * with a ratio or a count, and else without duplicates. Default: documents stay as they are.
   */
  pooling?: Omit<PoolingOptions, 'dimensions' | 'seed'>;
  /** Another shape of the encoding than that of fdeDimensions, for experiments. */
  fde?: Omit<FdeOptions, 'dimensions' | 'seed'>;
}

export interface MultiSearchOptions {
  /**
   * Documents that are taken from the index of encodings and ranked by MaxSim. More finds more and
   * takes longer. Default max(100, 4 k).
   */
  candidates?: number;
  /** Beam width in the index of encodings. Default max(128, 2 candidates). */
  ef?: number;
  /**
   * Ranks by fewer query vectors (ball carving): those whose inner product with an earlier one is at
   * least this much are added to it. Faster for long queries, and scores become lower bounds of
   * MaxSim; with vectors of unit length 0.7 is usual. Default: not at all.
   */
  carve?: number;
  /** Restricts the search, as in `LeanIndex`. */
  allow?: AllowedIds | AllowList;
}

export interface ResolvedMulti {
  fde: ResolvedFde;
  tokenBits: TokenBits;
  pooling: PoolingOptions | undefined;
  /** Of the index of encodings. */
  index: LeanIndexOptions;
}

const INDEX_NAMES = ['m', 'efConstruction', 'exactBelow', 'order', 'shards', 'seed'] as const;
export const MULTI_OPTIONS = [
  'dimensions',
  'fdeDimensions',
  'tokenBits',
  'pooling',
  'fde',
  ...INDEX_NAMES,
] as const satisfies readonly (keyof LeanMultiIndexOptions)[];
const BUILD_NAMES = ['threads', 'onProgress', 'signal', 'ids'] as const;
const SEARCH_NAMES = [
  'candidates',
  'ef',
  'carve',
  'allow',
] as const satisfies readonly (keyof MultiSearchOptions)[];

const COUNT_MAX = 0x7fff_ffff;
const CANDIDATES_MIN = 100;

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for unknown or wrong options. */
export function resolveMulti(options: LeanMultiIndexOptions & AddOptions): ResolvedMulti {
  checkOptions('LeanMultiIndex', options, [...MULTI_OPTIONS, ...BUILD_NAMES]);
  const { dimensions, seed = 1, fde = {} } = options;
  const size = checkOneOf('fdeDimensions', options.fdeDimensions ?? 1280, FDE_DIMENSIONS);
  const names = FDE_OPTIONS.filter((name) => name !== 'dimensions' && name !== 'seed');
  checkOptions('fde', fde, names);
  const { codeBytes, codeBits, ...shape } = SHAPES[size];
  const resolved = resolveFde({ ...shape, ...fde, dimensions, seed });
  const tokenBits = checkOneOf('tokenBits', options.tokenBits ?? 8, TOKEN_BITS);
  const given = INDEX_NAMES.filter((name) => options[name] !== undefined);
  const encoded = encodedDimensions(resolved);
  const index: LeanIndexOptions = {
    ...Object.fromEntries(given.map((name) => [name, options[name]])),
    dimensions: encoded,
    distance: 'Dot',
    // MaxSim ranks the candidates anew: richer codes of the encodings would be read for nothing.
    secondaryBits: 'none',
    primaryBits: codeBits,
    primaryDimensions: Math.min(encoded, primaryCapacity(codeBytes / LINE_BYTES, codeBits, 'Dot')),
  };
  const pooling =
    options.pooling === undefined ? undefined : resolvePooling(options.pooling, resolved);
  return { fde: resolved, tokenBits, pooling, index };
}

function resolvePooling(
  given: NonNullable<LeanMultiIndexOptions['pooling']>,
  { dimensions, seed }: ResolvedFde,
): PoolingOptions {
  checkOptions('pooling', given, ['ratio', 'count', 'method']);
  const pooling = { ...given, dimensions, seed };
  checkPooling(pooling);
  return pooling;
}

/** How to search: how many candidates, with which beam, ranked by how much of the query. */
export interface MultiSearchPlan {
  k: number;
  candidates: number;
  ef: number | undefined;
  carve: number | undefined;
  allow: AllowList | undefined;
}

/**
 * The plan of a search among the documents of an index of encodings.
 * @throws TypeError, RangeError `INVALID_ARGUMENT` for k below 1 or wrong options.
 */
export function resolveMultiSearch(
  k: number,
  options: MultiSearchOptions,
  index: LeanIndex,
): MultiSearchPlan {
  checkInteger('k', k, 1, COUNT_MAX);
  checkOptions('search', options, SEARCH_NAMES);
  const preset = Math.min(COUNT_MAX, Math.max(CANDIDATES_MIN, 4 * k));
  const candidates = checkInteger('candidates', options.candidates ?? preset, 1, COUNT_MAX);
  if (candidates < k) throw outOfRange('candidates', `at least k, ${k}`, candidates);
  const { ef, carve, allow } = options;
  if (ef !== undefined) checkInteger('ef', ef, 1, COUNT_MAX);
  if (carve !== undefined) checkThreshold('carve', carve);
  const isReady = allow === undefined || allow instanceof AllowList;
  return { k, candidates, ef, carve, allow: isReady ? allow : index.allowList(allow) };
}

/** The options for the index of encodings. */
export function candidateOptions({ candidates, ef, allow }: MultiSearchPlan): SearchOptions {
  const preset = Math.min(COUNT_MAX, Math.max(128, 2 * candidates));
  return { ef: Math.max(ef ?? preset, candidates), ...(allow && { allow }) };
}

/** Looks further: some candidates had just been deleted or are just being added. */
export function widen(plan: MultiSearchPlan): MultiSearchPlan {
  return { ...plan, candidates: Math.min(COUNT_MAX, 2 * plan.candidates) };
}
