import { join } from 'node:path';
import { corrupt } from './errors.js';
import { readNpy, toFloat32 } from './npy.js';
import { sharedFolder } from './shared.js';

/** A KV-cache of a language model, with queries and what its attention gave for them. */
export type KvCacheSet = {
  readonly name: string;
  readonly layers: number;
  readonly tokens: number;
  /** [layers, tokens, width], before RoPE. */
  readonly keys: Float32Array;
  /** [layers, tokens, width]. */
  readonly values: Float32Array;
  /** [layers, queryCount, queryWidth], before RoPE, of the last positions. */
  readonly queries: Float32Array;
  /** The outputs of attention, of the shape of queries. */
  readonly attention: Float32Array;
  readonly queryCount: number;
};

/** What SmolLM2-135M, of which the caches are, is made like. */
export const SMOLLM2 = {
  kvHeads: 3,
  headDim: 64,
  queryHeads: 9,
  rope: { theta: 100_000, style: 'half' },
} as const;

/**
 * Layers from … to − 1 of a cache in ../shared/datasets (all unless given); undefined where it is not
 * there. Throws CORRUPT when files do not fit one another.
 */
export function loadKvCache(name: string, from = 0, to?: number): KvCacheSet | undefined {
  const folder = sharedFolder(name);
  if (folder === undefined) return undefined;
  const read = (file: string) => {
    const array = readNpy(join(folder, `${file}.npy`));
    const [layers, rows, width] = array.shape;
    if (width === undefined)
      throw corrupt(folder, { offset: 0 }, `3 axes in ${file}`, `${array.shape}`);
    const end = to ?? layers;
    const data = toFloat32(array).slice(from * rows * width, end * rows * width);
    return { layers: end - from, rows, width, data };
  };
  const [keys, values] = [read('keys'), read('values')];
  const [queries, attention] = [read('queries'), read('attention')];
  const isWhole = keys.data.length === keys.layers * keys.rows * keys.width;
  if (!isWhole || values.data.length !== keys.data.length) {
    throw corrupt(
      folder,
      { offset: 0 },
      'values of the shape of the keys',
      `${values.data.length} numbers`,
    );
  }
  return {
    name,
    layers: keys.layers,
    tokens: keys.rows,
    keys: keys.data,
    values: values.data,
    queries: queries.data,
    attention: attention.data,
    queryCount: queries.rows,
  };
}
