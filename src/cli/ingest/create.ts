import { checkOneOf } from '../../base/check.js';
import { LeandexError, outOfRange } from '../../base/errors.js';
import type { Collection } from '../../db/collection.js';
import type { SparseVectorConfig, VectorConfig } from '../../db/config.js';
import type { Database } from '../../db/database.js';
import type { Originals, Point } from '../../db/types.js';
import type { Preset } from '../../graph/options.js';

/** How the vectors of a collection are kept that is made. */
export interface CreateFlags {
  distance?: string | undefined;
  preset?: Preset | undefined;
  originals?: Originals | undefined;
}

const FLAGS = ['distance', 'preset', 'originals'] as const;

/**
 * The collection of this name, or a new one for points that are like the first.
 * @throws RangeError `INVALID_ARGUMENT` for flags about a collection that is there already, or none
 * where there is no point to tell what its vectors are.
 */
export async function collectionFor(
  db: Database,
  name: string,
  first: Point | undefined,
  flags: CreateFlags,
): Promise<{ collection: Collection; isNew: boolean }> {
  if ((await db.listCollections()).includes(name)) {
    const flag = FLAGS.find((flag) => flags[flag] !== undefined);
    if (flag === undefined) return { collection: await db.collection(name), isNew: false };
    throw outOfRange(`--${flag}`, `left out: the collection ${name} is there`, flags[flag]);
  }
  if (first === undefined) {
    throw new LeandexError('NOT_FOUND', 'there are no points to make a collection of');
  }
  const vectors = vectorsLike(first.vector, flags);
  return { collection: await db.createCollection(name, { vectors }), isNew: true };
}

function vectorsLike(
  vector: unknown,
  flags: CreateFlags,
): VectorConfig | Record<string, VectorConfig | SparseVectorConfig> {
  if (isList(vector)) return configLike('vector', vector, flags);
  checkOneOf('the vectors of the first point', typeof vector, ['object']);
  const named = Object.entries(vector as object).map(([name, one]) => [
    name,
    isList(one) ? configLike(`vector ${name}`, one, flags) : { sparse: {} },
  ]);
  return Object.fromEntries(named);
}

function configLike(
  what: string,
  vector: ArrayLike<unknown>,
  { distance, preset, originals }: CreateFlags,
): VectorConfig {
  const isMulti = isList(vector[0]);
  const size = isMulti ? (vector[0] as ArrayLike<unknown>).length : vector.length;
  if (isMulti && preset !== undefined) {
    throw outOfRange('--preset', `left out: ${what} is of several, which have none`, preset);
  }
  return {
    size,
    ...(distance !== undefined && { distance: distance as VectorConfig['distance'] & string }),
    ...(originals !== undefined && { originals }),
    ...(isMulti && { multivector: { comparator: 'max_sim' } }),
    ...(preset !== undefined && { index: { preset } }),
  };
}

function isList(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}
