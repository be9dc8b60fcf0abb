/** The numbers from `low` to `high`, without an end that is open. */
export interface Interval {
  low: number;
  lowOpen: boolean;
  high: number;
  highOpen: boolean;
}

/** The numbers that all the given bounds leave. */
export function interval(bounds: {
  gt?: number | undefined;
  gte?: number | undefined;
  lt?: number | undefined;
  lte?: number | undefined;
}): Interval {
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = bounds;
  return {
    low: Math.max(gt, gte),
    lowOpen: bounds.gt !== undefined && gt >= gte,
    high: Math.min(lt, lte),
    highOpen: bounds.lt !== undefined && lt <= lte,
  };
}

export function isWithin({ low, lowOpen, high, highOpen }: Interval, x: number): boolean {
  return (lowOpen ? x > low : x >= low) && (highOpen ? x < high : x <= high);
}
