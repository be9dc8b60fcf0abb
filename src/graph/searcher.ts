import type { Crew } from '../threads/crew.js';
import { mergeRow } from './merge.js';
import {
  type BatchSearchResult,
  type Found,
  findable,
  prepareSearch,
  rowsAtOnce,
  runHere,
  type SearchPlan,
  type ShardSearch,
  takeResults,
} from './search.js';
import type { IndexState } from './state.js';

/** Searches one query, here and now. */
export function searchOne(
  state: IndexState,
  query: Float32Array,
  plan: SearchPlan,
): BatchSearchResult {
  if (state.shards.length > 1) return searchHere(state, query, plan);
  const search = prepareSearch(state.shards[0]!, 0, query, 0, 1, plan);
  if (search === undefined) return emptyResult(1, 0);
  const { slots: ids, scores, k } = takeResults(search, runHere(search), 0);
  // Slots become ids in place; one without a live vector sends the search the long way.
  for (let i = 0; i < k; i++) {
    const id = state.ids.idAt(0, ids[i]!);
    if (id < 0) return searchHere(state, query, plan);
    ids[i] = id;
  }
  return k === plan.k ? { ids, scores, k } : searchHere(state, query, plan);
}

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
        return takeResults(search, runHere(search), from);
      });
      if (mergeRows(state, found, from, size, out) || isEverything(state, wider)) break;
      wider = widen(wider);
    }
  }
  return trimmed(out);
}

/**
 * The same in other threads, one for each shard. Vectors deleted meanwhile are not returned.
 * At most QUERY_ROWS rows.
 */
export async function searchElsewhere(
  state: IndexState,
  queries: Float32Array,
  plan: SearchPlan,
  crew: Crew,
): Promise<BatchSearchResult> {
  const m = queries.length / state.options.dimensions;
  const out = emptyResult(m, plan.k);
  let wider = plan;
  for (;;) {
    const { shards } = state;
    const { version } = state.ids;
    const searches: (ShardSearch | undefined)[] = [];
    try {
      shards.forEach((shard, at) => {
        searches.push(prepareSearch(shard, at, queries, 0, m, wider));
      });
    } catch (error) {
      for (const search of searches) search?.shard.nodes.giveBack(search.scratch);
      throw error;
    }
    const found = await allEnded(searches.map((search) => runElsewhere(search, crew)));
    // Vectors that moved to other memories meanwhile are searched for there.
    if (state.shards !== shards) continue;
    if (mergeRows(state, found, 0, m, out)) break;
    if (isEverything(state, wider)) {
      if (state.ids.version === version) break;
      // One may have moved meanwhile, and been found where it is no more. None does during this:
      return searchHere(state, queries, plan);
    }
    wider = widen(wider);
  }
  return trimmed(out);
}

/** The results of all, or the first failure, once all have ended: writes count on that. */
async function allEnded<T>(tasks: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(tasks);
  return Promise.all(tasks);
}

async function runElsewhere(
  search: ShardSearch | undefined,
  crew: Crew,
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
  return takeResults(search, failed[0]!, 0);
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

/**
 * Searches consecutive rows in parts that wait for each other. Those that found what was deleted
 * before the last of them had ended are searched once more.
 */
export async function searchParts(
  { ids }: IndexState,
  parts: readonly Float32Array[],
  k: number,
  search: (rows: Float32Array) => Promise<BatchSearchResult>,
): Promise<BatchSearchResult> {
  let { version } = ids;
  const results = await Promise.all(parts.map(search));
  while (version !== ids.version) {
    version = ids.version;
    const isGone = (id: number) => ids.slotOf(id) < 0;
    const again = [...results.keys()].filter((at) => results[at]!.ids.some(isGone));
    const found = await Promise.all(again.map((at) => search(parts[at]!)));
    again.forEach((at, i) => {
      results[at] = found[i]!;
    });
  }
  return joinResults(results, k);
}

/** The results of consecutive rows as one matrix, as wide as the narrowest of them. */
function joinResults(parts: readonly BatchSearchResult[], k: number): BatchSearchResult {
  const least = parts.reduce((few, part) => Math.min(few, part.k), k);
  const rows = parts.reduce((sum, { ids, k }) => sum + (k === 0 ? 0 : ids.length / k), 0);
  const out = {
    ids: new Uint32Array(rows * least),
    scores: new Float32Array(rows * least),
    k: least,
  };
  let to = 0;
  for (const { ids, scores, k } of parts) {
    for (let from = 0; from < ids.length; from += k, to += least) {
      out.ids.set(ids.subarray(from, from + least), to);
      out.scores.set(scores.subarray(from, from + least), to);
    }
  }
  return out;
}
