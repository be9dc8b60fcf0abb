import { checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import { type Distance, type DistanceName, parseDistance } from '../base/distance.js';
import { outOfRange } from '../base/errors.js';
import { checkRunTypes, type RunOptions } from '../base/steps.js';
import {
  PRIMARY_BITS,
  type PrimaryBits,
  SECONDARY_BITS,
  type SecondaryBits,
} from '../quant/layout.js';
import { AllowList } from './allow-list.js';
import type { AllowedIds } from './id-set.js';
import type { IdTable } from './id-table.js';
import type { SearchPlan } from './search.js';

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
  /**
   * Bits a number in the primary codes that the traversal reads (7 is stored in a byte; 32 traverses
   * the vectors as float32, unprojected, to compare with). Default 2, more where the data need it.
   */
  primaryBits?: PrimaryBits;
  /** Dimensions that the projection keeps. Default: what fills the cache lines of a code. */
  primaryDimensions?: number;
  /** Values for the options that are not given. Default `default`. */
  preset?: Preset;
  /**
   * Bits a number in the full-dimensional codes of the re-rank; 32 keeps float32. `nested` refines
   * the primary codes instead of storing the vector a second time: a third of the bytes of 8 bits,
   * recall@10 ends near .97 on text embeddings. It needs 2-bit primary codes (the default above 120
   * dimensions) and no `queries` to train for, else 4 bits serve. `none` keeps the primary codes
   * alone, for candidates that the caller ranks anew. Default 8, with the preset `compact` nested.
   */
  secondaryBits?: SecondaryBits;
  /** Fewer vectors than this are kept as float32 and scanned exactly. Default 2,000. */
  exactBelow?: number;
  /**
   * Order of bulk insertion. Default `shuffle`, seeded. By local intrinsic dimensionality, ascending
   * or descending, helps or harms depending on the data (docs/tuning.md).
   */
  order?: InsertionOrder;
  /**
   * Memories that the index is spread over, 1 … 256, each of at most 4 GiB; they are searched side by
   * side. Default 1.
   */
  shards?: number;
}

/** Fewer vectors are scanned, unless `exactBelow` says otherwise. */
export const DEFAULT_EXACT_BELOW = 2000;

/** `compact` takes about half of the memory of `default`, for some recall (docs/tuning.md). */
export type Preset = 'default' | 'compact';
const PRESETS: Readonly<Record<Preset, Partial<LeanIndexOptions>>> = {
  default: {},
  compact: { secondaryBits: 'nested' },
};

export type InsertionOrder = 'shuffle' | 'given' | 'lid-asc' | 'lid-desc';
const INSERTION_ORDERS: readonly InsertionOrder[] = ['shuffle', 'given', 'lid-asc', 'lid-desc'];

/** How to build or train; nothing of it is kept. */
export interface BuildOptions extends RunOptions {
  /** Threads that work on it. Default: as many as the machine runs at once. The result is the same. */
  threads?: number;
  /**
   * Queries of the kind to come, rows of `dimensions` numbers, a thousand or more: the projection is
   * then trained for them (LeanVec-OOD). Not those that recall will be measured with.
   */
  queries?: Float32Array;
}

/** How to change an index. */
export type WriteOptions = Omit<BuildOptions, 'queries'>;

/** Names for rows. */
export interface IdOptions {
  /**
   * The ids of the rows, one for each, all different, 0 … 2^32 − 2 and none of them in the index; in
   * any order and with gaps. Ids of deleted vectors may come back: what ids mean is then up to the
   * caller. Default: the numbers that follow the largest id that ever was.
   */
  ids?: Uint32Array;
}

/** How to add rows. */
export type AddOptions = WriteOptions & IdOptions;

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
  shards: number;
}

export const INDEX_OPTIONS = [
  'dimensions',
  'preset',
  'distance',
  'seed',
  'm',
  'efConstruction',
  'primaryBits',
  'primaryDimensions',
  'secondaryBits',
  'exactBelow',
  'order',
  'shards',
] as const satisfies readonly (keyof LeanIndexOptions)[];

/** The random rotation of more would take minutes. */
const PRIMARY_DIMENSIONS_MAX = 4096;

const RUN_OPTIONS = ['onProgress', 'signal'] as const satisfies readonly (keyof RunOptions)[];
const WRITE_OPTIONS = [
  ...RUN_OPTIONS,
  'threads',
] as const satisfies readonly (keyof WriteOptions)[];

/**
 * @param more names of further options, which the caller checks.
 * @throws TypeError, RangeError `INVALID_ARGUMENT` for unknown or wrong options.
 */
export function resolveOptions(
  given: LeanIndexOptions & BuildOptions,
  more: readonly string[] = [],
): ResolvedOptions {
  checkOptions('LeanIndex', given, [...INDEX_OPTIONS, ...WRITE_OPTIONS, 'queries', ...more]);
  checkWriteTypes(given);
  const presets = Object.keys(PRESETS) as Preset[];
  const options = withPreset(given, checkOneOf('preset', given.preset ?? 'default', presets));
  const dimensions = checkInteger('dimensions', options.dimensions, 1, 16_384);
  const { primaryBits, primaryDimensions } = options;
  if (primaryBits !== undefined) checkOneOf('primaryBits', primaryBits, PRIMARY_BITS);
  if (primaryDimensions !== undefined) {
    const most = Math.min(dimensions, PRIMARY_DIMENSIONS_MAX);
    checkInteger('primaryDimensions', primaryDimensions, 1, most);
  }
  const secondaryBits = checkOneOf('secondaryBits', options.secondaryBits ?? 8, SECONDARY_BITS);
  if (secondaryBits === 'none' && primaryBits === 32) {
    throw outOfRange('secondaryBits', 'codes with primaryBits 32', secondaryBits);
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
    secondaryBits,
    exactBelow: checkInteger('exactBelow', options.exactBelow ?? DEFAULT_EXACT_BELOW, 0, 1_000_000),
    order: checkOneOf('order', options.order ?? 'shuffle', INSERTION_ORDERS),
    shards: checkInteger('shards', options.shards ?? 1, 1, 256),
  };
}

/** The preset's values where no other is given. */
function withPreset(given: LeanIndexOptions, preset: Preset): LeanIndexOptions {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...PRESETS[preset], ...Object.fromEntries(set), dimensions: given.dimensions };
}

/**
 * @param more names of further options, which the caller checks.
 * @throws TypeError, RangeError `INVALID_ARGUMENT` for unknown or wrong options.
 */
export function checkWriteOptions(
  what: string,
  options: WriteOptions,
  more: readonly string[] = [],
): void {
  checkOptions(what, options, [...WRITE_OPTIONS, ...more]);
  checkWriteTypes(options);
}

/** As checkWriteOptions(), for what runs in this thread. */
export function checkRunOptions(
  what: string,
  options: RunOptions,
  more: readonly string[] = [],
): void {
  checkOptions(what, options, [...RUN_OPTIONS, ...more]);
  checkRunTypes(options);
}

function checkWriteTypes(options: WriteOptions): void {
  if (options.threads !== undefined) checkInteger('threads', options.threads, 1, 1024);
  checkRunTypes(options);
}

export interface SearchOptions {
  /**
   * Beam width: more finds more and takes longer. Default max(128, 2 k); at least k is used. Where
   * `allow` leaves vectors out, the beam is as much wider as finds the same.
   */
  ef?: number;
  /**
   * How many of the beam, best first, are ranked anew by the full-dimensional codes. Default two
   * thirds of ef, but at least 4 k and at most max(50, 10 k).
   */
  rerank?: number;
  /**
   * Restricts the search to these ids: a bitmap (bit id & 7 of byte id >> 3), a list or a set of ids,
   * or what `index.allowList()` made of one, which saves translating it for every search.
   */
  allow?: AllowedIds | AllowList;
}

const SEARCH_OPTIONS = [
  'ef',
  'rerank',
  'allow',
] as const satisfies readonly (keyof SearchOptions)[];
const COUNT_MAX = 0x7fff_ffff;

/**
 * The plan of a search among `count` vectors.
 * @throws TypeError, RangeError `INVALID_ARGUMENT` for k below 1 or wrong options.
 */
export function resolveSearch(
  k: number,
  options: SearchOptions,
  count: number,
  ids: IdTable,
): SearchPlan {
  checkInteger('k', k, 1, COUNT_MAX);
  checkOptions('search', options, SEARCH_OPTIONS);
  const allow = options.allow === undefined ? undefined : resolveAllow(options.allow, ids);
  const wanted = Math.min(k, allow === undefined ? count : Math.min(count, allow.count));
  const ef = checkInteger('ef', options.ef ?? Math.max(128, 2 * wanted), 1, COUNT_MAX);
  const width = Math.min(Math.max(ef, wanted), Math.max(1, count));
  const rerank = checkInteger(
    'rerank',
    options.rerank ?? defaultRerank(wanted, width),
    1,
    COUNT_MAX,
  );
  return { k: wanted, ef: width, rerank: Math.min(Math.max(rerank, wanted), width), allow };
}

/**
 * The nearest by full codes are nearly always among the first two thirds of the beam, and the first
 * max(50, 10 k) of any beam (docs/benchmarks.md).
 */
function defaultRerank(k: number, ef: number): number {
  return Math.min(Math.max(50, 10 * k), Math.max(4 * k, Math.ceil((2 / 3) * ef)));
}

function resolveAllow(allow: AllowedIds | AllowList, ids: IdTable): AllowList {
  if (!(allow instanceof AllowList)) return new AllowList(allow, ids);
  if (!allow.belongsTo(ids)) throw outOfRange('allow', 'an allow-list of this index', 'another’s');
  return allow;
}
