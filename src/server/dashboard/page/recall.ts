import type { PointId } from './point-list.js';

export interface Scored {
  id: PointId;
  score: number;
}

/**
 * Recall at k of results against those of an exact search, best first: the share of the k best that
 * were found. The exact results may be more than k: any that is as good as the k-th counts too.
 */
export function recallOf(found: readonly Scored[], exact: readonly Scored[], k: number): number {
  const wanted = Math.min(k, exact.length);
  if (wanted === 0) return 1;
  const last = exact[wanted - 1]!.score;
  const good = new Set<PointId>();
  exact.forEach(({ id, score }, i) => {
    if (i < wanted || score === last) good.add(id);
  });
  const hits = found.slice(0, wanted).filter(({ id }) => good.has(id)).length;
  return hits / wanted;
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
