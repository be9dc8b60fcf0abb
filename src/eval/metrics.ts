import { checkInteger } from '../base/check.js';
import { wrongDimension } from '../base/errors.js';
import type { GroundTruth } from './ground-truth.js';

/**
 * How far beyond the k-th true score a result still counts as tied with it. Of inner products and
 * distances that are all below 1 it is that share: among small vectors all would be tied otherwise.
 */
export const TIE_TOLERANCE = 1e-6;

/** Fills the rest of a row of found ids when a search returned fewer than it was asked for. */
export const NO_ID = 0xffff_ffff;

export type RecallOptions = {
  /** Ids in each row of `found`, at least k; only the first k of each row count. Default k. */
  readonly foundPerQuery?: number;
  /**
   * The exact score of a row of the corpus for a query, on the scale of the ground truth. It is
   * asked only for ids outside the ground truth when a tie may run on beyond its end; without it
   * such ids count as misses, so that recall is never overstated.
   */
  readonly scoreOf?: (query: number, id: number) => number;
};

/**
 * Mean recall@k over the queries. Tie rule: a returned id is a hit when its true distance is at
 * most the k-th true distance + 1e-6 (its true similarity at least the k-th - 1e-6; see
 * `TIE_TOLERANCE` for small numbers); an id that is returned twice counts once. NaN when there are no queries.
 *
 * @param found m x `foundPerQuery` row numbers, best first, padded with `NO_ID`.
 * @param truth the exact neighbours of the same m queries, at least k each; take more than k, or
 *   give `scoreOf`, where ties at the k-th are to be recognised.
 */
export function recallAtK(
  found: Uint32Array,
  truth: GroundTruth,
  k: number,
  options: RecallOptions = {},
): number {
  return mean(recallPerQuery(found, truth, k, options));
}

/** recall@k of each query, in [0, 1]; see `recallAtK`. */
export function recallPerQuery(
  found: Uint32Array,
  truth: GroundTruth,
  k: number,
  options: RecallOptions = {},
): Float64Array {
  const { foundPerQuery = k, scoreOf } = options;
  checkInteger('k', k, 1, truth.k);
  checkInteger('foundPerQuery', foundPerQuery, k, Number.MAX_SAFE_INTEGER);
  const queries = truth.ids.length / truth.k;
  if (found.length !== queries * foundPerQuery) {
    throw wrongDimension('found', queries * foundPerQuery, found.length);
  }
  const recalls = new Float64Array(queries);
  for (let query = 0; query < queries; query++) {
    const row = found.subarray(query * foundPerQuery, query * foundPerQuery + k);
    const { certain, open } = acceptable(truth, query, k);
    let hits = 0;
    for (const id of new Set(row)) {
      if (id === NO_ID) continue;
      if (certain.has(id) || (scoreOf && open?.(scoreOf(query, id)))) hits += 1;
    }
    recalls[query] = hits / k;
  }
  return recalls;
}

/**
 * The ids that the ground truth itself shows to be hits, and, when even its last neighbour is
 * still tied with the k-th, a test for the scores of ids that it does not hold.
 */
function acceptable(
  truth: GroundTruth,
  query: number,
  k: number,
): { certain: Set<number>; open?: (score: number) => boolean } {
  const start = query * truth.k;
  const kth = truth.scores[start + k - 1];
  const largest = Math.max(Math.abs(truth.scores[start]), Math.abs(kth));
  const tolerance = TIE_TOLERANCE * (truth.distance === 'Cosine' ? 1 : Math.min(1, largest));
  const hit =
    truth.distance === 'Euclid'
      ? (score: number) => score <= kth + tolerance
      : (score: number) => score >= kth - tolerance;
  let end = start + k;
  while (end < start + truth.k && hit(truth.scores[end])) end += 1;
  const certain = new Set(truth.ids.subarray(start, end));
  return end === start + truth.k ? { certain, open: hit } : { certain };
}

/** A measure of one ranking against the judgements of its query, cut off at rank k. */
export type RankingMetric = (
  ranked: readonly string[],
  judgements: ReadonlyMap<string, number>,
  k: number,
) => number;

/**
 * nDCG@k as trec_eval has it: the gain is the judgement itself (linear; 0 for unjudged documents
 * and judgements below 0), the discount is log2(rank + 1) with ranks from 1, and the ideal ranking
 * is that of all judged documents. 0 when no judgement is positive. A document that is ranked
 * twice gains once, at its first rank.
 */
export const ndcgAtK: RankingMetric = (ranked, judgements, k) => {
  checkInteger('k', k, 1, Number.MAX_SAFE_INTEGER);
  const ideal = discountedGain([...judgements.values()].sort((a, b) => b - a).slice(0, k));
  if (ideal === 0) return 0;
  const seen = new Set<string>();
  const gains = ranked.slice(0, k).map((id) => {
    const gain = seen.has(id) ? 0 : (judgements.get(id) ?? 0);
    seen.add(id);
    return gain;
  });
  return discountedGain(gains) / ideal;
};

/** 1 / rank of the first document with a positive judgement, 0 when none is among the first k. */
export const mrrAtK: RankingMetric = (ranked, judgements, k) => {
  checkInteger('k', k, 1, Number.MAX_SAFE_INTEGER);
  const index = ranked.slice(0, k).findIndex((id) => (judgements.get(id) ?? 0) > 0);
  return index < 0 ? 0 : 1 / (index + 1);
};

/**
 * The share of the documents with a positive judgement that are among the first k, all positive
 * judgements counting the same; 0 when there are none. At most k of them can be, so with more
 * than k positive judgements 1 is out of reach, as in trec_eval.
 */
export const recallFromQrelsAtK: RankingMetric = (ranked, judgements, k) => {
  checkInteger('k', k, 1, Number.MAX_SAFE_INTEGER);
  const relevant = [...judgements.values()].filter((score) => score > 0).length;
  if (relevant === 0) return 0;
  const hits = [...new Set(ranked.slice(0, k))].filter((id) => (judgements.get(id) ?? 0) > 0);
  return hits.length / relevant;
};

/**
 * The mean of a metric over all queries with at least one positive judgement, and how many those
 * are. A judged query without a ranking counts as an empty one; rankings of queries without
 * judgements are ignored. The mean is NaN when no query counts.
 *
 * @param rankings query id to document ids, best first.
 * @param qrels query id to document id to judgement.
 */
export function meanOverJudged(
  metric: RankingMetric,
  rankings: ReadonlyMap<string, readonly string[]>,
  qrels: ReadonlyMap<string, ReadonlyMap<string, number>>,
  k: number,
): { mean: number; queries: number } {
  const values: number[] = [];
  for (const [query, judgements] of qrels) {
    if (![...judgements.values()].some((score) => score > 0)) continue;
    values.push(metric(rankings.get(query) ?? [], judgements, k));
  }
  return { mean: mean(values), queries: values.length };
}

function discountedGain(gains: readonly number[]): number {
  return gains.reduce((sum, gain, i) => sum + Math.max(0, gain) / Math.log2(i + 2), 0);
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
