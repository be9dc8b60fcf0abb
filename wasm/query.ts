// A query from float32 row to results: into the form of its metric, projected, through the graph,
// re-ranked on secondary codes, and back into the scores that users see.

import { keyDistance, keyId, makeKey, offerKey } from './beam';
import { dotF32, normaliseF32, scaleF32, squaredL2F32, subtractF32, sumF32 } from './float';
import { Index, METRIC_COSINE, METRIC_EUCLID, NONE, Scratch, secondaryOf } from './layout';
import { paddedDimensions } from './pack';
import { primarySlots } from './primary';
import { projectVector } from './project';
import { descend, nodeDistance, prepareProjected, searchLayer } from './search';
import { rerankDistance } from './secondary';

/** Records whose cache lines are on their way while one is scored. */
const RERANK_AHEAD: u32 = 16;

/** Reads one byte of every cache line of the beam's record at `place`. */
// @ts-ignore: decorator
@inline
function touchSecondary(ix: Index, scratch: Scratch, place: u32): void {
  const record = secondaryOf(ix, keyId(load<i64>(<usize>scratch.beam + (<usize>place << 3))));
  const end = record + <usize>ix.secondaryStride;
  let sum: u32 = 0;
  for (let line = record; line < end; line += 64) sum += load<u8>(line);
  scratch.sink += sum;
}

/** Re-ranks the first `depth` of the beam with the float32 query; the k best are in `ranked`. */
function rerank(ix: Index, scratch: Scratch, depth: u32, k: u32): u32 {
  const query: usize = scratch.query;
  const querySum = sumF32(query, ix.dimensions);
  const beam: usize = scratch.beam, ranked: usize = scratch.ranked;
  for (let i: u32 = 0; i < min(depth, RERANK_AHEAD); i++) touchSecondary(ix, scratch, i);
  let size: u32 = 0;
  for (let i: u32 = 0; i < depth; i++) {
    if (i + RERANK_AHEAD < depth) touchSecondary(ix, scratch, i + RERANK_AHEAD);
    const id = keyId(load<i64>(beam + (<usize>i << 3)));
    const distance = rerankDistance(ix, query, querySum, secondaryOf(ix, id));
    size = offerKey(ranked, size, k, makeKey(distance, id));
  }
  return size;
}

/**
 * The k nearest of the prepared query: its float32 form in scratch.query (padded with zeros), its
 * codes in scratch.codes. Keys with re-rank distances are left in scratch.ranked; returns how many.
 */
function searchGraph(ix: Index, scratch: Scratch, k: u32, ef: u32, depth: u32): u32 {
  if (ix.entry == NONE) return 0;
  searchLayer(ix, scratch, descend(ix, scratch, 0), ef, 0);
  return rerank(ix, scratch, min(depth, scratch.beamSize), k);
}

/**
 * As searchGraph without the graph: every node 0 … count − 1 by primary code, the best `depth` (at
 * most the beam's capacity) re-ranked.
 */
function scanCodes(ix: Index, scratch: Scratch, count: u32, k: u32, depth: u32): u32 {
  let size: u32 = 0;
  for (let id: u32 = 0; id < count; id++) {
    size = offerKey(scratch.beam, size, depth, makeKey(nodeDistance(ix, scratch, id), id));
  }
  scratch.beamSize = size;
  scratch.distances += count;
  return rerank(ix, scratch, size, k);
}

/** Exact scan of float32 vectors in secondary records; as searchGraph, nodes 0 … count − 1. */
function scanExact(ix: Index, scratch: Scratch, count: u32, k: u32): u32 {
  const query: usize = scratch.query, ranked: usize = scratch.ranked;
  const n = <i32>ix.dimensions;
  let size: u32 = 0;
  for (let id: u32 = 0; id < count; id++) {
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
  if (ix.metric == METRIC_COSINE) return i32(normaliseF32(row, d) > 0);
  if (ix.metric == METRIC_EUCLID && ix.primaryBytes > 0) {
    scaleF32(row, <f32>1 / ix.unit, d);
    subtractF32(row, ix.mean, d);
  }
  return 1;
}

/**
 * Turns `found` keys into ids and scores as users see them: similarity for cosine and inner product
 * (the mean's share added back), distance for euclid.
 */
function writeResults(ix: Index, scratch: Scratch, found: u32, ids: usize, scores: usize): void {
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
      : ix.unit * (share - distance);
    store<f32>(scores + (i << 2), score);
  }
}

/**
 * Searches `count` queries (rows of paddedDimensions(d) floats, zero behind d; overwritten), one
 * after the other; `projected` holds slots floats. k ids and scores a query are written, best
 * first; k is at most `nodes`, the number of nodes 0 … nodes − 1. Returns 0, or 1 + the first row without a direction.
 */
export function searchRows(
  ix: Index, scratch: Scratch, nodes: u32, rows: usize, count: u32, projected: usize,
  k: u32, ef: u32, depth: u32, ids: usize, scores: usize,
): u32 {
  const d = <i32>ix.dimensions;
  const stride = paddedDimensions(d);
  for (let r: u32 = 0; r < count; r++) {
    if (prepareRow(ix, rows + (<usize>r * <usize>stride << 2)) == 0) return r + 1;
  }
  const coded = ix.primaryBytes > 0;
  const slots = coded ? primarySlots(ix.primaryBytes, ix.primaryBits) : 0;
  for (let r: u32 = 0; r < count; r++) {
    scratch.query = <u32>(rows + (<usize>r * <usize>stride << 2));
    let found: u32;
    if (coded) {
      projectVector(scratch.query, d, ix.projection, slots, scratch.input, projected);
      prepareProjected(ix, scratch, projected);
      found = searchGraph(ix, scratch, k, ef, depth);
      // Nodes that no link reaches (duplicates crowd links out) must not cost results.
      if (found < k) found = scanCodes(ix, scratch, nodes, k, max(depth, k));
    } else {
      found = scanExact(ix, scratch, nodes, k);
    }
    const at = <usize>r * <usize>k << 2;
    writeResults(ix, scratch, found, ids + at, scores + at);
  }
  return 0;
}
