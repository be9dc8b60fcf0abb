import { notFinite } from '../base/check.js';
import { paddedDimensions } from '../kernels/index.js';
import { BATCH_ROWS, type NodeMemory } from './memory.js';
import { MAGNITUDE_MAX, noDirection, tooLong } from './rows.js';

/** The k nearest of one query, best first. */
export interface SearchResult {
  /** Row numbers. */
  ids: Uint32Array;
  /** Similarity for Cosine and Dot (larger is better), distance for Euclid (smaller is better). */
  scores: Float32Array;
}

/** The k nearest of m queries: row r of both matrices belongs to query r. */
export interface BatchSearchResult extends SearchResult {
  /** Neighbours of each query: the k asked for, or the number of vectors if that is smaller. */
  k: number;
}

/** How to search, resolved: k ≤ number of nodes, k ≤ rerank ≤ ef. */
export interface SearchPlan {
  k: number;
  ef: number;
  rerank: number;
}

/** Results of one kernel call take at most this much memory. */
const RESULT_BYTES_MAX = 1 << 22;

/**
 * Searches m queries (row-major, already of the right length) in the first `count` nodes, a batch
 * of rows a kernel call.
 * @throws RangeError for NaN, infinity, numbers too large, or a zero query under cosine.
 */
export function searchNodes(
  nodes: NodeMemory,
  count: number,
  queries: Float32Array,
  plan: SearchPlan,
): BatchSearchResult {
  const m = queries.length / nodes.layout.dimensions;
  const { k } = plan;
  const ids = new Uint32Array(m * k);
  const scores = new Float32Array(m * k);
  if (k === 0) return { ids, scores, k };
  nodes.ensureBeam(plan.ef);
  const rowsAtOnce = Math.max(1, Math.min(BATCH_ROWS, Math.floor(RESULT_BYTES_MAX / (8 * k)), m));
  nodes.ensureResults(rowsAtOnce * k);
  for (let from = 0; from < m; from += rowsAtOnce) {
    const size = Math.min(rowsAtOnce, m - from);
    loadQueries(nodes, queries, from, size);
    searchLoaded(nodes, count, size, plan, from);
    ids.set(nodes.kernels.u32(nodes.resultIds, size * k), from * k);
    scores.set(nodes.kernels.f32(nodes.resultScores, size * k), from * k);
  }
  return { ids, scores, k };
}

function loadQueries(nodes: NodeMemory, queries: Float32Array, from: number, size: number): void {
  const d = nodes.layout.dimensions;
  const stride = paddedDimensions(d);
  const { kernels } = nodes;
  const rows = kernels.f32(nodes.rows, size * stride);
  for (let r = 0; r < size; r++) {
    const first = (from + r) * d;
    rows.set(queries.subarray(first, first + d), r * stride);
    // Rows behind d may hold what encoding left there; the kernels count on zeros.
    rows.fill(0, r * stride + d, (r + 1) * stride);
    const bad = kernels.call.firstNonFinite(nodes.rows + r * stride * 4, d);
    if (bad >= 0) throw notFinite('query', from + r, bad, queries[first + bad]!);
    if (
      kernels.call.dotF32(nodes.rows + r * stride * 4, nodes.rows + r * stride * 4, d) >
      MAGNITUDE_MAX ** 2
    ) {
      throw tooLong('query', from + r);
    }
  }
}

function searchLoaded(
  nodes: NodeMemory,
  count: number,
  size: number,
  plan: SearchPlan,
  firstRow: number,
): void {
  const failed = nodes.kernels.call.searchRows(
    nodes.index,
    nodes.scratch,
    count,
    nodes.rows,
    size,
    nodes.queryProjected,
    plan.k,
    plan.ef,
    plan.rerank,
    nodes.resultIds,
    nodes.resultScores,
  );
  if (failed !== 0) throw noDirection('query', firstRow + failed - 1);
}
