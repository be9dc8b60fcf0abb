import { checkRows } from '../base/check.js';
import { outOfRange } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { type IndexModel, modelSteps } from '../quant/model.js';
import type { ResolvedOptions } from './options.js';
import { checkRowValues } from './rows.js';

/** Trains on a sample, and for queries where there are some, once their values are checked. */
export function* trainSteps(
  sample: Float32Array,
  queries: Float32Array | undefined,
  options: ResolvedOptions,
): Steps<IndexModel> {
  yield* checkRowValues(sample, { ...options, model: undefined }, 'sample');
  yield* checkQueryValues(queries, options);
  return yield* modelSteps(sample, { ...options, queries });
}

/** @throws RangeError as checkRowValues() does. */
export function* checkQueryValues(
  queries: Float32Array | undefined,
  options: ResolvedOptions,
): Steps<void> {
  if (queries === undefined) return;
  yield* checkRowValues(queries, { ...options, model: undefined }, 'queries');
}

/** @throws TypeError, RangeError unless there are no queries to train for, or one row or more. */
export function checkQueries(
  queries: Float32Array | undefined,
  dimensions: number,
): Float32Array | undefined {
  if (queries === undefined) return undefined;
  if (checkRows('queries', queries, dimensions) === 0) {
    throw outOfRange('queries', 'at least one row', queries);
  }
  return queries;
}
