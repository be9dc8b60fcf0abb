/** One setting's recall and speed. */
export interface CurvePoint {
  readonly recallAt10: number;
  readonly qps: number;
}

/** The levels of recall@10 at which engines are compared. */
export const RECALL_LEVELS = ['0.90', '0.95', '0.98', '0.99'] as const;
export type RecallLevel = (typeof RECALL_LEVELS)[number];
export type AtRecall = Record<RecallLevel, number | null>;

/**
 * The points that no other point beats in both recall and speed, by ascending recall and so by
 * descending speed. Of equal points one stays.
 */
export function paretoFrontier<T extends CurvePoint>(points: readonly T[]): T[] {
  const byRecall = [...points].sort((a, b) => b.recallAt10 - a.recallAt10 || b.qps - a.qps);
  const frontier: T[] = [];
  for (const point of byRecall) {
    if (frontier.length === 0 || point.qps > frontier[0].qps) frontier.unshift(point);
  }
  return frontier;
}

/**
 * Queries/s at a recall, on the frontier: log(queries/s) is interpolated linearly in recall between
 * the two neighbouring points. Null where the recall is not reached; nothing is extrapolated. Below
 * the first point its speed stands: sweeps begin at ef = k, so the engine has no faster setting.
 */
export function qpsAtRecall(points: readonly CurvePoint[], recall: number): number | null {
  const frontier = paretoFrontier(points);
  const above = frontier.findIndex(({ recallAt10 }) => recallAt10 >= recall);
  if (above < 0) return null;
  const right = frontier[above];
  if (above === 0 || right.recallAt10 === recall) return right.qps;
  const left = frontier[above - 1];
  const share = (recall - left.recallAt10) / (right.recallAt10 - left.recallAt10);
  return Math.exp((1 - share) * Math.log(left.qps) + share * Math.log(right.qps));
}

/** Queries/s at each of the levels. */
export function atRecallLevels(points: readonly CurvePoint[]): AtRecall {
  return overLevels((level) => qpsAtRecall(points, Number(level)));
}

/**
 * The point of the least beam width that reaches a recall; undefined when none does. Points come by
 * ascending beam width.
 */
export function pointAbove<T extends { readonly recallAt10: number }>(
  points: readonly T[],
  recall: number,
): T | undefined {
  return points.find(({ recallAt10 }) => recallAt10 >= recall);
}

/** A value for each of the levels. */
export function overLevels(valueAt: (level: RecallLevel) => number | null): AtRecall {
  return Object.fromEntries(RECALL_LEVELS.map((level) => [level, valueAt(level)])) as AtRecall;
}
