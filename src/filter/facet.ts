import type { Scalar } from './conditions.js';

/** A value and how many rows have it. */
export interface FacetHit {
  value: Scalar;
  count: number;
}

/** The values that occur, the most frequent first, then in ascending order. */
export function mostFrequent(
  counts: Iterable<[value: Scalar, count: number]>,
  limit: number,
): FacetHit[] {
  let hits: FacetHit[] = [];
  let least = 1;
  for (const [value, count] of counts) {
    if (count < least) continue;
    hits.push({ value, count });
    // Sorting now and then is cheaper than a heap, and few values come after the first cut.
    if (hits.length >= 2 * limit + 100) {
      hits = hits.sort(inOrder).slice(0, limit);
      least = hits.at(-1)!.count;
    }
  }
  return hits.sort(inOrder).slice(0, limit);
}

function inOrder(a: FacetHit, b: FacetHit): number {
  return b.count - a.count || (a.value < b.value ? -1 : 1);
}
