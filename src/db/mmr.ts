import { checkInteger, checkOptions } from '../base/check.js';
import { outOfRange } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { maxSimScorer, type Scorer, vectorScorer } from '../store/scorers.js';
import type { FieldConfig } from './config.js';
import type { FoundRow } from './search-plan.js';
import { sparseScorer } from './sparse-vectors.js';

/** How to choose, checked. */
export interface MmrPlan {
  /** Weight of relevance against diversity, 1 … 0. */
  lambda: number;
  candidates: number;
}

/** A row to choose from, with its vector, or vectors one behind the other. */
export interface Candidate {
  found: FoundRow;
  vector: Float32Array;
}

const CANDIDATES_MAX = 16_384;
const CANDIDATES_EACH = 4;
const PAIRS_PER_STEP = 64;

/** As many as these, if there may be so many. */
export function candidatesFor(count: number): number {
  return Math.min(CANDIDATES_MAX, count);
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` naming what is wrong. */
export function readMmr(value: unknown, wanted: number): MmrPlan {
  checkOptions('mmr', value, ['diversity', 'candidates']);
  const { diversity = 0.5, candidates } = value as { diversity?: unknown; candidates?: unknown };
  if (typeof diversity !== 'number' || !(diversity >= 0 && diversity <= 1)) {
    throw outOfRange('mmr.diversity', 'a number from 0 to 1', diversity);
  }
  const usual = candidatesFor(CANDIDATES_EACH * wanted);
  const count = checkInteger('mmr.candidates', candidates ?? usual, 1, CANDIDATES_MAX);
  return { lambda: 1 - diversity, candidates: count };
}

/**
 * Maximal marginal relevance (Carbonell, Goldstein 1998): first the most relevant one, then again and
 * again the one with the largest λ · relevance − (1 − λ) · similarity to the nearest one chosen. Scores
 * stay those of the search.
 */
export function* selectDiverse(
  candidates: readonly Candidate[],
  query: Float32Array,
  config: FieldConfig,
  { lambda }: MmrPlan,
  wanted: number,
): Steps<FoundRow[]> {
  const likenessTo = (vector: Float32Array) => likeness(config, vector);
  const toQuery = likenessTo(query);
  let left = candidates.map(({ found, vector }) => ({
    found,
    vector,
    relevance: toQuery(vector),
    nearest: Number.NEGATIVE_INFINITY,
  }));
  const chosen: FoundRow[] = [];
  let pairs = 0;
  while (left.length > 0 && chosen.length < wanted) {
    // Before the first one is chosen there is nothing to differ from.
    const worth = ({ relevance, nearest }: (typeof left)[number]) =>
      chosen.length === 0 ? relevance : lambda * relevance - (1 - lambda) * nearest;
    const best = left.reduce((a, b) => (worth(b) > worth(a) ? b : a));
    chosen.push(best.found);
    left = left.filter((other) => other !== best);
    const toBest = likenessTo(best.vector);
    for (const other of left) {
      other.nearest = Math.max(other.nearest, toBest(other.vector));
      if (++pairs % PAIRS_PER_STEP === 0) yield undefined;
    }
  }
  return chosen;
}

/** The larger the nearer, whatever the distance: for Euclid the squared distance below zero. */
function likeness(config: FieldConfig, vector: Float32Array): Scorer {
  const { distance, multivector, sparse, size } = config;
  if (sparse !== undefined) return sparseScorer(vector);
  if (multivector !== undefined) return maxSimScorer(distance, vector, size);
  const score = vectorScorer(distance, vector);
  return distance === 'Euclid' ? (other) => -(score(other) ** 2) : score;
}
