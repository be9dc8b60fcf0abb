// HNSW insertion (arXiv 1603.09320, algorithm 1), a batch of nodes at a time and in two phases, so
// that threads share the work without locks and any number of them gives the same graph:
//   linkNode: each new node searches the graph as it was before the batch, and the batch itself,
//     and writes its own links, which nobody reads yet;
//   connectBack: each node that was linked to gets its new links, all of the batch at once.
// (After ParlayANN, arXiv 2305.04359, which leaves the nodes of a batch unconnected.)

import { keyDistance, keyId, makeKey, offerKey } from './beam';
import {
  hasBit, Index, levelOf, linksOf, NONE, Scratch, upperBlockBytes, upperPointerOf,
} from './layout';
import { pairBytes, pairDistance, pairRecord } from './pair';
import {
  descend, placeNode, prepareProjected, scoreGathered, searchLayer, touchRecord,
} from './search';
import { selectDiverse } from './select';

/** Nodes of the batch that are scored together, and candidates that are ranked together. */
const MATES_GROUP: u32 = 32;
const RANKED_GROUP: u32 = 16;

function writeLinks(links: usize, ids: usize, count: u32, most: u32): void {
  for (let i: u32 = 0; i < most; i++) {
    store<u32>(links + (<usize>i << 2), i < count ? load<u32>(ids + (<usize>i << 2)) : NONE);
  }
}

/**
 * Gives a slot empty links on layers 0 … level. The caller has made sure of room for one upper
 * block; a slot that is used again keeps its block and its level.
 */
export function clearNode(ix: Index, id: u32, level: u32): void {
  writeLinks(linksOf(ix, id, 0), 0, 0, ix.m0);
  let block = load<u32>(upperPointerOf(ix, id));
  if (level > 0 && block == 0) {
    block = ix.upperNext;
    ix.upperNext += upperBlockBytes(ix, level);
    store<u32>(block, level);
    store<u32>(upperPointerOf(ix, id), block);
  }
  if (level > 0) writeLinks(<usize>block + 16, 0, 0, level * ix.m);
}

/** Offers the other nodes of the batch that are on the layer to the beam. */
function offerMates(
  ix: Index, scratch: Scratch, id: u32, mates: usize, mateCount: u32, ef: u32, layer: u32,
): void {
  const beam: usize = scratch.beam;
  let size = scratch.beamSize, n: u32 = 0;
  for (let i: u32 = 0; i <= mateCount; i++) {
    if (i < mateCount) {
      const mate = load<u32>(mates + (<usize>i << 2));
      if (mate == id || (layer > 0 && levelOf(ix, mate) < layer)) continue;
      placeNode(ix, scratch, n++, mate);
    }
    if (n < MATES_GROUP && i < mateCount) continue;
    scoreGathered(ix, scratch, n);
    for (let j: usize = 0; j < (<usize>n << 2); j += 4) {
      const mate = load<u32>(<usize>scratch.gatherIds + j);
      size = offerKey(beam, size, ef, makeKey(load<f32>(<usize>scratch.gatherDistances + j), mate));
    }
    n = 0;
  }
  scratch.beamSize = size;
}

/** The beam's nodes with distances by richer codes, sorted, into scratch.ranked. */
function rankCandidates(ix: Index, scratch: Scratch, id: u32): u32 {
  const beam: usize = scratch.beam, ranked: usize = scratch.ranked;
  const count = scratch.beamSize, bytes = pairBytes(ix);
  let size: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    if (i % RANKED_GROUP == 0) {
      for (let j = i, end = min(count, i + RANKED_GROUP); j < end; j++) {
        touchRecord(scratch, pairRecord(ix, keyId(load<i64>(beam + (<usize>j << 3)))), bytes);
      }
    }
    const other = keyId(load<i64>(beam + (<usize>i << 3)));
    if (!hasBit(ix.live, other)) continue;
    const distance = pairDistance(ix, id, other);
    size = offerKey(ranked, size, count, makeKey(distance, other));
  }
  return size;
}

/** Links one cleared node of the batch; `projected` is its traversal query (see encodeRows). */
function linkNode(
  ix: Index, scratch: Scratch, id: u32, projected: usize, mates: usize, mateCount: u32, ef: u32,
): void {
  prepareProjected(ix, scratch, projected);
  const level = levelOf(ix, id);
  const hasGraph = ix.entry != NONE;
  const top = hasGraph ? levelOf(ix, ix.entry) : 0;
  let nearest = hasGraph ? descend(ix, scratch, ix.entry, level) : NONE;
  for (let layer = <i32>level; layer >= 0; layer--) {
    scratch.beamSize = 0;
    if (hasGraph && <u32>layer <= top) {
      searchLayer(ix, scratch, nearest, ef, layer);
      nearest = keyId(load<i64>(scratch.beam));
    }
    offerMates(ix, scratch, id, mates, mateCount, ef, layer);
    const candidates = rankCandidates(ix, scratch, id);
    const count = selectDiverse(ix, scratch.ranked, candidates, ix.m, scratch.selected);
    writeLinks(linksOf(ix, id, layer), scratch.selected, count, layer == 0 ? ix.m0 : ix.m);
  }
}

/** Phase one for the nodes at places from … to − 1 of a batch of `count` slots. */
export function linkNodes(
  ix: Index, scratch: Scratch, ids: usize, count: u32, from: u32, to: u32, projected: usize,
  stride: u32, ef: u32,
): void {
  for (let i = from; i < to; i++) {
    const id = load<u32>(ids + (<usize>i << 2));
    linkNode(ix, scratch, id, projected + <usize>i * <usize>stride, ids, count, ef);
  }
}

/**
 * The links of the batch on a layer, reversed: (target << 32 | source) keys at `pairs`, unsorted;
 * returns how many.
 */
export function reverseLinks(ix: Index, ids: usize, count: u32, layer: u32, pairs: usize): u32 {
  let n: usize = 0;
  for (let i: usize = 0; i < <usize>count; i++) {
    const id = load<u32>(ids + (i << 2));
    if (layer > levelOf(ix, id)) continue;
    const links = linksOf(ix, id, layer);
    for (let j: usize = 0; j < <usize>ix.m; j++) {
      const target = load<u32>(links + (j << 2));
      if (target == NONE) break;
      store<i64>(pairs + (n << 3), (<i64>target << 32) | <i64>id);
      n++;
    }
  }
  return <u32>n;
}

/** Adds the sources of pairs from … to − 1 to the links of their one target. */
function connectTarget(
  ix: Index, scratch: Scratch, target: u32, pairs: usize, from: u32, to: u32, layer: u32,
): void {
  const most = layer == 0 ? ix.m0 : ix.m;
  const links = linksOf(ix, target, layer);
  const ids: usize = scratch.gatherIds;
  let have: u32 = 0, count: u32 = 0;
  while (have < most && load<u32>(links + (<usize>have << 2)) != NONE) have++;
  for (let i = from; i < to; i++) {
    const source = load<u32>(pairs + (<usize>i << 3));
    let known = false;
    for (let j: u32 = 0; j < have && !known; j++) {
      known = load<u32>(links + (<usize>j << 2)) == source;
    }
    if (known) continue;
    store<u32>(ids + (<usize>count << 2), source);
    count++;
  }
  if (have + count <= most) {
    memory.copy(links + (<usize>have << 2), ids, <usize>count << 2);
    return;
  }
  let size: u32 = 0;
  for (let i: u32 = 0; i < have + count; i++) {
    const other = i < have
      ? load<u32>(links + (<usize>i << 2))
      : load<u32>(ids + (<usize>(i - have) << 2));
    const distance = pairDistance(ix, target, other);
    size = offerKey(scratch.ranked, size, have + count, makeKey(distance, other));
  }
  const kept = selectDiverse(ix, scratch.ranked, size, most, scratch.selected);
  writeLinks(links, scratch.selected, kept, most);
}

/**
 * Phase two for those targets whose first pair, of `count` sorted ones, is at a place from …
 * to − 1.
 */
export function connectBack(
  ix: Index, scratch: Scratch, pairs: usize, count: u32, from: u32, to: u32, layer: u32,
): void {
  let i = from;
  // A target that begins before `from` is another's.
  while (i > 0 && i < to && targetAt(pairs, i) == targetAt(pairs, i - 1)) i++;
  while (i < to) {
    const target = targetAt(pairs, i);
    let end = i + 1;
    while (end < count && targetAt(pairs, end) == target) end++;
    connectTarget(ix, scratch, target, pairs, i, end, layer);
    i = end;
  }
}

// @ts-ignore: decorator
@inline
function targetAt(pairs: usize, i: u32): u32 {
  return load<u32>(pairs + (<usize>i << 3), 4);
}

/** Makes the highest of the batch's nodes the entry point if it is above the present one. */
export function raiseEntry(ix: Index, ids: usize, count: u32): void {
  for (let i: usize = 0; i < <usize>count; i++) {
    const id = load<u32>(ids + (i << 2));
    const level = levelOf(ix, id);
    if (ix.entry == NONE || level > ix.maxLevel) {
      ix.entry = id;
      ix.maxLevel = level;
    }
  }
}
