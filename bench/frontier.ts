/** One setting's recall@k, k being that of the case, and speed. */
export interface CurvePoint {
  readonly recall: number;
  readonly qps: number;
}

/** The levels of recall at which engines are compared. */
export const RECALL_LEVELS = ['0.90', '0.95', '0.98', '0.99'] as const;
export type RecallLevel = (typeof RECALL_LEVELS)[number];
export type AtRecall = Record<RecallLevel, number | null>;

/**
 * The points that no other point beats in both recall and speed, by ascending recall and so by
 * descending speed. Of equal points one stays.
 */
export function paretoFrontier<T extends CurvePoint>(points: readonly T[]): T[] {
  const byRecall = [...points].sort((a, b) => b.recall - a.recall || b.qps - a.qps);
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
export function qpsAtRecall(points: readonly CurvePoint[], wanted: number): number | null {
  const frontier = paretoFrontier(points);
  const above = frontier.findIndex(({ recall }) => recall >= wanted);
  if (above < 0) return null;
  const right = frontier[above];
  if (above === 0 || right.recall === wanted) return right.qps;
  const left = frontier[above - 1];
  const share = (wanted - left.recall) / (right.recall - left.recall);
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
export function pointAbove<T extends { readonly recall: number }>(
  points: readonly T[],
  wanted: number,
): T | undefined {
  return points.find(({ recall }) => recall >= wanted);
}

/** A value for each of the levels. */
export function overLevels(valueAt: (level: RecallLevel) => number | null): AtRecall {
  return Object.fromEntries(RECALL_LEVELS.map((level) => [level, valueAt(level)])) as AtRecall;
}

/** The point of a beam width, or of the next wider one that was measured. */
export function pointAtEf<T extends { readonly ef: number }>(
  points: readonly T[],
  ef: number,
): T | undefined {
  return points.find((point) => point.ef >= ef);
}
