import { gatherRows } from '../base/gather-rows.js';
import { runSteps, turnIfDue } from '../base/steps.js';
import { checkRowValues } from '../graph/rows.js';
import type { BatchSearchResult, SearchResult } from '../graph/search.js';
import { WriteQueue } from '../graph/write-queue.js';
import { ALONE, type Crew, crewOf } from '../threads/crew.js';
import { hasThreads, type PoolLease } from '../threads/pool.js';
import { carveQuery, carveSteps } from './ball-carving.js';
import { candidateOptions, type MultiSearchPlan, widen } from './multi-options.js';
import { crewFor, type MultiState } from './multi-state.js';
import { joinSets, setAt, type TokenSets } from './offsets.js';

/** Bytes of encodings of queries that are searched for together. */
const ENCODINGS_BYTES = 1 << 25;
/** Multiplications of MaxSim that are worth another thread: a millisecond or two. */
const PRODUCTS_PER_THREAD = 50_000_000;

/** Searches for one query, here and now. */
export function searchHere(
  state: MultiState,
  query: Float32Array,
  plan: MultiSearchPlan,
): SearchResult {
  const { encoder, index, documents } = state;
  const encoding = encoder.encodeQuery(query);
  const rows =
    plan.carve === undefined ? query : carveQuery(query, encoder.options.dimensions, plan.carve);
  for (let wider = plan; ; wider = widen(wider)) {
    const { ids } = index.search(encoding, wider.candidates, candidateOptions(wider));
    const result = documents.rank(rows, ids, plan.k);
    if (isEnough(state, result, ids, wider)) return result;
  }
}

/** Whether there are k results, or no more to find than was looked for. */
function isEnough(
  { index }: MultiState,
  { ids }: SearchResult,
  candidates: Uint32Array,
  { k, candidates: wanted }: MultiSearchPlan,
): boolean {
  return ids.length === k || candidates.length < wanted || wanted >= index.count;
}

/** The searches of an index that leave the event loop free, in other threads where there are any. */
export class AsyncMultiSearch {
  private readonly state: MultiState;
  private readonly pool: PoolLease;
  private readonly running = new Set<Promise<unknown>>();
  /** An encoder encodes one batch of queries at a time. */
  private readonly encoding = new WriteQueue();

  constructor(state: MultiState, pool: PoolLease) {
    this.state = state;
    this.pool = pool;
  }

  /**
   * The results of each of the queries, whose rows nobody changes until then.
   * @throws RangeError `INVALID_ARGUMENT` naming row and column of NaN and infinity.
   */
  async search(queries: TokenSets, plan: MultiSearchPlan): Promise<SearchResult[]> {
    const search = this.searchAll(queries, plan);
    this.running.add(search);
    try {
      return await search;
    } finally {
      this.running.delete(search);
    }
  }

  /** Resolves when the searches that run now have ended. */
  async done(): Promise<void> {
    await Promise.allSettled(this.running);
  }

  private async searchAll(queries: TokenSets, plan: MultiSearchPlan): Promise<SearchResult[]> {
    const { documents, encoder } = this.state;
    const { dimensions } = encoder.options;
    const layout = { dimensions, distance: 'Dot', model: undefined } as const;
    await runSteps(checkRowValues(queries.tokens, layout, 'query'));
    const rows = Array.from({ length: queries.offsets.length - 1 }, (_, q) =>
      setAt(queries, q, dimensions),
    );
    const results: SearchResult[] = [];
    let left = [...rows.keys()];
    while (left.length > 0) {
      const found = await this.searchParts(
        left.map((q) => rows[q]!),
        plan,
      );
      for (const [i, q] of left.entries()) results[q] = found[i]!;
      // Deleted after the query's candidates were found, before the last query was ranked.
      left = left.filter((q) => results[q]!.ids.some((id) => !documents.has(id)));
    }
    return results;
  }

  private async searchParts(
    queries: readonly Float32Array[],
    plan: MultiSearchPlan,
  ): Promise<SearchResult[]> {
    const atOnce = Math.max(1, Math.floor(ENCODINGS_BYTES / (4 * this.state.encoder.dimensions)));
    const results: SearchResult[] = [];
    for (let from = 0; from < queries.length; from += atOnce) {
      const part = await this.searchPart(queries.slice(from, from + atOnce), plan);
      // One by one: arguments of a call are on the stack, which holds some 100,000.
      for (const result of part) results.push(result);
    }
    return results;
  }

  private async searchPart(
    queries: readonly Float32Array[],
    plan: MultiSearchPlan,
  ): Promise<SearchResult[]> {
    const { index, encoder, documents } = this.state;
    const encodings = await this.encode(queries);
    const ranked = await carved(queries, encoder.options.dimensions, plan.carve);
    const results: SearchResult[] = [];
    let left = [...queries.keys()];
    for (let wider = plan; left.length > 0; wider = widen(wider)) {
      const some = gather(encodings, left, encoder.dimensions);
      const { ids, k } = await index.searchBatch(some, wider.candidates, candidateOptions(wider));
      const again: number[] = [];
      const { crew, atOnce } = await this.ranking(
        left.map((q) => ranked[q]!),
        k,
      );
      await forEach(left, atOnce, async (q, i) => {
        const candidates = ids.subarray(i * k, (i + 1) * k);
        const result = await runSteps(documents.rankSteps(ranked[q]!, candidates, plan.k, crew));
        if (isEnough(this.state, result, candidates, wider)) results[q] = result;
        else again.push(q);
      });
      left = again.sort((a, b) => a - b);
    }
    return results;
  }

  /** How many queries are ranked at a time, each by how many threads: one, if there are many. */
  private async ranking(
    queries: readonly Float32Array[],
    candidates: number,
  ): Promise<{ crew: Crew; atOnce: number }> {
    if (!hasThreads()) return { crew: ALONE, atOnce: 1 };
    const pool = await this.pool.get();
    const { tokenCount, count } = this.state.documents;
    const longest = queries.reduce((most, { length }) => Math.max(most, length), 0);
    const products = (longest * candidates * tokenCount) / Math.max(1, count);
    const threads = Math.min(products / PRODUCTS_PER_THREAD, pool.threads / queries.length);
    return { crew: crewOf(pool, Math.max(1, Math.floor(threads))), atOnce: pool.threads };
  }

  private async encode(queries: readonly Float32Array[]): Promise<Float32Array> {
    const { encoder } = this.state;
    const numbers = queries.reduce((sum, { length }) => sum + length, 0);
    const crew = await crewFor(this.pool, numbers / encoder.options.dimensions);
    if (!crew.isHere) {
      const { tokens, offsets } = joinSets(queries, encoder.options.dimensions);
      return this.encoding.run(() => runSteps(encoder.querySteps(tokens, offsets, crew)));
    }
    // At once each: this waits for no large batch.
    const encodings = new Float32Array(queries.length * encoder.dimensions);
    for (const [q, query] of queries.entries()) {
      encodings.set(encoder.encodeQuery(query), q * encoder.dimensions);
      await turnIfDue();
    }
    return encodings;
  }
}

/** The rows that each query is ranked by. */
async function carved(
  queries: readonly Float32Array[],
  dimensions: number,
  threshold: number | undefined,
): Promise<readonly Float32Array[]> {
  if (threshold === undefined) return queries;
  const sums: Float32Array[] = [];
  for (const query of queries) sums.push(await runSteps(carveSteps(query, dimensions, threshold)));
  return sums;
}

/** Rows of a matrix, in the order of their numbers; the matrix itself where these are all. */
function gather(rows: Float32Array, numbers: readonly number[], width: number): Float32Array {
  if (numbers.length * width === rows.length) return rows;
  return gatherRows(rows, width, numbers);
}

/** Runs so many at a time; after a failure no more, and it is reported when all have ended. */
async function forEach<T>(
  items: readonly T[],
  atOnce: number,
  run: (item: T, place: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const work = async () => {
    try {
      while (next < items.length) {
        const place = next++;
        await run(items[place]!, place);
      }
    } finally {
      next = items.length;
    }
  };
  const workers = Array.from({ length: Math.min(atOnce, items.length) }, work);
  await Promise.allSettled(workers);
  await Promise.all(workers);
}

/** Results of queries as one matrix, as wide as the narrowest of them, at most k. */
export function joinResults(results: readonly SearchResult[], k: number): BatchSearchResult {
  const width = results.reduce((least, { ids }) => Math.min(least, ids.length), k);
  const out = {
    ids: new Uint32Array(results.length * width),
    scores: new Float32Array(results.length * width),
    k: width,
  };
  for (const [q, { ids, scores }] of results.entries()) {
    out.ids.set(ids.subarray(0, width), q * width);
    out.scores.set(scores.subarray(0, width), q * width);
  }
  return out;
}
