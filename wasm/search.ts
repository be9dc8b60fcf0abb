// HNSW search (arXiv 1603.09320, algorithms 2 and 5) on primary codes.
// One expansion gathers the unvisited neighbours, touches their cache lines so that the misses
// overlap (WebAssembly has no prefetch), scores them, and only then branches on the results.

import { insertKey, keyDistance, keyId, makeKey } from './beam';
import { hasHalfNorm, Index, levelOf, linksOf, NONE, primaryOf, Scratch } from './layout';
import { primaryQuery, primarySlots } from './primary';
import { scoreRecords } from './score';

/** Quantises a projected vector (slots floats) as the query of the next traversal. */
export function prepareProjected(ix: Index, scratch: Scratch, projected: usize): void {
  const slots = primarySlots(ix.primaryBytes, ix.primaryBits);
  if (ix.primaryBits == 32) {
    memory.copy(scratch.codes, projected, <usize>slots << 2);
    return;
  }
  primaryQuery(projected, slots, ix.primaryBits, scratch.codes, scratch.constants);
  store<f32>(scratch.constants, load<f32>(scratch.constants) * ix.queryScale);
}

/** A new round of visited marks; every 255 rounds the bytes are cleared. */
// @ts-ignore: decorator
@inline
export function nextEpoch(scratch: Scratch): void {
  if (scratch.epoch == 255) {
    memory.fill(scratch.marks, 0, scratch.marksLength);
    scratch.epoch = 0;
  }
  scratch.epoch++;
}

/** Puts a node at place n of the gather arrays. */
// @ts-ignore: decorator
@inline
export function placeNode(ix: Index, scratch: Scratch, n: u32, id: u32): void {
  store<u32>(<usize>scratch.gatherIds + (<usize>n << 2), id);
  store<u32>(<usize>scratch.gatherRecords + (<usize>n << 2), <u32>primaryOf(ix, id));
}

/**
 * Puts the unvisited nodes of a link list behind the `have` in the gather arrays and marks them;
 * returns how many there are now.
 */
export function gather(ix: Index, scratch: Scratch, links: usize, most: u32, have: u32): u32 {
  const marks: usize = scratch.marks, table: usize = ix.chunkTable;
  const ids: usize = scratch.gatherIds, records: usize = scratch.gatherRecords;
  const shift = ix.chunkShift, mask: u32 = (1 << shift) - 1;
  const offset: usize = ix.primaryOffset, stride: usize = ix.primaryStride;
  const epoch = scratch.epoch;
  let n: usize = <usize>have << 2;
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

/** Reads one byte of every cache line of a record, so that these are on their way. */
// @ts-ignore: decorator
@inline
export function touchRecord(scratch: Scratch, record: usize, bytes: usize): void {
  let sum: u32 = 0;
  for (const end = record + bytes; record < end; record += 64) sum += load<u8>(record);
  scratch.sink += sum;
}

/** Reads one byte of every cache line of the gathered records. */
// @ts-ignore: decorator
@inline
function touch(ix: Index, scratch: Scratch, n: u32): void {
  const bytes: usize = ix.primaryBytes;
  let sum: u32 = 0;
  for (let i: usize = 0; i < (<usize>n << 2); i += 4) {
    const record = <usize>load<u32>(<usize>scratch.gatherRecords + i);
    for (let line: usize = 0; line < bytes; line += 64) sum += load<u8>(record + line);
  }
  scratch.sink += sum;
}

/** Distances of the n nodes in the gather arrays, by their primary codes. */
// @ts-ignore: decorator
@inline
export function scoreGathered(ix: Index, scratch: Scratch, n: u32): void {
  if (n == 0) return;
  touch(ix, scratch, n);
  scoreRecords(
    scratch.codes, scratch.constants, hasHalfNorm(ix), scratch.gatherRecords, n, ix.primaryBytes,
    ix.primaryBits, scratch.gatherDistances,
  );
  scratch.distances += n;
}

/** Distance of one node by its primary code. */
// @ts-ignore: decorator
@inline
export function nodeDistance(ix: Index, scratch: Scratch, id: u32): f32 {
  placeNode(ix, scratch, 0, id);
  scoreGathered(ix, scratch, 1);
  return load<f32>(scratch.gatherDistances);
}

/** Starts a beam with one node. */
// @ts-ignore: decorator
@inline
export function startBeam(ix: Index, scratch: Scratch, entry: u32): void {
  nextEpoch(scratch);
  store<u8>(<usize>scratch.marks + entry, <u8>scratch.epoch);
  store<i64>(scratch.beam, makeKey(nodeDistance(ix, scratch, entry), entry));
  scratch.beamSize = 1;
}

/** Very often the next node to expand: its links are on their way while this one is scored. */
// @ts-ignore: decorator
@inline
export function touchLinks(ix: Index, scratch: Scratch, key: i64, level: u32): void {
  const next = linksOf(ix, keyId(key), level);
  scratch.sink += load<u8>(next) + load<u8>(next, 64);
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
    const n = gather(ix, scratch, linksOf(ix, keyId(key), level), most, 0);
    if (cursor < size) touchLinks(ix, scratch, load<i64>(beam + (<usize>cursor << 3)), level);
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

/**
 * Greedy descent from `entry`, the entry point, through the layers above `level` (algorithm 5, ef = 1).
 * The caller reads the entry point once: another thread may replace it, or take it away.
 */
export function descend(ix: Index, scratch: Scratch, entry: u32, level: u32): u32 {
  // The entry's own level: maxLevel may already be another's while nodes are being inserted.
  let nearest = entry, layer = levelOf(ix, nearest);
  if (layer <= level) return nearest;
  nextEpoch(scratch);
  let distance = nodeDistance(ix, scratch, nearest);
  for (; layer > level; layer--) {
    let moved = true;
    while (moved) {
      moved = false;
      const n = gather(ix, scratch, linksOf(ix, nearest, layer), ix.m, 0);
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
