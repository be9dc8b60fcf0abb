// A query from float32 row to results: into the form of its metric, rotated, projected, through the
// graph, re-ranked on secondary codes, and back into the scores that users see.

import { gatherAllowed, scanCodes, searchAllowed } from './allowed';
import { keyDistance, keyId, makeKey, offerKey } from './beam';
import {
  dotF32, normaliseF32, scaleF32, squaredL2F32, squaredLength, subtractF32, sumF32,
} from './float';
import {
  hasBit, hasHalfNorm, Index, METRIC_COSINE, METRIC_DOT, METRIC_EUCLID, NONE, onlyPrimary,
  primaryOf, Scratch,
  secondaryOf,
} from './layout';
import { nestedDistance } from './nested';
import { paddedDimensions } from './pack';
import { primarySlots } from './primary';
import { projectInput, quantiseInput } from './project';
import { rotate } from './rotate';
import {
  descend, nextEpoch, prepareProjected, scoreGathered, searchLayer, touchRecord,
} from './search';
import { rerankDistance } from './secondary';

/** Ways to find candidates: see src/graph/filter-plan.ts. */
const THROUGH_GRAPH: u32 = 0;
const THROUGH_ALLOWED: u32 = 1;
const TWO_HOPS: u32 = 2;
const SCAN: u32 = 3;

/** Records whose cache lines are touched together before they are scored. */
const RERANK_GROUP: u32 = 16;

/** Reads one byte of every cache line of the records of the beam at places from … to − 1. */
// @ts-ignore: decorator
@inline
function touchSecondary(ix: Index, scratch: Scratch, from: u32, to: u32): void {
  const beam: usize = scratch.beam;
  let sum: u32 = 0;
  for (let i = from; i < to; i++) {
    const record = secondaryOf(ix, keyId(load<i64>(beam + (<usize>i << 3))));
    const end = record + <usize>ix.secondaryStride;
    for (let line = record; line < end; line += 64) sum += load<u8>(line);
  }
  scratch.sink += sum;
}

/** The re-rank distance of a node. */
// @ts-ignore: decorator
@inline
function fullDistance(ix: Index, scratch: Scratch, id: u32): f32 {
  const record = secondaryOf(ix, id);
  if (ix.nested == 0) return rerankDistance(ix, scratch, record);
  return nestedDistance(ix, scratch, primaryOf(ix, id), record, hasHalfNorm(ix));
}

let missedSum: f64 = 0;
let missedSquares: f64 = 0;

/** The re-rank distance of a node; notes by how much its primary distance missed it. */
// @ts-ignore: decorator
@inline
function rerankNode(ix: Index, scratch: Scratch, id: u32, primary: f32): f32 {
  if (onlyPrimary(ix)) return inRerankUnits(ix, primary);
  const distance = fullDistance(ix, scratch, id);
  const missed = <f64>(distance - inRerankUnits(ix, primary));
  missedSum += missed;
  missedSquares += missed * missed;
  return distance;
}

/** What re-rank distances have and primary ones have not: ‖q‖², for euclid on float32. */
let rerankOffset: f32 = 0;

/** A primary distance in the units of re-rank distances: half a squared one, for euclid. */
// @ts-ignore: decorator
@inline
function inRerankUnits(ix: Index, primary: f32): f32 {
  return ix.metric == METRIC_EUCLID ? 2 * primary + rerankOffset : primary;
}

/** Re-ranks the first `depth` of the beam with the full query; the k best are in `ranked`. */
function rerank(ix: Index, scratch: Scratch, depth: u32, k: u32): u32 {
  const beam: usize = scratch.beam, ranked: usize = scratch.ranked;
  let size: u32 = 0;
  missedSum = 0;
  missedSquares = 0;
  for (let from: u32 = 0; from < depth; from += RERANK_GROUP) {
    const to = min(depth, from + RERANK_GROUP);
    touchSecondary(ix, scratch, from, to);
    for (let i = from; i < to; i++) {
      const key = load<i64>(beam + (<usize>i << 3)), id = keyId(key);
      const distance = rerankNode(ix, scratch, id, keyDistance(key));
      size = offerKey(ranked, size, k, makeKey(distance, id));
    }
  }
  return size;
}

/** Standard deviations by which primary distances may mislead a restricted search. */
const DEVIATIONS: f64 = 2;

/**
 * Where a filter leaves only what is far from the query, distances lie closer together than primary
 * codes tell apart, and the best are anywhere. If what has been re-ranked is not all that could be
 * among the best, re-ranks the rest of it, in the worst case all that is allowed.
 */
function deepen(ix: Index, scratch: Scratch, count: u32, depth: u32, k: u32): void {
  const beam: usize = scratch.beam, ranked: usize = scratch.ranked;
  if (depth == 0 || onlyPrimary(ix)) return;
  const mean = missedSum / <f64>depth;
  const deviation = Math.sqrt(max(<f64>0, missedSquares / <f64>depth - mean * mean));
  const worst = <f64>keyDistance(load<i64>(ranked + (<usize>(k - 1) << 3)));
  // Primary distances err around the true ones; those of the beam are low because it chose them.
  const limit = <f32>(worst + DEVIATIONS * deviation);
  const last = inRerankUnits(ix, keyDistance(load<i64>(beam + (<usize>(depth - 1) << 3))));
  if (limit <= last) return;
  nextEpoch(scratch);
  for (let i: u32 = 0; i < depth; i++) {
    store<u8>(<usize>scratch.marks + keyId(load<i64>(beam + (<usize>i << 3))), <u8>scratch.epoch);
  }
  let id: u32 = 0;
  while (id < count) {
    id = gatherAllowed(ix, scratch, id, count);
    scoreGathered(ix, scratch, scratch.gathered);
    const n = keepUnranked(ix, scratch, limit);
    const ids: usize = scratch.gatherIds;
    for (let i: usize = 0; i < n; i += 4) {
      touchRecord(scratch, secondaryOf(ix, load<u32>(ids + i)), ix.secondaryStride);
    }
    for (let i: usize = 0; i < n; i += 4) {
      const other = load<u32>(ids + i);
      const distance = fullDistance(ix, scratch, other);
      offerKey(ranked, k, k, makeKey(distance, other));
    }
  }
}

/** Of the scored nodes keeps those up to a distance that have no mark; returns their bytes. */
function keepUnranked(ix: Index, scratch: Scratch, limit: f32): usize {
  const ids: usize = scratch.gatherIds, end = <usize>scratch.gathered << 2;
  let n: usize = 0;
  for (let i: usize = 0; i < end; i += 4) {
    const id = load<u32>(ids + i);
    const primary = load<f32>(<usize>scratch.gatherDistances + i);
    const isRanked = load<u8>(<usize>scratch.marks + id) == <u8>scratch.epoch;
    store<u32>(ids + n, id);
    n += <usize>(!isRanked && inRerankUnits(ix, primary) <= limit) << 2;
  }
  return n;
}

/**
 * The k nearest of the prepared query: its float32 form in scratch.query, its int16 form in
 * scratch.input, its codes in scratch.codes. Keys with re-rank distances are left in
 * scratch.ranked; returns how many.
 */
function searchGraph(
  ix: Index, scratch: Scratch, count: u32, way: u32, budget: u32, k: u32, ef: u32, depth: u32,
): u32 {
  let found: u32 = 0;
  const query: usize = scratch.query, d = <i32>ix.dimensions;
  const hasOffset = ix.metric == METRIC_EUCLID && ix.secondaryBits == 32;
  rerankOffset = hasOffset ? dotF32(query, query, d) : 0;
  const top = ix.entry;
  if (way != SCAN && top != NONE) {
    const entry = descend(ix, scratch, top, 0);
    if (way == THROUGH_GRAPH) searchLayer(ix, scratch, entry, ef, 0);
    else searchAllowed(ix, scratch, entry, ef, way == TWO_HOPS, budget);
    found = rerank(ix, scratch, min(depth, scratch.beamSize), k);
  }
  // Nodes that no link reaches (duplicates crowd links out) must not cost results.
  if (found < k) {
    scanCodes(ix, scratch, count, max(depth, k));
    found = rerank(ix, scratch, scratch.beamSize, k);
  }
  // Without the caller's restriction, `allow` only leaves deleted nodes out.
  if (way != THROUGH_GRAPH && scratch.allow != ix.live && found == k) {
    deepen(ix, scratch, count, min(max(depth, k), scratch.beamSize), k);
  }
  return found;
}

/** Exact scan of float32 vectors in secondary records; as searchGraph, nodes 0 … count − 1. */
function scanExact(ix: Index, scratch: Scratch, count: u32, k: u32): u32 {
  const query: usize = scratch.query, ranked: usize = scratch.ranked;
  const n = <i32>ix.dimensions;
  let size: u32 = 0;
  for (let id: u32 = 0; id < count; id++) {
    if (scratch.allow != 0 && !(hasBit(scratch.allow, id) && hasBit(ix.live, id))) continue;
    const record = secondaryOf(ix, id);
    const distance = ix.metric == METRIC_EUCLID
      ? squaredL2F32(query, record, n)
      : -dotF32(query, record, n);
    size = offerKey(ranked, size, k, makeKey(distance, id));
  }
  return size;
}

/** Brings a query row into the form of its metric; returns 0 where the cosine has no direction. */
// @ts-ignore: decorator
@inline
function prepareRow(ix: Index, row: usize): i32 {
  const d = <i32>ix.dimensions;
  if (ix.metric == METRIC_COSINE && !(normaliseF32(row, d) > 0)) return 0;
  if (ix.primaryBytes == 0) return 1;
  if (ix.rotation != 0) rotate(row, ix.rotation, d);
  if (ix.metric == METRIC_EUCLID) {
    scaleF32(row, <f32>1 / ix.unit, d);
    subtractF32(row, ix.mean, d);
  }
  return 1;
}

/** Brings a tiny query to length 1 and returns what its length was; others are left alone. */
function enlarge(row: usize, d: i32): f32 {
  const length = Math.sqrt(squaredLength(row, d));
  if (length == 0 || length > 1e-30) return 1;
  normaliseF32(row, d);
  return <f32>length;
}

/** Everything that searching takes of a query, from its row in the form of its metric. */
// @ts-ignore: decorator
@inline
function prepareQuery(ix: Index, scratch: Scratch, row: usize, slots: i32, projected: usize): void {
  const d = <i32>ix.dimensions;
  scratch.query = <u32>row;
  scratch.querySum = sumF32(row, d);
  scratch.inputFactor = quantiseInput(row, d, scratch.input);
  if (ix.primaryBits == 32) {
    prepareProjected(ix, scratch, row); // rows are padded with zeros to whole slots
    return;
  }
  const outputs = <i32>ix.outputs;
  projectInput(scratch.input, d, scratch.inputFactor, ix.queryProjection, outputs, projected);
  if (ix.nested != 0) scratch.shortFactor = quantiseInput(projected, outputs, scratch.short);
  prepareProjected(ix, scratch, projected);
}

/**
 * Turns `found` keys into ids and scores as users see them: similarity for cosine and inner product
 * (the mean's share added back), distance for euclid. Places without a result get the id NONE.
 */
function writeResults(
  ix: Index, scratch: Scratch, size: f32, found: u32, k: u32, ids: usize, scores: usize,
): void {
  const query: usize = scratch.query;
  const d = <i32>ix.dimensions;
  const coded = ix.primaryBytes > 0;
  let share: f32 = 0;
  if (ix.metric == METRIC_EUCLID) share = ix.secondaryBits == 32 ? 0 : dotF32(query, query, d);
  else if (coded) share = dotF32(query, ix.mean, d);
  for (let i: usize = 0; i < <usize>found; i++) {
    const key = load<i64>(<usize>scratch.ranked + (i << 3));
    const distance = keyDistance(key);
    store<u32>(ids + (i << 2), keyId(key));
    const score = ix.metric == METRIC_EUCLID
      ? ix.unit * sqrt(max(<f32>0, share + distance))
      : ix.unit * (share - distance) * size;
    store<f32>(scores + (i << 2), score);
  }
  for (let i = found; i < k; i++) store<u32>(ids + (<usize>i << 2), NONE);
}

/**
 * Searches `rowCount` queries (rows of paddedDimensions(d) floats, zero behind d; overwritten), one
 * after the other; `projected` holds slots floats. k ids and scores a query are written, best
 * first; k is at most the number of nodes allowed among slots 0 … count − 1. A way through the graph
 * is given up for the scan after `budget` scored codes.
 * Returns 0, or 1 + the first row without a direction.
 */
export function searchRows(
  ix: Index, scratch: Scratch, count: u32, rows: usize, rowCount: u32, projected: usize,
  way: u32, budget: u32, k: u32, ef: u32, depth: u32, ids: usize, scores: usize,
): u32 {
  const d = <i32>ix.dimensions;
  const stride = <usize>paddedDimensions(d) << 2;
  for (let r: u32 = 0; r < rowCount; r++) {
    if (prepareRow(ix, rows + <usize>r * stride) == 0) return r + 1;
  }
  const coded = ix.primaryBytes > 0;
  const slots = coded ? primarySlots(ix.primaryBytes, ix.primaryBits) : 0;
  for (let r: u32 = 0; r < rowCount; r++) {
    const row = rows + <usize>r * stride;
    scratch.query = <u32>row;
    // The integer forms of a query below 1e-34 overflow: its length is taken out and put back.
    const size = coded && ix.metric == METRIC_DOT ? enlarge(row, d) : <f32>1;
    if (coded) prepareQuery(ix, scratch, row, slots, projected);
    const found = coded
      ? searchGraph(ix, scratch, count, way, budget, k, ef, depth)
      : scanExact(ix, scratch, count, k);
    const at = <usize>r * <usize>k << 2;
    writeResults(ix, scratch, size, found, k, ids + at, scores + at);
  }
  return 0;
}
