import { type BatchSearchResult, rowsAtOnce, type SearchPlan } from './search.js';

/** Some rows of queries that wait to be searched together. */
interface Waiting {
  queries: Float32Array;
  rows: number;
  plan: SearchPlan;
  resolve: (result: BatchSearchResult) => void;
  reject: (error: unknown) => void;
}

/** Searches all rows of `queries` in one task. */
export type SearchTask = (queries: Float32Array, plan: SearchPlan) => Promise<BatchSearchResult>;

/**
 * Gives searches to threads, one task a thread at a time. What waits meanwhile and is searched alike
 * goes in one task, because handing over a task takes longer than to search a query.
 */
export class SearchQueue {
  private readonly task: SearchTask;
  private readonly threads: number;
  private waiting: Waiting[] = [];
  private running = 0;

  constructor(task: SearchTask, threads: number) {
    this.task = task;
    this.threads = threads;
  }

  /** The result for `rows` rows of queries, which nobody changes until then. */
  search(queries: Float32Array, rows: number, plan: SearchPlan): Promise<BatchSearchResult> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ queries, rows, plan, resolve, reject });
      // Calls of the same turn wait for each other.
      if (this.waiting.length === 1) queueMicrotask(() => this.start());
    });
  }

  private start(): void {
    while (this.running < this.threads && this.waiting.length > 0) {
      const group = this.takeGroup();
      this.running++;
      void this.run(group).finally(() => {
        this.running--;
        this.start();
      });
    }
  }

  /** The first that waits, and its share of those that are searched alike. */
  private takeGroup(): Waiting[] {
    const [first] = this.waiting as [Waiting];
    const most = rowsAtOnce(first.plan.k);
    const share = Math.ceil(this.waiting.length / (this.threads - this.running));
    const group: Waiting[] = [];
    let rows = 0;
    const rest: Waiting[] = [];
    for (const search of this.waiting) {
      const fits = group.length === 0 || rows + search.rows <= most;
      if (group.length < share && fits && isAlike(search.plan, first.plan)) {
        group.push(search);
        rows += search.rows;
      } else {
        rest.push(search);
      }
    }
    this.waiting = rest;
    return group;
  }

  private async run(group: readonly Waiting[]): Promise<void> {
    const [{ queries, plan, resolve, reject }] = group as [Waiting];
    try {
      if (group.length === 1) {
        resolve(await this.task(queries, plan));
        return;
      }
      const result = await this.task(joined(group), plan);
      let row = 0;
      for (const search of group) {
        search.resolve(rowsOf(result, row, search.rows));
        row += search.rows;
      }
    } catch (error) {
      // One wrong query must fail no other: each goes by itself then.
      if (group.length === 1) reject(error);
      else for (const search of group) await this.run([search]);
    }
  }
}

function isAlike(a: SearchPlan, b: SearchPlan): boolean {
  return a.k === b.k && a.ef === b.ef && a.rerank === b.rerank && a.allow === b.allow;
}

function joined(group: readonly Waiting[]): Float32Array {
  const all = new Float32Array(group.reduce((sum, { queries }) => sum + queries.length, 0));
  let at = 0;
  for (const { queries } of group) {
    all.set(queries, at);
    at += queries.length;
  }
  return all;
}

function rowsOf({ ids, scores, k }: BatchSearchResult, row: number, rows: number) {
  const from = row * k;
  const to = (row + rows) * k;
  return { ids: ids.slice(from, to), scores: scores.slice(from, to), k };
}
