// Search restricted to a bitmap of slots (scratch.allow): the allow-list of a filter, or what is not
// deleted. Two ways through the graph, and a scan; src/graph/filter-plan.ts chooses.

import { insertKey, keyDistance, keyId, makeKey, offerKey } from './beam';
import { hasBit, Index, linksOf, NONE, primaryOf, Scratch } from './layout';
import { gather, placeNode, scoreGathered, startBeam, touchLinks } from './search';

/** Nodes of a scan that are scored together: their cache misses overlap. */
const SCAN_GROUP: u32 = 32;

/** Marks an unvisited node; returns whether it was unvisited. */
// @ts-ignore: decorator
@inline
function visit(scratch: Scratch, id: u32): bool {
  const mark = <usize>scratch.marks + id;
  if (load<u8>(mark) == <u8>scratch.epoch) return false;
  store<u8>(mark, <u8>scratch.epoch);
  return true;
}

/**
 * Gathers the unvisited allowed neighbours of a node and, through each neighbour that is not
 * allowed, those behind it (ACORN-1, arXiv 2403.04871), as many as the gather arrays hold.
 */
function gatherTwoHops(ix: Index, scratch: Scratch, links: usize): u32 {
  const allow: usize = scratch.allow;
  const capacity = scratch.gatherCapacity, most = <usize>ix.m0 << 2;
  let n: u32 = 0;
  for (const end = links + most; links < end; links += 4) {
    const id = load<u32>(links);
    if (id == NONE) break;
    if (!visit(scratch, id)) continue;
    if (hasBit(allow, id)) {
      if (n < capacity) placeNode(ix, scratch, n++, id);
      continue;
    }
    let further = linksOf(ix, id, 0);
    for (const stop = further + most; further < stop && n < capacity; further += 4) {
      const second = load<u32>(further);
      if (second == NONE) break;
      if (hasBit(allow, second) && visit(scratch, second)) placeNode(ix, scratch, n++, second);
    }
  }
  return n;
}

/**
 * Beam search on layer 0 for the ef nearest allowed nodes. Without `twoHops` nodes that are not
 * allowed are traversed like the others, do not count and are not returned; the beam then holds up
 * to its capacity. With it they are only passed through. Leaves allowed nodes alone in the beam, or
 * nothing if more codes than the budget would have to be scored.
 */
export function searchAllowed(
  ix: Index, scratch: Scratch, entry: u32, ef: u32, twoHops: bool, budget: u32,
): void {
  const most = scratch.distances + budget;
  startBeam(ix, scratch, entry);
  const allow: usize = scratch.allow, beam: usize = scratch.beam;
  const capacity = scratch.beamCapacity;
  let size: u32 = 1, cursor: u32 = 0, allowed = u32(hasBit(allow, entry));
  let worst: f32 = Infinity;
  while (cursor < size) {
    const at = beam + (<usize>cursor << 3);
    const key = load<i64>(at);
    cursor++;
    if (key & 1) continue;
    store<i64>(at, key | 1);
    const links = linksOf(ix, keyId(key), 0);
    const n = twoHops ? gatherTwoHops(ix, scratch, links) : gather(ix, scratch, links, ix.m0, 0);
    if (cursor < size) touchLinks(ix, scratch, load<i64>(beam + (<usize>cursor << 3)), 0);
    scoreGathered(ix, scratch, n);
    if (scratch.distances > most) {
      scratch.beamSize = 0;
      return;
    }
    for (let i: usize = 0; i < (<usize>n << 2); i += 4) {
      const distance = load<f32>(<usize>scratch.gatherDistances + i);
      if (distance >= worst) continue;
      const id = load<u32>(<usize>scratch.gatherIds + i);
      const position = insertKey(beam, size++, makeKey(distance, id));
      if (position < cursor) cursor = position;
      allowed += u32(hasBit(allow, id));
      // The list ends with the ef-th allowed node.
      for (; size > 0; size--) {
        const isAllowed = hasBit(allow, keyId(load<i64>(beam + (<usize>(size - 1) << 3))));
        if (size <= capacity && (allowed < ef || (allowed == ef && isAllowed))) break;
        allowed -= u32(isAllowed);
      }
      if (allowed == ef || size == capacity) {
        worst = keyDistance(load<i64>(beam + (<usize>(size - 1) << 3)));
      }
    }
  }
  keepAllowed(scratch, size);
}

/** Drops the keys of nodes that are not allowed from the beam. */
function keepAllowed(scratch: Scratch, size: u32): void {
  const beam: usize = scratch.beam;
  let kept: u32 = 0;
  for (let i: u32 = 0; i < size; i++) {
    const key = load<i64>(beam + (<usize>i << 3));
    store<i64>(beam + (<usize>kept << 3), key);
    kept += u32(hasBit(scratch.allow, keyId(key)));
  }
  scratch.beamSize = kept;
}

/** Scores the gathered nodes of a scan and keeps the `depth` nearest in the beam. */
function offerGathered(ix: Index, scratch: Scratch, n: u32, size: u32, depth: u32): u32 {
  scoreGathered(ix, scratch, n);
  for (let i: usize = 0; i < (<usize>n << 2); i += 4) {
    const distance = load<f32>(<usize>scratch.gatherDistances + i);
    const id = load<u32>(<usize>scratch.gatherIds + i);
    size = offerKey(scratch.beam, size, depth, makeKey(distance, id));
  }
  return size;
}

/**
 * Puts the next allowed nodes from slot `id` on in the gather arrays, SCAN_GROUP of them or what
 * there is below `count` (scratch.gathered); returns the slot to go on from.
 */
export function gatherAllowed(ix: Index, scratch: Scratch, id: u32, count: u32): u32 {
  let n: u32 = 0;
  while (id < count && n < SCAN_GROUP) {
    const first = id & ~63;
    // Chunks are whole words of 64 slots.
    const record = primaryOf(ix, first);
    let bits = allowedBits(ix, scratch, first, count) & (~(<u64>0) << <u64>(id & 63));
    // Which bits are set cannot be foretold: no branch for each.
    while (bits != 0 && n < SCAN_GROUP) {
      const place = <u32>ctz(bits);
      const at = <usize>n << 2;
      store<u32>(<usize>scratch.gatherIds + at, first + place);
      store<u32>(<usize>scratch.gatherRecords + at, <u32>(record + place * ix.primaryStride));
      bits &= bits - 1;
      n++;
    }
    id = bits == 0 ? first + 64 : first + <u32>ctz(bits);
  }
  scratch.gathered = n;
  return id;
}

/** Bits of the 64 slots from `first` on that may be returned, below `count`. */
// @ts-ignore: decorator
@inline
function allowedBits(ix: Index, scratch: Scratch, first: u32, count: u32): u64 {
  const all = ~(<u64>0) >> <u64>(64 - min<u32>(64, count - first));
  if (scratch.allow == 0) return all;
  const at = <usize>(first >> 3);
  // A slot that is just being filled has an id, and still what a deleted vector left there.
  return all & load<u64>(<usize>scratch.allow + at) & load<u64>(<usize>ix.live + at);
}

/** The `depth` nearest by primary code of all (or all allowed) slots below `count`, in the beam. */
export function scanCodes(ix: Index, scratch: Scratch, count: u32, depth: u32): void {
  let size: u32 = 0, id: u32 = 0;
  while (id < count) {
    id = gatherAllowed(ix, scratch, id, count);
    size = offerGathered(ix, scratch, scratch.gathered, size, depth);
  }
  scratch.beamSize = size;
}
