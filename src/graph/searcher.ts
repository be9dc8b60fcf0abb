import type { Gate } from '../base/gate.js';
import { ALONE, type Crew } from '../threads/crew.js';
import { mergeRow } from './merge.js';
import {
  type BatchSearchResult,
  type Found,
  findable,
  prepareSearch,
  rowsAtOnce,
  type SearchPlan,
  type ShardSearch,
  takeResults,
} from './search.js';
import type { IndexState } from './state.js';

/** Searches rows from … from + size − 1 of the queries, here and now. */
export function searchHere(
  state: IndexState,
  queries: Float32Array,
  plan: SearchPlan,
): BatchSearchResult {
  const m = queries.length / state.options.dimensions;
  const out = emptyResult(m, plan.k);
  const atOnce = rowsAtOnce(plan.k);
  for (let from = 0; from < m; from += atOnce) {
    const size = Math.min(atOnce, m - from);
    let wider = plan;
    for (;;) {
      const found = state.shards.map((shard, at) => {
        const search = prepareSearch(shard, at, queries, from, size, wider);
        if (search === undefined) return undefined;
        const [failed] = ALONE.run(shard.nodes.kernels, [search.job]) as number[];
        return takeResults(search, failed!, from);
      });
      if (mergeRows(state, found, from, size, out) || isEverything(state, wider)) break;
      wider = widen(wider);
    }
  }
  return trimmed(out);
}

/** Parts of searches that are ready for each thread: one that it runs, one that it runs next. */
const PARTS_PER_THREAD = 2;

/**
 * The same by a crew, the rows split among its threads and every shard searched by itself. Vectors
 * deleted meanwhile are not returned. The gate bounds the working memory of all searches.
 */
export async function searchElsewhere(
  state: IndexState,
  queries: Float32Array,
  plan: SearchPlan,
  crew: Crew,
  gate: Gate,
): Promise<BatchSearchResult> {
  const m = queries.length / state.options.dimensions;
  const out = emptyResult(m, plan.k);
  const share = Math.ceil(m / crew.threads);
  const atOnce = Math.max(1, Math.min(rowsAtOnce(plan.k), share));
  const parts: Promise<void>[] = [];
  for (let from = 0; from < m; from += atOnce) {
    const size = Math.min(atOnce, m - from);
    parts.push(
      gate.run(PARTS_PER_THREAD * crew.threads, () =>
        searchPart(state, queries, from, size, plan, crew, out),
      ),
    );
  }
  await allEnded(parts);
  return trimmed(out);
}

/** The results of all, or the first failure, once all have ended: writes count on that. */
async function allEnded<T>(tasks: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks);
}

async function searchPart(
  state: IndexState,
  queries: Float32Array,
  from: number,
  size: number,
  plan: SearchPlan,
  crew: Crew,
  out: Results,
): Promise<void> {
  let wider = plan;
  for (;;) {
    const { shards } = state;
    const searches: (ShardSearch | undefined)[] = [];
    try {
      shards.forEach((shard, at) => {
        searches.push(prepareSearch(shard, at, queries, from, size, wider));
      });
    } catch (error) {
      for (const search of searches) search?.shard.nodes.giveBack(search.scratch);
      throw error;
    }
    const found = await allEnded(searches.map((search) => runElsewhere(search, crew, from)));
    // Vectors that moved to other memories meanwhile are searched for there.
    if (state.shards !== shards) continue;
    if (mergeRows(state, found, from, size, out) || isEverything(state, wider)) return;
    wider = widen(wider);
  }
}

async function runElsewhere(
  search: ShardSearch | undefined,
  crew: Crew,
  from: number,
): Promise<Found | undefined> {
  if (search === undefined) return undefined;
  const { nodes } = search.shard;
  let failed: number[];
  try {
    failed = await crew.run(nodes.kernels, [search.job]);
  } catch (error) {
    nodes.giveBack(search.scratch);
    throw error;
  }
  return takeResults(search, failed[0]!, from);
}

/** Room for results; `counts` says how many of each row's places are taken. */
interface Results extends BatchSearchResult {
  counts: Uint32Array;
}

function emptyResult(m: number, k: number): Results {
  return {
    ids: new Uint32Array(m * k),
    scores: new Float32Array(m * k),
    counts: new Uint32Array(m),
    k,
  };
}

/** As many results for each row as the row with the fewest has: all k, but for deletions meanwhile. */
function trimmed({ ids, scores, counts, k }: Results): BatchSearchResult {
  const least = counts.reduce((few, count) => Math.min(few, count), k);
  if (least === k) return { ids, scores, k };
  const keep = (_: number, place: number) => place % k < least;
  return { ids: ids.filter(keep), scores: scores.filter(keep), k: least };
}

/** Whether all rows got as many results as were asked for. */
function mergeRows(
  state: IndexState,
  found: readonly (Found | undefined)[],
  from: number,
  size: number,
  { ids, scores, counts, k }: Results,
): boolean {
  const ascending = state.options.distance === 'Euclid';
  let complete = true;
  for (let row = 0; row < size; row++) {
    const to = (from + row) * k;
    const count = mergeRow(found, row, state.ids, ascending, { ids, scores, to, k });
    counts[from + row] = count;
    complete &&= count === k;
  }
  return complete;
}

/** Whether there is no more to find than was looked for. */
function isEverything({ shards }: IndexState, { k, allow }: SearchPlan): boolean {
  if (allow !== undefined) return k >= allow.count;
  return k >= shards.reduce((sum, shard) => sum + findable(shard), 0);
}

/** Looks further: some of what was found had just been deleted or is just being added. */
function widen(plan: SearchPlan): SearchPlan {
  return { ...plan, k: 2 * plan.k, ef: 2 * plan.ef, rerank: 2 * plan.rerank };
}
