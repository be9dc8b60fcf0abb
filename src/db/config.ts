import { checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import { type Distance, type DistanceName, parseDistance } from '../base/distance.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { INDEX_OPTIONS, type LeanIndexOptions, resolveOptions } from '../graph/options.js';
import type { Originals } from '../store/types.js';

/** How the index of a vector is built: the options of `LeanIndex`, all with good defaults. */
export type IndexOptions = Omit<LeanIndexOptions, 'dimensions' | 'distance'>;

/** One vector of a point. */
export interface VectorConfig {
  /** Numbers in the vector, 1 … 16,384. */
  size: number;
  /** Default `Cosine`. */
  distance?: DistanceName | undefined;
  /**
   * What is stored of the vectors themselves: `float32` (default), `float16` for half of the disk, or
   * `none`, which keeps but 8-bit codes: no exact search, rescoring or retrieval of vectors then.
   */
  originals?: Originals | undefined;
  index?: IndexOptions | undefined;
}

/** What a collection is made of: one vector a point, or several by name. */
export interface CollectionConfig {
  vectors: VectorConfig | Readonly<Record<string, VectorConfig>>;
}

/** A vector of the points of a collection, everything filled in. */
export interface FieldConfig {
  /** Empty for the one vector of a collection without named ones. */
  name: string;
  size: number;
  distance: Distance;
  originals: Originals;
  index: IndexOptions;
}

const ORIGINALS: readonly Originals[] = ['float32', 'float16', 'none'];
const NAME_LENGTH_MAX = 255;
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
  checkOptions(what, value, ['size', 'distance', 'originals', 'index']);
  if (!('size' in (value as object))) throw wrongType(`${what}.size`, 'a number', undefined);
  const { size, distance = 'Cosine', originals = 'float32', index = {} } = value as VectorConfig;
  checkInteger(`${what}.size`, size, 1, 16_384);
  const field = {
    name,
    size,
    distance: parseDistance(distance),
    originals: checkOneOf(`${what}.originals`, originals, ORIGINALS),
    index: { ...index },
  };
  checkOptions(`${what}.index`, index, OWN_INDEX_OPTIONS);
  resolveOptions({ ...index, dimensions: size, distance });
  return field;
}

/** The others are those of the vector itself. */
const OWN_INDEX_OPTIONS = INDEX_OPTIONS.filter(
  (name) => name !== 'dimensions' && name !== 'distance',
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
