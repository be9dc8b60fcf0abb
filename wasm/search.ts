// HNSW search (arXiv 1603.09320, algorithms 2 and 5) on primary codes, then the re-rank.
// One expansion gathers the unvisited neighbours, touches their cache lines so that the misses
// overlap (WebAssembly has no prefetch), scores them, and only then branches on the results.

import { insertKey, keyDistance, keyId, makeKey, offerKey } from './beam';
import { dotF32, normaliseF32, scaleF32, squaredL2F32, subtractF32, sumF32 } from './float';
import {
  Index, linksOf, METRIC_COSINE, METRIC_EUCLID, NONE, primaryOf, Scratch, secondaryOf,
} from './layout';
import { paddedDimensions } from './pack';
import { primaryDistance, primaryQuery, primarySlots } from './primary';
import { projectVector } from './project';
import { rerankDistance } from './secondary';

/** Quantises a projected vector (slots floats) as the query of the next traversal. */
export function prepareProjected(ix: Index, scratch: Scratch, projected: usize): void {
  const slots = primarySlots(ix.primaryBytes, ix.primaryBits);
  primaryQuery(projected, slots, ix.primaryBits, scratch.codes, scratch.constants);
}

/** A new round of visited marks; every 255 rounds the bytes are cleared. */
// @ts-ignore: decorator
@inline
function nextEpoch(scratch: Scratch): void {
  if (scratch.epoch == 255) {
    memory.fill(scratch.marks, 0, scratch.marksLength);
    scratch.epoch = 0;
  }
  scratch.epoch++;
}

/** Distance of one node by its primary code. */
// @ts-ignore: decorator
@inline
export function nodeDistance(ix: Index, scratch: Scratch, id: u32): f32 {
  return primaryDistance(
    scratch.codes, primaryOf(ix, id), ix.primaryBytes, ix.primaryBits,
    load<f32>(scratch.constants), load<f32>(scratch.constants, 4),
  );
}

/** Puts the unvisited nodes of a link list into the gather arrays and marks them; returns how many. */
// @ts-ignore: decorator
@inline
function gather(ix: Index, scratch: Scratch, links: usize, most: u32): u32 {
  const marks: usize = scratch.marks, table: usize = ix.chunkTable;
  const ids: usize = scratch.gatherIds, records: usize = scratch.gatherRecords;
  const shift = ix.chunkShift, mask: u32 = (1 << shift) - 1;
  const offset: usize = ix.primaryOffset, stride: usize = ix.primaryBytes;
  const epoch = scratch.epoch;
  let n: usize = 0;
  const end = links + (<usize>most << 2);
  for (; links < end; links += 4) {
    const id = load<u32>(links);
    if (id == NONE) break;
    const mark = marks + id;
    const seen = load<u8>(mark);
    store<u8>(mark, <u8>epoch);
    const chunk = <usize>load<u32>(table + (<usize>(id >> shift) << 2));
    store<u32>(ids + n, id);
    store<u32>(records + n, <u32>(chunk + offset + <usize>(id & mask) * stride));
    n += <usize>(seen != <u8>epoch) << 2; // no branch: an entry seen before is overwritten
  }
  return <u32>n >> 2;
}

/** Reads one byte of every cache line of the gathered records. */
// @ts-ignore: decorator
@inline
function touch(ix: Index, scratch: Scratch, n: u32): void {
  const lines = ix.primaryBytes;
  let sum: u32 = 0;
  for (let i: usize = 0; i < (<usize>n << 2); i += 4) {
    const record = <usize>load<u32>(<usize>scratch.gatherRecords + i);
    for (let line: usize = 0; line < <usize>lines; line += 64) sum += load<u8>(record + line);
  }
  scratch.sink += sum;
}

// @ts-ignore: decorator
@inline
function score(ix: Index, scratch: Scratch, n: u32, bits: i32): void {
  const bytes = <i32>ix.primaryBytes, codes: usize = scratch.codes;
  const step = load<f32>(scratch.constants), offset = load<f32>(scratch.constants, 4);
  const records: usize = scratch.gatherRecords, distances: usize = scratch.gatherDistances;
  for (let i: usize = 0; i < (<usize>n << 2); i += 4) {
    const record = <usize>load<u32>(records + i);
    store<f32>(distances + i, primaryDistance(codes, record, bytes, bits, step, offset));
  }
}

// @ts-ignore: decorator
@inline
function scoreGathered(ix: Index, scratch: Scratch, n: u32): void {
  touch(ix, scratch, n);
  // A constant width in each call lets the compiler drop the other kernels from the loop.
  if (ix.primaryBits == 2) score(ix, scratch, n, 2);
  else if (ix.primaryBits == 4) score(ix, scratch, n, 4);
  else score(ix, scratch, n, 7);
  scratch.distances += n;
}

/** Starts a beam of at most ef nodes from one node. */
// @ts-ignore: decorator
@inline
function startBeam(ix: Index, scratch: Scratch, entry: u32): void {
  nextEpoch(scratch);
  store<u8>(<usize>scratch.marks + entry, <u8>scratch.epoch);
  store<i64>(scratch.beam, makeKey(nodeDistance(ix, scratch, entry), entry));
  scratch.beamSize = 1;
  scratch.distances++;
}

/**
 * Beam search on one layer (algorithm 2): leaves the ef nearest nodes found, sorted, in the beam.
 * A flat sorted list serves as candidates and results at once: the next node to expand is the
 * first one without the flag, and the search ends when there is none.
 */
export function searchLayer(ix: Index, scratch: Scratch, entry: u32, ef: u32, level: u32): void {
  startBeam(ix, scratch, entry);
  const beam: usize = scratch.beam;
  const most = level == 0 ? ix.m0 : ix.m;
  const ids: usize = scratch.gatherIds, distances: usize = scratch.gatherDistances;
  let size: u32 = 1, cursor: u32 = 0;
  while (cursor < size) {
    const at = beam + (<usize>cursor << 3);
    const key = load<i64>(at);
    cursor++;
    if (key & 1) continue;
    store<i64>(at, key | 1);
    const n = gather(ix, scratch, linksOf(ix, keyId(key), level), most);
    if (cursor < size) {
      // Very often the next one to expand: its links are on their way while this one is scored.
      const next = linksOf(ix, keyId(load<i64>(beam + (<usize>cursor << 3))), level);
      scratch.sink += load<u8>(next) + load<u8>(next, 64);
    }
    scoreGathered(ix, scratch, n);
    let worst = size == ef ? keyDistance(load<i64>(beam + (<usize>(size - 1) << 3))) : <f32>Infinity;
    for (let i: usize = 0; i < (<usize>n << 2); i += 4) {
      const distance = load<f32>(distances + i);
      if (distance >= worst) continue;
      const kept = size == ef ? size - 1 : size;
      const position = insertKey(beam, kept, makeKey(distance, load<u32>(ids + i)));
      size = kept + 1;
      if (position < cursor) cursor = position;
      if (size == ef) worst = keyDistance(load<i64>(beam + (<usize>(size - 1) << 3)));
    }
  }
  scratch.beamSize = size;
}

/** Greedy descent from the entry point through the layers above `level` (algorithm 5, ef = 1). */
export function descend(ix: Index, scratch: Scratch, level: u32): u32 {
  let nearest = ix.entry;
  let distance = nodeDistance(ix, scratch, nearest);
  nextEpoch(scratch);
  for (let layer = ix.maxLevel; layer > level; layer--) {
    let moved = true;
    while (moved) {
      moved = false;
      const n = gather(ix, scratch, linksOf(ix, nearest, layer), ix.m);
      scoreGathered(ix, scratch, n);
      for (let i: usize = 0; i < (<usize>n << 2); i += 4) {
        const d = load<f32>(<usize>scratch.gatherDistances + i);
        if (d < distance) {
          distance = d;
          nearest = load<u32>(<usize>scratch.gatherIds + i);
          moved = true;
        }
      }
    }
  }
  return nearest;
}

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
  if (ix.metric == METRIC_EUCLID) share = coded ? dotF32(query, query, d) : 0;
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
 * after the other; `projected` holds slots floats. k ids and scores a query are written, best first; k is at most
 * `nodes`, the number of nodes 0 … nodes − 1. Returns 0, or 1 + the first row without a direction.
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
