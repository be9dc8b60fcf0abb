import type { Advice, AdviseOptions } from '../advise/advice.js';
import { advise, sampleSize } from '../advise/advise.js';
import { checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import { LeandexError } from '../base/errors.js';
import { Random } from '../base/random.js';
import { throwIfAborted } from '../base/steps.js';
import { hasSeveralRows } from './config.js';
import type { SearchContext } from './search-plan.js';

/** How to advise on a vector of a collection; size, distance and number are the collection's own. */
export interface CollectionAdviseOptions
  extends Omit<AdviseOptions, 'dimensions' | 'distance' | 'labels' | 'count' | 'trainWithQueries'> {
  /** The name of the vector, where there are several. */
  using?: string | undefined;
}

const OPTIONS = [
  ...['using', 'queries', 'k', 'recall', 'memory', 'sample', 'seed'],
  ...['onProgress', 'signal', 'threads'],
];
/** Rows for queries are drawn besides those of the trials. */
const ASKING_ROWS = 512;

/**
 * advise() of a sample of the stored vectors, for as many as there are.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`; LeandexError `UNSUPPORTED` where points have
 * several vectors or no originals are kept, `ABORTED`.
 */
export async function adviseOn(
  { state, stored }: SearchContext,
  options: CollectionAdviseOptions,
): Promise<Advice> {
  checkOptions('advise', options, OPTIONS);
  const { using, ...wish } = options;
  const names = state.fields.map(({ config }) => config.name);
  const number = names.indexOf(checkOneOf('using', using ?? names[0], names));
  const { config } = state.fields[number];
  if (hasSeveralRows(config) || config.originals === 'none') {
    const needs = 'advice needs originals of one dense vector a point';
    throw new LeandexError('UNSUPPORTED', `${needs}, which ${config.name || 'this'} has not`);
  }
  const { signal, seed = 1, sample = sampleSize(config.size) } = wish;
  checkInteger('seed', seed, 0, 0xffff_ffff);
  checkInteger('sample', sample, 2048, 1_000_000 - 1);
  throwIfAborted(signal);
  const all = state.fieldRows[number].toUint32Array();
  const order = new Random(seed).permutation(all.length).subarray(0, sample + ASKING_ROWS);
  const rows = order.map((place) => all[place]).sort();
  const { vectors } = await stored.readVectors(number, rows);
  return advise(vectors, {
    ...wish,
    dimensions: config.size,
    distance: config.distance,
    count: Math.max(1, all.length),
    // Its index is built by itself, of what is stored.
    trainWithQueries: false,
  });
}
