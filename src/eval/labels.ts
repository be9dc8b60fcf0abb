import { checkInteger } from '../base/check.js';
import { wrongDimension } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { NO_ID } from './metrics.js';

/** Rows judged between two yields. */
const ROWS_PER_STEP = 1 << 16;

/**
 * What a row is worth to a query: 0 for nothing, 1 for the right label, or a graded judgement; not
 * negative.
 */
export type GainOf = (query: number, id: number) => number;

/** Task-centric measures of rankings (Iceberg, arXiv 2512.12980), each a mean over the queries. */
export interface TaskScores {
  /** Share of the first k that are worth something. */
  labelRecall: number;
  /** Share of queries with something worth anything among the first k. */
  hit: number;
  /** Gains of the first k as a share of what the best k rows would give; counted where there are any. */
  matching: number;
}

/**
 * @param found m x k row numbers, best first, padded with `NO_ID`; an id that comes twice counts once.
 * @param ideal for each of the m queries the largest sum of gains that k rows can have.
 */
export function taskScores(
  found: Uint32Array,
  k: number,
  gainOf: GainOf,
  ideal: ArrayLike<number>,
): TaskScores {
  checkInteger('k', k, 1, 0x7fff_ffff);
  const queries = ideal.length;
  if (found.length !== queries * k) throw wrongDimension('found', queries * k, found.length);
  const scores = { labelRecall: 0, hit: 0, matching: 0 };
  let judged = 0;
  for (let query = 0; query < queries; query++) {
    let gains = 0;
    let hits = 0;
    for (const id of new Set(found.subarray(query * k, (query + 1) * k))) {
      const gain = id === NO_ID ? 0 : gainOf(query, id);
      gains += gain;
      if (gain > 0) hits++;
    }
    scores.labelRecall += hits / k / queries;
    if (hits > 0) scores.hit += 1 / queries;
    if (ideal[query] === 0) continue;
    judged++;
    scores.matching += gains / ideal[query];
  }
  return { ...scores, matching: scores.matching / judged };
}

/** Gains of labels: 1 where a row has the query's. */
export function labelGains(labels: ArrayLike<number>, queryLabels: ArrayLike<number>): GainOf {
  return (query, id) => (labels[id] === queryLabels[query] ? 1 : 0);
}

/** The largest sum of gains of k among `count` rows, for each of `queries` queries. */
export function* idealGains(
  gainOf: GainOf,
  queries: number,
  count: number,
  k: number,
): Steps<Float64Array> {
  const ideal = new Float64Array(queries);
  for (let query = 0; query < queries; query++) {
    const gains: number[] = [];
    for (let id = 0; id < count; id++) {
      const gain = gainOf(query, id);
      if (gain > 0) gains.push(gain);
      if (id % ROWS_PER_STEP === 0) yield;
    }
    const best = gains.sort((a, b) => b - a).slice(0, k);
    ideal[query] = best.reduce((sum, gain) => sum + gain, 0);
  }
  return ideal;
}
