/** Ways to find the candidates of a search, as wasm/query.ts knows them. */
export const WAYS = { graph: 0, allowed: 1, twoHops: 2, scan: 3 } as const;
export type Way = (typeof WAYS)[keyof typeof WAYS];

/**
 * What the ways cost, in codes scored by a traversal, measured on real embeddings (bench/results/experiments.md):
 * a scan scores codes in the order of memory, for a quarter of the time.
 */
const SCAN_COST = 0.25;
/** Codes scored for each place of the beam, and before the beam is full. */
const SCORED_EACH = 11;
const SCORED_FIRST = 200;
/** With a larger share allowed, what is not allowed is traversed rather than passed through. */
const TWO_HOPS_SHARE_MAX = 0.35;
/** Two hops pass through several nodes for each that they score. */
const TWO_HOPS_COST = 10;
/** Allowed nodes in a beam for each result, where the beam has so many. */
const WIDTH_EACH = 4;

export interface RestrictedSearch {
  /** Vectors allowed, all that live, and those with the deleted ones that are still linked to. */
  allowed: number;
  live: number;
  linked: number;
  k: number;
  ef: number;
}

/**
 * How to search for the nearest of the allowed vectors: through the graph where that takes less
 * work than to score them all.
 */
export function planRestricted(search: RestrictedSearch): Way {
  const { allowed, ef } = search;
  const share = shareOf(search);
  const scan = allowed * SCAN_COST;
  const traverse = (SCORED_FIRST + SCORED_EACH * beamWidth(WAYS.allowed, search)) / share;
  const hop = (SCORED_FIRST + SCORED_EACH * ef) * TWO_HOPS_COST;
  if (scan <= Math.min(traverse, hop)) return WAYS.scan;
  return share > TWO_HOPS_SHARE_MAX || traverse < hop ? WAYS.allowed : WAYS.twoHops;
}

/** Deleted vectors, never many, are left out: how many are still linked to is not saved. */
function shareOf({ allowed, live }: RestrictedSearch): number {
  return allowed / Math.max(1, live);
}

/** Codes scored by a traversal in the time of a scan of all allowed vectors. */
export function codesScanned({ allowed }: RestrictedSearch): number {
  return Math.ceil(allowed * SCAN_COST) + SCORED_FIRST;
}

/**
 * How many allowed nodes a beam looks for. Where the others are traversed, ef · √share of them, so
 * that the beam holds ef / √share nodes: that finds as much as ef nodes do of an unrestricted search.
 */
export function beamWidth(way: Way, search: RestrictedSearch): number {
  const { k, ef } = search;
  if (way !== WAYS.allowed) return ef;
  return Math.min(ef, Math.max(WIDTH_EACH * k, Math.ceil(ef * Math.sqrt(shareOf(search)))));
}

/** The room for nodes that a traversal needs where not all of them count. */
export function beamCapacity(way: Way, search: RestrictedSearch): number {
  const { allowed, linked, ef } = search;
  if (way !== WAYS.allowed) return ef;
  const width = beamWidth(way, search);
  return Math.min(linked, Math.ceil((2 * width * linked) / Math.max(1, allowed)));
}
