/** Ways to find the candidates of a search, as wasm/query.ts knows them. */
export const WAYS = { graph: 0, allowed: 1, twoHops: 2, scan: 3 } as const;
export type Way = (typeof WAYS)[keyof typeof WAYS];

/**
 * What the ways cost, in codes scored by a traversal, measured on real embeddings (docs/benchmarks.md):
 * a scan scores codes in the order of memory, for less than half the time.
 */
const SCAN_COST = 0.4;
/** Codes scored for each place of the beam, and before the beam is full. */
const SCORED_EACH = 14;
const SCORED_FIRST = 200;
/** With a larger share allowed, what is not allowed is traversed rather than passed through. */
const TWO_HOPS_SHARE_MAX = 0.35;
/** Two hops pass through several nodes for each that they score. */
const TWO_HOPS_COST = 10;

export interface RestrictedSearch {
  /** Vectors allowed, and all there are. */
  allowed: number;
  count: number;
  ef: number;
}

/**
 * How to search for the nearest of the allowed vectors: through the graph where that takes less
 * work than to score them all.
 */
export function planRestricted({ allowed, count, ef }: RestrictedSearch): Way {
  const share = allowed / Math.max(1, count);
  const scan = allowed * SCAN_COST;
  const traverse = (SCORED_FIRST + SCORED_EACH * ef) / share;
  const hop = (SCORED_FIRST + SCORED_EACH * ef) * TWO_HOPS_COST;
  if (scan <= Math.min(traverse, hop)) return WAYS.scan;
  return share > TWO_HOPS_SHARE_MAX || traverse < hop ? WAYS.allowed : WAYS.twoHops;
}

/** Codes scored by a traversal in the time of a scan of all allowed vectors. */
export function codesScanned({ allowed }: RestrictedSearch): number {
  return Math.ceil(allowed * SCAN_COST) + SCORED_FIRST;
}

/** The beam that a traversal of nodes that do not count needs to find ef that do. */
export function beamCapacity(way: Way, { allowed, count, ef }: RestrictedSearch): number {
  if (way !== WAYS.allowed) return ef;
  return Math.min(count, Math.ceil((2 * ef * count) / Math.max(1, allowed)));
}
