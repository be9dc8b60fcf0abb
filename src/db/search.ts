import { throwIfAborted } from '../base/steps.js';
import type { RowScores } from './field.js';
import { COUNT_MAX, type FoundRow, type SearchContext, type SearchPlan } from './search-plan.js';
import { SparseField } from './sparse-field.js';
import type { CollectionState } from './state.js';

/** Candidates for each result wanted that are ranked anew by their originals. */
const RESCORE_FACTOR = 4;
const RESCORE_MIN = 50;
/** How often a search that finds too little is repeated because points were written meanwhile. */
export const TRIES_MAX = 5;

/** Rows best first. */
interface Found {
  ids: Uint32Array;
  scores: Float32Array | Float64Array;
  /** Whether there are no more to find. */
  isAll: boolean;
  /** Whether some were written anew before they were read. */
  isStale: boolean;
}

export interface FoundRows {
  rows: FoundRow[];
  /** Whether to plan and search again, as points were written anew meanwhile. */
  isStale: boolean;
  /** Whether memory is to know of them first. */
  isBehind: boolean;
}

/** The `wanted` best rows of a search; fewer only where there are no more. */
export async function findRows(
  context: SearchContext,
  plan: SearchPlan,
  wanted: number,
): Promise<FoundRows> {
  const { state } = context;
  let k = rowsToFind(plan, wanted);
  for (let tries = 1; ; tries++) {
    throwIfAborted(plan.signal);
    const { stamp, replacements } = state;
    const found = await searchOnce(context, plan, k);
    const rows = livingRows(state, plan, found);
    const isMoved = hasMoved(state, plan, replacements);
    // A point whose old row was left out of what was found has a new one, which may not be in it.
    if (isMoved && plan.allowed === undefined && tries < TRIES_MAX) continue;
    const isBehind = found.isStale;
    const isStale = isBehind || isMoved;
    if (rows.length >= wanted || isStale) {
      return { rows: goodRows(plan, rows, wanted), isStale, isBehind };
    }
    if (!found.isAll) {
      k = Math.min(COUNT_MAX, 2 * k);
      continue;
    }
    // Points that are being replaced have other rows soon, which may stand among these already.
    await state.replacing;
    if (state.stamp === stamp || tries === TRIES_MAX) {
      return { rows: goodRows(plan, rows, wanted), isStale, isBehind };
    }
  }
}

/** The best of some rows by their stored vectors; those that have none are left out. */
export async function rankCandidates(
  { state, stored }: SearchContext,
  plan: SearchPlan,
  candidates: Uint32Array,
  wanted: number,
): Promise<FoundRows> {
  const { field, vector, isDistance, signal } = plan;
  const target = state.fields[field]!;
  if (target instanceof SparseField) {
    const found = await target.search(vector, wanted + 1, {}, new Set(candidates));
    const rows = goodRows(plan, livingRows(state, plan, found), wanted);
    return { rows, isStale: false, isBehind: false };
  }
  const { distance } = target.config;
  const ids = candidates.filter((row) => state.fieldRows[field]!.has(row));
  const scores = await stored.scores(field, vector, distance, ids, signal ? { signal } : {});
  const isBehind = scores.some(Number.isNaN);
  const best = ranked({ ids }, scores, isDistance, ids.length);
  const rows = goodRows(plan, livingRows(state, plan, best), wanted);
  return { rows, isStale: isBehind, isBehind };
}

/** Whether points were written anew since the rows of the plan, or its search, were looked for. */
export function hasMoved(
  state: CollectionState,
  { allowed }: SearchPlan,
  replacements: number,
): boolean {
  return state.replacements !== (allowed?.replacements ?? replacements);
}

/** The point that was asked about is found too, and left out. */
export function rowsToFind({ self }: SearchPlan, wanted: number): number {
  return Math.min(COUNT_MAX, wanted + (self === undefined ? 0 : 1));
}

/** What was found and lives, without the point itself. Codes err a little, also beyond a cosine of 1. */
export function livingRows(
  { live, ids: points, fields }: CollectionState,
  { self, field }: SearchPlan,
  { ids, scores }: Pick<Found, 'ids' | 'scores'>,
): FoundRow[] {
  const rows: FoundRow[] = [];
  const most = fields[field]!.scoreMax;
  for (let i = 0; i < ids.length; i++) {
    const row = ids[i]!;
    if (self !== undefined && points.get(row) === self) continue;
    if (live.has(row)) rows.push({ row, score: Math.max(-most, Math.min(most, scores[i]!)) });
  }
  return rows;
}

export function goodRows(
  { passes }: SearchPlan,
  rows: readonly FoundRow[],
  wanted: number,
): FoundRow[] {
  return rows.slice(0, wanted).filter(({ score }) => passes(score));
}

async function searchOnce(
  { state, stored }: SearchContext,
  { field, vector, allowed, beam, mode, isDistance, signal }: SearchPlan,
  k: number,
): Promise<Found> {
  const vectors = state.fields[field]!;
  const { distance } = vectors.config;
  if (mode === 'exact') {
    const having = state.fieldRows[field]!;
    const rows = allowed?.toRows().filter((row) => having.has(row)) ?? having.toUint32Array();
    const scan = await stored.scan(field, vector, distance, k, rows, signal ? { signal } : {});
    const isAll = scan.rows.length < k;
    return { ids: scan.rows, scores: scan.scores, isAll, isStale: scan.gone > 0 };
  }
  const depth =
    mode === 'index' ? k : Math.min(COUNT_MAX, Math.max(RESCORE_MIN, RESCORE_FACTOR * k));
  const candidates = await vectors.search(vector, depth, beam, allowed);
  const isAll = candidates.ids.length < depth;
  if (mode === 'index') return { ...candidates, isAll, isStale: false };
  const scores = await stored.scores(field, vector, distance, candidates.ids);
  const isStale = scores.some(Number.isNaN);
  return { ...ranked(candidates, scores, isDistance, k), isAll, isStale };
}

/** Rows by their exact scores; those that are gone are left out. */
function ranked(
  { ids }: Pick<RowScores, 'ids'>,
  scores: Float64Array,
  isDistance: boolean,
  k: number,
) {
  const sign = isDistance ? 1 : -1;
  const there = [...ids.keys()].filter((i) => !Number.isNaN(scores[i]));
  const best = there.sort((a, b) => sign * (scores[a]! - scores[b]!) || ids[a]! - ids[b]!);
  const kept = best.slice(0, k);
  return {
    ids: Uint32Array.from(kept, (i) => ids[i]!),
    scores: Float64Array.from(kept, (i) => scores[i]!),
  };
}
