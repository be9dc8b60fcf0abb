import { checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import { type Distance, type DistanceName, parseDistance } from '../base/distance.js';
import { wrongType } from '../base/errors.js';
import type { RunOptions } from '../base/steps.js';
import {
  PRIMARY_BITS,
  type PrimaryBits,
  SECONDARY_BITS,
  type SecondaryBits,
} from '../quant/layout.js';

/** What shapes an index; everything but `dimensions` has a default that needs no tuning. */
export interface LeanIndexOptions {
  /** Numbers in a vector, 1 … 16,384. */
  dimensions: number;
  /** Default `Cosine`. */
  distance?: DistanceName;
  /** Seed of everything random: sampling, rotation, levels, insertion order. Default 1. */
  seed?: number;
  /** Links a node gets when it is inserted; layer 0 holds up to twice as many. Default 16. */
  m?: number;
  /** Beam width while building. Default 200. */
  efConstruction?: number;
  /** Bits a number in the primary codes that the traversal reads (7 is stored in a byte). */
  primaryBits?: PrimaryBits;
  /** Dimensions that the projection keeps. Default: what fills the cache lines of a code. */
  primaryDimensions?: number;
  /** Bits a number in the full-dimensional codes of the re-rank; 32 keeps float32. Default 8. */
  secondaryBits?: SecondaryBits;
  /** Fewer vectors than this are kept as float32 and scanned exactly. Default 2,000. */
  exactBelow?: number;
  /** Order of bulk insertion. Default `shuffle`, seeded. */
  order?: InsertionOrder;
}

export type InsertionOrder = 'shuffle' | 'given';

export interface ResolvedOptions {
  dimensions: number;
  distance: Distance;
  seed: number;
  m: number;
  efConstruction: number;
  primaryBits: PrimaryBits | undefined;
  primaryDimensions: number | undefined;
  secondaryBits: SecondaryBits;
  exactBelow: number;
  order: InsertionOrder;
}

const INDEX_OPTIONS = [
  'dimensions',
  'distance',
  'seed',
  'm',
  'efConstruction',
  'primaryBits',
  'primaryDimensions',
  'secondaryBits',
  'exactBelow',
  'order',
] as const satisfies readonly (keyof LeanIndexOptions)[];

/** The random rotation of more would take minutes. */
const PRIMARY_DIMENSIONS_MAX = 4096;

const RUN_OPTIONS = ['onProgress', 'signal'] as const satisfies readonly (keyof RunOptions)[];

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for unknown or wrong options. */
export function resolveOptions(options: LeanIndexOptions & RunOptions): ResolvedOptions {
  checkOptions('LeanIndex', options, [...INDEX_OPTIONS, ...RUN_OPTIONS]);
  checkRunTypes(options);
  const dimensions = checkInteger('dimensions', options.dimensions, 1, 16_384);
  const { primaryBits, primaryDimensions } = options;
  if (primaryBits !== undefined) checkOneOf('primaryBits', primaryBits, PRIMARY_BITS);
  if (primaryDimensions !== undefined) {
    const most = Math.min(dimensions, PRIMARY_DIMENSIONS_MAX);
    checkInteger('primaryDimensions', primaryDimensions, 1, most);
  }
  const m = checkInteger('m', options.m ?? 16, 2, 128);
  return {
    dimensions,
    distance: parseDistance(options.distance ?? 'Cosine'),
    seed: checkInteger('seed', options.seed ?? 1, 0, 0xffff_ffff),
    m,
    efConstruction: checkInteger('efConstruction', options.efConstruction ?? 200, m, 10_000),
    primaryBits,
    primaryDimensions,
    secondaryBits: checkOneOf('secondaryBits', options.secondaryBits ?? 8, SECONDARY_BITS),
    exactBelow: checkInteger('exactBelow', options.exactBelow ?? 2000, 0, 1_000_000),
    order: checkOneOf('order', options.order ?? 'shuffle', ['shuffle', 'given'] as const),
  };
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for unknown or wrong options. */
export function checkRunOptions(options: RunOptions): void {
  checkOptions('add', options, RUN_OPTIONS);
  checkRunTypes(options);
}

function checkRunTypes({ onProgress, signal }: RunOptions): void {
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw wrongType('onProgress', 'a function', onProgress);
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw wrongType('signal', 'an AbortSignal', signal);
  }
}

export interface SearchOptions {
  /** Beam width: more finds more and takes longer. Default max(128, 2 k); at least k is used. */
  ef?: number;
  /**
   * How many of the beam, best first, are ranked anew by the full-dimensional codes. Default
   * max(50, 10 k): ranking more of it found nothing more on any data tried (docs/benchmarks.md).
   */
  rerank?: number;
}

const SEARCH_OPTIONS = ['ef', 'rerank'] as const satisfies readonly (keyof SearchOptions)[];
const COUNT_MAX = 0x7fff_ffff;

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for k below 1 or wrong options. */
export function resolveSearch(k: number, options: SearchOptions, count: number) {
  checkInteger('k', k, 1, COUNT_MAX);
  checkOptions('search', options, SEARCH_OPTIONS);
  const wanted = Math.min(k, count);
  const ef = checkInteger('ef', options.ef ?? Math.max(128, 2 * wanted), 1, COUNT_MAX);
  const width = Math.min(Math.max(ef, wanted), Math.max(1, count));
  const rerank = checkInteger('rerank', options.rerank ?? Math.max(50, 10 * wanted), 1, COUNT_MAX);
  return { k: wanted, ef: width, rerank: Math.min(Math.max(rerank, wanted), width) };
}
