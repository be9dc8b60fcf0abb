import { outOfRange, wrongType } from '../base/errors.js';
import { runSteps } from '../base/steps.js';
import { readHnswlibSteps } from '../format/hnswlib.js';
import { LeanIndex } from './lean-index.js';
import type { BuildOptions, LeanIndexOptions } from './options.js';

/** An imported index: the vector with id i had the label labels[i]. */
export interface HnswlibImport {
  index: LeanIndex;
  labels: BigUint64Array;
}

/** As many as LeanIndex takes. */
const LINKS_MAX = 128;
/** hnswlib takes any; more than this takes long and finds nothing more. */
const EF_CONSTRUCTION_MAX = 500;

/**
 * Builds an index of the vectors in an hnswlib index file, as hnswlib-node and Python's hnswlib
 * write them; elements marked as deleted are left out. The file does not name its metric, so
 * `distance` must. Its M and efConstruction are taken over unless the options say otherwise. Labels
 * may repeat where hnswlib replaced deleted elements.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH` for other dimensions than
 * the file's; LeandexError `CORRUPT` for damaged bytes; and as LeanIndex.build().
 */
export async function importHnswlib(
  bytes: Uint8Array,
  options: LeanIndexOptions & BuildOptions,
): Promise<HnswlibImport> {
  if (!(bytes instanceof Uint8Array)) throw wrongType('bytes', 'a Uint8Array', bytes);
  if (options?.distance === undefined) {
    throw outOfRange('distance', 'given: the file does not name its metric', undefined);
  }
  const { signal } = options;
  const content = await runSteps(
    readHnswlibSteps(bytes, options.dimensions),
    signal === undefined ? {} : { signal },
  );
  const { vectors, labels } = content;
  const m = options.m ?? Math.max(2, Math.min(LINKS_MAX, content.m));
  const width = Math.min(EF_CONSTRUCTION_MAX, content.efConstruction);
  const efConstruction = options.efConstruction ?? Math.max(m, width);
  const index = await LeanIndex.build(vectors, { ...options, m, efConstruction });
  return { index, labels };
}
