import { runSteps, throwIfAborted } from '../base/steps.js';
import { vectorsAt } from '../store/columns.js';
import { fuse } from './fusion.js';
import { type Candidate, type MmrPlan, selectDiverse } from './mmr.js';
import { orderedRows } from './order-by.js';
import { type FoundRows, findRows, rankCandidates } from './search.js';
import type { FoundRow, SearchContext } from './search-plan.js';
import type { Stage } from './stage.js';

/** Rows for which no other is there, as nothing has been written anew meanwhile. */
const FRESH = { isStale: false, isBehind: false };

type StageOf<Kind extends Stage['kind']> = Extract<Stage, { kind: Kind }>;

/** The best rows of a stage, after those that it prefetches. */
export async function findStage(context: SearchContext, stage: Stage): Promise<FoundRows> {
  throwIfAborted(stage.signal);
  const { replacements } = context.state;
  const lists = await Promise.all(stage.prefetch.map((one) => findStage(context, one)));
  const found = await findAmong(context, stage, lists);
  const all = [found, ...lists];
  // Lists that were found before and after a point was written anew may name it by two rows.
  const isMoved = lists.length > 0 && context.state.replacements !== replacements;
  return {
    rows: found.rows,
    isStale: isMoved || all.some(({ isStale }) => isStale),
    isBehind: all.some(({ isBehind }) => isBehind),
  };
}

function findAmong(
  context: SearchContext,
  stage: Stage,
  lists: readonly FoundRows[],
): Promise<FoundRows> {
  switch (stage.kind) {
    case 'fusion':
      return Promise.resolve(fused(stage, lists));
    case 'order':
      return ordered(context, stage, lists);
    case 'text':
      return withWords(context, stage, lists);
    default:
      return near(context, stage, lists);
  }
}

function fused(
  { fusion, passes, prefetch, wanted }: StageOf<'fusion'>,
  lists: readonly FoundRows[],
): FoundRows {
  const ranked = lists.map(({ rows }, i) => ({ rows, isDistance: scoresByDistance(prefetch[i]!) }));
  const rows = fuse(ranked, fusion).slice(0, wanted);
  return { ...FRESH, rows: rows.filter(({ score }) => passes(score)) };
}

function scoresByDistance(stage: Stage): boolean {
  return stage.kind === 'search' && stage.plan.isDistance;
}

async function ordered(
  { state }: SearchContext,
  { ordering, allowed, prefetch, wanted }: StageOf<'order'>,
  lists: readonly FoundRows[],
): Promise<FoundRows> {
  while (state.changing !== undefined) await state.changing;
  const candidates = prefetch.length > 0 ? rowsOf(lists) : undefined;
  const isAllowed = (row: number) =>
    (allowed?.has(row) ?? true) && (candidates?.has(row) ?? true) && state.live.has(row);
  const isStale = allowed !== undefined && allowed.replacements !== state.replacements;
  return { rows: orderedRows(state, ordering, wanted, isAllowed), isStale, isBehind: false };
}

async function withWords(
  { state, stored }: SearchContext,
  { match, passes, allowed, prefetch, wanted, signal }: StageOf<'text'>,
  lists: readonly FoundRows[],
): Promise<FoundRows> {
  const candidates = prefetch.length > 0 ? Uint32Array.from(rowsOf(lists)).sort() : undefined;
  const among = candidates?.filter((row) => allowed?.has(row) ?? true) ?? allowed?.toRows();
  const found = await stored.searchTexts(match, wanted, among, signal ? { signal } : {});
  // What was written since is found by rows that memory does not know, or not at all among some.
  const isUnknown = found.rows.some((row) => !state.live.has(row));
  const isBehind = isUnknown || (among !== undefined && found.version > state.version);
  const isMoved = allowed !== undefined && allowed.replacements !== state.replacements;
  const rows = Array.from(found.rows, (row, i) => ({ row, score: found.scores[i]! }));
  const isGood = ({ row, score }: FoundRow) => state.live.has(row) && passes(score);
  return { rows: rows.filter(isGood), isStale: isBehind || isMoved, isBehind };
}

function rowsOf(lists: readonly FoundRows[]): Set<number> {
  return new Set(lists.flatMap(({ rows }) => rows.map(({ row }) => row)));
}

async function near(
  context: SearchContext,
  { plan, mmr, prefetch, wanted }: StageOf<'search'>,
  lists: readonly FoundRows[],
): Promise<FoundRows> {
  const count = mmr === undefined ? wanted : mmr.candidates;
  const found =
    prefetch.length === 0
      ? await findRows(context, plan, count)
      : await rankCandidates(context, plan, Uint32Array.from(rowsOf(lists)), count);
  return mmr === undefined ? found : diverse(context, plan, mmr, found, wanted);
}

/** Chooses among what was found. */
async function diverse(
  { state, stored }: SearchContext,
  { field, vector, signal }: StageOf<'search'>['plan'],
  mmr: MmrPlan,
  found: FoundRows,
  wanted: number,
): Promise<FoundRows> {
  const { config } = state.fields[field]!;
  const byRow = new Map(found.rows.map((one) => [one.row, one]));
  const candidates: Candidate[] = [];
  for (let rest: Uint32Array = Uint32Array.from(byRow.keys()); rest.length > 0; ) {
    throwIfAborted(signal);
    const read = await stored.readVectors(field, rest);
    read.rows.forEach((row, i) => {
      candidates.push({ found: byRow.get(row)!, vector: vectorsAt(read, i, config.size) });
    });
    rest = read.rest;
  }
  const isBehind = candidates.length < found.rows.length;
  const options = signal ? { signal } : {};
  const rows: FoundRow[] = await runSteps(
    selectDiverse(candidates, vector, config, mmr, wanted),
    options,
  );
  return { rows, isStale: found.isStale || isBehind, isBehind: found.isBehind || isBehind };
}
