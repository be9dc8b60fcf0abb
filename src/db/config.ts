import { checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import { type Distance, type DistanceName, parseDistance } from '../base/distance.js';
import { outOfRange, wrongType } from '../base/errors.js';
import {
  type LeanMultiIndexOptions,
  MULTI_OPTIONS,
  type ResolvedMulti,
  resolveMulti,
} from '../fde/multi-options.js';
import { INDEX_OPTIONS, type LeanIndexOptions, resolveOptions } from '../graph/options.js';
import type { Originals } from '../store/types.js';
import type { SparseModifier } from './sparse-postings.js';
import { PAIR_NUMBERS } from './sparse-vectors.js';

/** How the index of a vector is built: the options of `LeanIndex`, all with good defaults. */
export type IndexOptions = Omit<LeanIndexOptions, 'dimensions' | 'distance'>;

/** The same where points have several vectors: the options of `LeanMultiIndex`. */
export type MultiIndexOptions = Omit<LeanMultiIndexOptions, 'dimensions' | 'pooling'>;

/** How the several vectors of a query and a point are compared. */
export interface Multivector {
  /** The sum over the query's vectors of the largest similarity with one of the point's. */
  comparator: 'max_sim';
}

/** One vector of a point, or several that are compared as one. */
export interface VectorConfig {
  /** Numbers in a vector, 1 … 16,384; 1 … 4,096 with `multivector`. */
  size: number;
  /** Default `Cosine`. `Euclid` has no `multivector`. */
  distance?: DistanceName | undefined;
  /** Points have several vectors, as late-interaction models make them. */
  multivector?: Multivector | undefined;
  /**
   * What is stored of the vectors themselves: `float32` (default), `float16` for half of the disk, or
   * `none`, which keeps but 8-bit codes: no exact search, rescoring or retrieval of vectors then.
   */
  originals?: Originals | undefined;
  index?: IndexOptions | MultiIndexOptions | undefined;
}

export interface SparseOptions {
  /**
   * `idf` weighs the values of queries by ln(1 + (N − n + 0.5) / (n + 0.5)), where n of the N points
   * that have the vector have the index. Default: `none`.
   */
  modifier?: SparseModifier | undefined;
}

/** A vector that is 0 but at some indices; compared by inner product, exactly. Always with a name. */
export interface SparseVectorConfig {
  sparse: SparseOptions;
}

/** What a collection is made of: one vector a point, or several by name. */
export interface CollectionConfig {
  vectors: VectorConfig | Readonly<Record<string, VectorConfig | SparseVectorConfig>>;
}

/** What an index of rows of numbers is made of. */
export interface IndexConfig {
  /** Numbers in a row. */
  size: number;
  distance: Distance;
  index: IndexOptions;
}

interface FieldBase {
  /** Empty for the one vector of a collection without named ones. */
  name: string;
  size: number;
  distance: Distance;
  originals: Originals;
}

export interface SingleConfig extends FieldBase, IndexConfig {
  multivector?: undefined;
  sparse?: undefined;
}

export interface MultiConfig extends FieldBase {
  multivector: Multivector;
  sparse?: undefined;
  index: MultiIndexOptions;
}

export interface SparseConfig extends FieldBase {
  multivector?: undefined;
  sparse: Required<SparseOptions>;
}

/** A dense vector of the points of a collection, everything filled in. */
export type GraphConfig = SingleConfig | MultiConfig;

/** A vector of the points of a collection, everything filled in. */
export type FieldConfig = GraphConfig | SparseConfig;

/** Whether what a point has is several rows of numbers, not one. */
export function hasSeveralRows({ multivector, sparse }: FieldConfig): boolean {
  return multivector !== undefined || sparse !== undefined;
}

const ORIGINALS: readonly Originals[] = ['float32', 'float16', 'none'];
const NAME_LENGTH_MAX = 255;
const SIZE_MAX = 16_384;
/** As much as an encoding takes. */
const MULTI_SIZE_MAX = 4096;
/** As many as the bits of a number that tells which of them a point has. */
const FIELDS_MAX = 31;

/** @throws TypeError, RangeError `INVALID_ARGUMENT` naming what is wrong. */
export function readConfig(config: unknown): FieldConfig[] {
  checkOptions('createCollection', config, ['vectors']);
  const { vectors } = config as CollectionConfig;
  if (typeof vectors !== 'object' || vectors === null || Array.isArray(vectors)) {
    throw wrongType('vectors', 'an object: { size, distance }, or such objects by name', vectors);
  }
  if (isMeantAsSingle(vectors)) return [readField('', 'vectors', vectors)];
  const names = Object.keys(vectors);
  checkInteger('the number of vectors', names.length, 1, FIELDS_MAX);
  return names.map((name) => {
    checkName('the name of a vector', name);
    // Objects of vectors by name cannot have it.
    if (name === '__proto__') throw outOfRange('the name of a vector', 'another', name);
    return readField(name, `vectors.${name}`, (vectors as Record<string, unknown>)[name]);
  });
}

/** Whether it is the settings of one vector, also where `size` was forgotten or is misspelt. */
function isMeantAsSingle(vectors: object): boolean {
  const values = Object.values(vectors);
  const isOfVectors = values.length > 0 && values.every((value) => typeof value === 'object');
  return !isOfVectors || ('originals' in vectors && typeof vectors.originals !== 'object');
}

function readField(name: string, what: string, value: unknown): FieldConfig {
  const isSparse = typeof value === 'object' && value !== null && 'sparse' in value;
  if (isSparse && name !== '') return readSparse(name, what, value);
  checkOptions(what, value, ['size', 'distance', 'originals', 'multivector', 'index']);
  if (!('size' in (value as object))) throw wrongType(`${what}.size`, 'a number', undefined);
  const { size, multivector, index = {}, ...given } = value as VectorConfig;
  const { distance = 'Cosine', originals = 'float32' } = given;
  checkInteger(`${what}.size`, size, 1, multivector ? MULTI_SIZE_MAX : SIZE_MAX);
  const base = {
    name,
    size,
    distance: parseDistance(distance),
    originals: checkOneOf(`${what}.originals`, originals, ORIGINALS),
  };
  if (multivector !== undefined) {
    const own = readMultivector(what, multivector);
    return checkMulti(what, { ...base, multivector: own, index: index as MultiIndexOptions });
  }
  checkOptions(`${what}.index`, index, OWN_INDEX_OPTIONS);
  resolveOptions({ ...(index as IndexOptions), dimensions: size, distance: base.distance });
  return { ...base, index: { ...(index as IndexOptions) } };
}

function readSparse(name: string, what: string, value: object): SparseConfig {
  checkOptions(what, value, ['sparse']);
  const { sparse } = value as { sparse: unknown };
  checkOptions(`${what}.sparse`, sparse, ['modifier']);
  const { modifier = 'none' } = sparse as SparseOptions;
  checkOneOf(`${what}.sparse.modifier`, modifier, ['none', 'idf']);
  const asStored = { size: PAIR_NUMBERS, distance: 'Dot', originals: 'float32' } as const;
  return { name, ...asStored, sparse: { modifier } };
}

function readMultivector(what: string, value: unknown): Multivector {
  checkOptions(`${what}.multivector`, value, ['comparator']);
  const { comparator } = value as Partial<Multivector>;
  checkOneOf(`${what}.multivector.comparator`, comparator, ['max_sim']);
  return { comparator: 'max_sim' };
}

function checkMulti(what: string, field: MultiConfig): MultiConfig {
  if (field.distance === 'Euclid') {
    throw outOfRange(`${what}.distance`, 'Cosine or Dot with multivector', field.distance);
  }
  checkOptions(`${what}.index`, field.index, OWN_MULTI_OPTIONS);
  resolveOptions(multiSettings(field).index);
  // A copy: it has an object in it.
  return { ...field, index: structuredClone(field.index) };
}

/** How the vectors of a field's points are encoded, kept and indexed in memory. */
export function multiSettings({ size, index }: MultiConfig): ResolvedMulti {
  return resolveMulti({ ...index, dimensions: size });
}

/** All that what is made of a field's vectors depends on. */
export function settingsOf(config: GraphConfig): object {
  return config.multivector === undefined ? config : { ...config, ...multiSettings(config) };
}

/** The others are those of the vector itself. */
const OWN_INDEX_OPTIONS = INDEX_OPTIONS.filter(
  (name) => name !== 'dimensions' && name !== 'distance',
);
/** What is stored is what was given: whoever wants fewer vectors pools them before. */
const OWN_MULTI_OPTIONS = MULTI_OPTIONS.filter(
  (name) => name !== 'dimensions' && name !== 'pooling',
);

/** A name of a collection or a vector: what paths, queries and other systems can carry. */
export function checkName(what: string, name: unknown): string {
  if (typeof name !== 'string') throw wrongType(what, 'a string', name);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
  const isFine = /^[^\u0000-\u001f\u007f/\\<>:"|?*]+$/u.test(name);
  if (!isFine || name.length > NAME_LENGTH_MAX) {
    const expected = `1 to ${NAME_LENGTH_MAX} characters without any of / \\ < > : " | ? *`;
    throw outOfRange(what, expected, name);
  }
  return name;
}
