import { crewOf } from '../threads/crew.js';
import type { PoolLease } from '../threads/pool.js';
import { type BatchSearchResult, rowsAtOnce, type SearchPlan } from './search.js';
import { SearchQueue } from './search-queue.js';
import { searchElsewhere, searchHere, searchParts } from './searcher.js';
import type { IndexState } from './state.js';

/** The searches of an index that run in other threads, where there are any. */
export class AsyncSearch {
  private readonly state: IndexState;
  private readonly pool: PoolLease;
  private readonly running = new Set<Promise<unknown>>();
  private queue: Promise<SearchQueue> | undefined;

  constructor(state: IndexState, pool: PoolLease) {
    this.state = state;
    this.pool = pool;
  }

  /** Searches rows in another thread, together with what else waits. Nobody changes them until then. */
  async search(queries: Float32Array, rows: number, plan: SearchPlan): Promise<BatchSearchResult> {
    if (!this.state.shared) return searchHere(this.state, queries, plan);
    this.queue ??= this.startQueue();
    const search = this.queue.then((queue) => queue.search(queries, rows, plan));
    this.running.add(search);
    try {
      return await search;
    } finally {
      this.running.delete(search);
    }
  }

  /** Searches m rows, split among the threads; a copy of them is taken. */
  async searchAll(queries: Float32Array, m: number, plan: SearchPlan): Promise<BatchSearchResult> {
    const { dimensions } = this.state.options;
    const parts: Float32Array[] = [];
    const atOnce = rowsAtOnce(plan.k);
    for (let from = 0; from < m; from += atOnce) {
      parts.push(queries.slice(from * dimensions, Math.min(m, from + atOnce) * dimensions));
    }
    return searchParts(this.state, parts, plan.k, (rows) =>
      this.search(rows, rows.length / dimensions, plan),
    );
  }

  /** Resolves when the searches that run now have ended; undefined where none do. */
  done(): Promise<unknown> | undefined {
    return this.running.size === 0 ? undefined : Promise.allSettled(this.running);
  }

  private async startQueue(): Promise<SearchQueue> {
    const pool = await this.pool.get();
    const crew = crewOf(pool, pool.threads);
    const { state } = this;
    return new SearchQueue(
      (queries, plan) => searchElsewhere(state, queries, plan, crew),
      pool.threads,
    );
  }
}
