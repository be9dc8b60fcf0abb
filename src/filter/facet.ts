import type { Scalar } from './conditions.js';

/** A value and how many rows have it. */
export interface FacetHit {
  value: Scalar;
  count: number;
}

/** Keeps the most frequent values. */
export class FacetRanking {
  private readonly limit: number;
  private hits: FacetHit[] = [];
  /** Values that occur less often are not among the best. */
  private least = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  add(value: Scalar, count: number): void {
    if (count < this.least) return;
    this.hits.push({ value, count });
    // Sorting now and then is cheaper than a heap, and few values pass after the first cut.
    if (this.hits.length < 2 * this.limit + 100) return;
    this.hits = this.best();
    this.least = this.hits.at(-1)!.count;
  }

  /** The most frequent first, then in ascending order. */
  best(): FacetHit[] {
    return this.hits.sort(inOrder).slice(0, this.limit);
  }
}

function inOrder(a: FacetHit, b: FacetHit): number {
  return b.count - a.count || (a.value < b.value ? -1 : 1);
}
