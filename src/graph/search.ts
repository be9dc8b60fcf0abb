import { notFinite } from '../base/check.js';
import { paddedDimensions } from '../kernels/index.js';
import type { Job } from '../threads/crew.js';
import type { AllowList } from './allow-list.js';
import {
  beamCapacity,
  beamWidth,
  codesScanned,
  planRestricted,
  WAYS,
  type Way,
} from './filter-plan.js';
import { MAGNITUDE_MAX, noDirection, tooLong } from './rows.js';
import { QUERY_ROWS, type Scratch } from './scratch.js';
import type { Shard } from './shard.js';

/** The k nearest of one query, best first. */
export interface SearchResult {
  ids: Uint32Array;
  /** Similarity for Cosine and Dot (larger is better), distance for Euclid (smaller is better). */
  scores: Float32Array;
}

/** The k nearest of m queries: row r of both matrices belongs to query r. */
export interface BatchSearchResult extends SearchResult {
  /** Neighbours of each query: the k asked for, or the number of vectors if that is smaller. */
  k: number;
}

/** How to search: how many to find, with which beam, how many of it to re-rank, among which. */
export interface SearchPlan {
  k: number;
  ef: number;
  rerank: number;
  allow: AllowList | undefined;
}

/** Results of one kernel call take at most this much memory. */
const RESULT_BYTES_MAX = 1 << 22;

/** Rows of queries that one kernel call may search. */
export function rowsAtOnce(k: number): number {
  return Math.max(1, Math.min(QUERY_ROWS, Math.floor(RESULT_BYTES_MAX / (8 * Math.max(1, k)))));
}

/** A search of some rows in one shard, ready to run in any thread. */
export interface ShardSearch {
  shard: Shard;
  scratch: Scratch;
  job: Job;
  /** Rows searched, and results a row. */
  rows: number;
  k: number;
}

/**
 * Prepares the search of rows from … from + size − 1 of the queries in one shard, which has the
 * number `at`; undefined where it has nothing to find.
 * @throws RangeError for NaN, infinity, or numbers too large.
 */
export function prepareSearch(
  shard: Shard,
  at: number,
  queries: Float32Array,
  from: number,
  size: number,
  plan: SearchPlan,
): ShardSearch | undefined {
  const { nodes } = shard;
  const restriction = restrictionOf(shard, at, plan);
  const k = Math.min(plan.k, restriction.found);
  if (k === 0) return undefined;
  const scratch = nodes.takeScratch();
  try {
    scratch.ensureBeam(Math.max(restriction.beam, plan.rerank));
    scratch.ensureResults(size * k);
    scratch.restrict(allowedBits(shard, at, plan, scratch));
    loadQueries(shard, scratch, queries, from, size);
  } catch (error) {
    nodes.giveBack(scratch);
    throw error;
  }
  const args = [
    nodes.index,
    scratch.pointer,
    nodes.used,
    scratch.rows,
    size,
    scratch.projected,
    restriction.way,
    restriction.budget,
    k,
    Math.max(k, Math.min(restriction.ef, shard.searchable)),
    Math.max(k, plan.rerank),
    scratch.resultIds,
    scratch.resultScores,
  ];
  return { shard, scratch, job: { kernel: 'searchRows', args }, rows: size, k };
}

/** Runs a prepared search in this thread. */
export function runHere({ shard, job }: ShardSearch): number {
  const call = shard.nodes.kernels.call.searchRows as (...args: readonly number[]) => number;
  return call(...job.args);
}

/** The way through a shard, with which beam, and how many vectors there are to find. */
interface Restriction {
  way: Way;
  /** Allowed nodes that the beam looks for, and its room with what is not allowed. */
  ef: number;
  beam: number;
  /** Scored codes after which a traversal is given up for the scan. */
  budget: number;
  found: number;
}

function restrictionOf(shard: Shard, at: number, { k, ef, allow }: SearchPlan): Restriction {
  const live = shard.searchable;
  if (allow === undefined && shard.dead.size === 0)
    return { way: WAYS.graph, ef, beam: ef, budget: 0, found: findable(shard) };
  const linked = live + shard.dead.size;
  if (allow === undefined) {
    // Few deleted vectors cost little on the way; a scan would cost what the index is to save.
    const search = { allowed: live, live, linked, k, ef };
    const beam = beamCapacity(WAYS.allowed, search);
    const budget = shard.nodes.capacity;
    return { way: WAYS.allowed, ef, beam, budget, found: findable(shard) };
  }
  const allowed = Math.min(live, allow.countOf(at));
  const search = { allowed, live, linked, k, ef };
  const way = planRestricted(search);
  return {
    way,
    ef: beamWidth(way, search),
    beam: beamCapacity(way, search),
    budget: codesScanned(search),
    found: allowed,
  };
}

/** How many vectors a search may come across: those being added are found and have no id yet. */
export function findable({ searchable, adding }: Shard): number {
  return searchable === 0 ? 0 : searchable + adding;
}

/** The bitmap of what may be returned: 0 where that is every slot that was ever used. */
function allowedBits(shard: Shard, at: number, { allow }: SearchPlan, scratch: Scratch): number {
  const { nodes } = shard;
  if (allow === undefined) return nodes.used === shard.live ? 0 : nodes.getIndex('live');
  const byteLength = nodes.capacity / 8;
  const revision = allow.revisionOf(at);
  scratch.ensureAllowed(byteLength);
  const have = scratch.allowedFrom;
  if (have?.source !== allow || have.shard !== at || have.revision !== revision) {
    const bits = nodes.kernels.u8(scratch.allowed, byteLength);
    const slots = allow.slotsOf(at).subarray(0, byteLength);
    bits.set(slots);
    bits.fill(0, slots.length);
    scratch.allowedFrom = { source: allow, shard: at, revision };
  }
  return scratch.allowed;
}

function loadQueries(
  { nodes }: Shard,
  scratch: Scratch,
  queries: Float32Array,
  from: number,
  size: number,
): void {
  const d = nodes.layout.dimensions;
  const stride = paddedDimensions(d);
  const { kernels } = nodes;
  const { call } = kernels;
  const { floats } = kernels;
  for (let r = 0; r < size; r++) {
    const first = (from + r) * d;
    const at = scratch.rows + r * stride * 4;
    const isAll = queries.length === d;
    // What lies behind d stays zero: nothing else writes to these rows.
    floats.set(isAll ? queries : queries.subarray(first, first + d), at / 4);
    const bad = call.firstNonFinite(at, d);
    if (bad >= 0) throw notFinite('query', from + r, bad, queries[first + bad]!);
    // As rows may be: under cosine of any length, else of numbers up to MAGNITUDE_MAX.
    const isLong = call.dotF32(at, at, d) > d * MAGNITUDE_MAX ** 2;
    if (isLong && nodes.layout.distance !== 'Cosine') throw tooLong('query', from + r);
  }
}

/** Slots and scores of a search that has run; the places without a result hold NONE. */
export interface Found {
  slots: Uint32Array;
  scores: Float32Array;
  k: number;
}

/**
 * Takes the results of a search and gives its working memory back.
 * @throws RangeError for a zero query under cosine.
 */
export function takeResults(
  { shard, scratch, rows, k }: ShardSearch,
  failed: number,
  firstRow: number,
): Found {
  const { kernels } = shard.nodes;
  const { words, floats } = kernels;
  const slots = words.slice(scratch.resultIds / 4, scratch.resultIds / 4 + rows * k);
  const scores = floats.slice(scratch.resultScores / 4, scratch.resultScores / 4 + rows * k);
  shard.nodes.giveBack(scratch);
  if (failed !== 0) throw noDirection('query', firstRow + failed - 1);
  return { slots, scores, k };
}
