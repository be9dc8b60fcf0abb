import { checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import type { FoundRow } from './search-plan.js';

/** A list to be fused, best first. */
export interface RankedList {
  rows: readonly FoundRow[];
  /** Whether a smaller score is better. */
  isDistance: boolean;
}

/** How lists become one, checked. */
export type FusionPlan =
  | { method: 'rrf'; k: number; weights: readonly number[] }
  | { method: 'dbsf' };

/** Mitigates the lead of the first ranks; what Qdrant takes. */
const RRF_K = 2;
const RRF_K_MAX = 1_000_000;
/** Scores are taken to lie within so many standard deviations of their mean. */
const DEVIATIONS = 3;

/** @throws TypeError, RangeError `INVALID_ARGUMENT` naming what is wrong. */
export function readFusion(value: unknown, lists: number): FusionPlan {
  if (value === 'dbsf') return { method: 'dbsf' };
  const ones = () => new Array<number>(lists).fill(1);
  if (typeof value !== 'object' || value === null) {
    checkOneOf('fusion', value, ['rrf', 'dbsf']);
    return { method: 'rrf', k: RRF_K, weights: ones() };
  }
  checkOptions('fusion', value, ['rrf']);
  const { rrf } = value as { rrf?: unknown };
  checkOptions('fusion.rrf', rrf, ['k', 'weights']);
  const { k = RRF_K, weights = ones() } = rrf as { k?: unknown; weights?: unknown };
  if (!Array.isArray(weights)) throw wrongType('fusion.rrf.weights', 'an array', weights);
  if (weights.length !== lists) {
    throw outOfRange(
      'the number of fusion.rrf.weights',
      `that of prefetches, ${lists}`,
      weights.length,
    );
  }
  const isWeight = (weight: unknown) => Number.isFinite(weight) && (weight as number) >= 0;
  const wrong = weights.find((weight) => !isWeight(weight));
  if (wrong !== undefined) throw outOfRange('a weight', 'a number from 0 on', wrong);
  return { method: 'rrf', k: checkInteger('fusion.rrf.k', k, 1, RRF_K_MAX), weights };
}

/** One list of the rows of all, each once, the highest score first, equal ones by row. */
export function fuse(lists: readonly RankedList[], plan: FusionPlan): FoundRow[] {
  const sums = new Map<number, number>();
  for (const [i, { rows, isDistance }] of lists.entries()) {
    const scores = plan.method === 'rrf' ? ranks(rows, plan, i) : normalized(rows, isDistance);
    for (const [at, { row }] of rows.entries()) sums.set(row, (sums.get(row) ?? 0) + scores[at]!);
  }
  const fused = Array.from(sums, ([row, score]) => ({ row, score }));
  return fused.sort((a, b) => b.score - a.score || a.row - b.row);
}

/**
 * Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009), weighted as by Qdrant: a weight of 3 counts
 * each three places as one. 1 / ((place + 1) / weight + k − 1), places from 0 on.
 */
function ranks(
  rows: readonly unknown[],
  { k, weights }: Extract<FusionPlan, { method: 'rrf' }>,
  list: number,
): number[] {
  const weight = weights[list]!;
  return rows.map((_, place) => (weight === 0 ? 0 : 1 / ((place + 1) / weight + k - 1)));
}

/**
 * Distribution-based score fusion: 0 … 1 between three standard deviations (of the sample) below and
 * above the mean; 0.5 where all scores are equal. Distances count with their sign changed.
 */
function normalized(rows: readonly FoundRow[], isDistance: boolean): number[] {
  const scores = rows.map(({ score }) => (isDistance ? -score : score));
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  const span = DEVIATIONS * Math.sqrt(squares / (scores.length - 1));
  // A single score has no deviation: 0 / 0.
  if (!(span > 0)) return scores.map(() => 0.5);
  return scores.map((score) => (score - mean + span) / (2 * span));
}
