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
    state.live.has(row) && (candidates?.has(row) ?? true) && (allowed?.has(row) ?? true);
  const isStale = allowed !== undefined && allowed.replacements !== state.replacements;
  return { rows: orderedRows(state, ordering, wanted, isAllowed), isStale, isBehind: false };
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
