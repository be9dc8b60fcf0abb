// HNSW insertion (arXiv 1603.09320, algorithms 1 and 4). Candidates are found on primary codes;
// all distances between stored vectors (choosing and pruning links) are taken on the richer
// secondary codes: those between two 2-bit codes are too noisy for the diversity heuristic.

import { keyDistance, keyId, makeKey, offerKey } from './beam';
import {
  Index, levelOf, linksOf, NONE, Scratch, secondaryOf, upperBlockBytes, upperPointerOf,
} from './layout';
import { descend, searchLayer } from './search';
import { pairDistance, secondaryTail } from './secondary';

/** Whether two records hold the same codes and constants. */
function sameRecord(ix: Index, a: usize, b: usize): bool {
  return memory.compare(a, b, secondaryTail(ix.dimensions, ix.secondaryBits)) == 0;
}

/**
 * Algorithm 4 without extendCandidates and keepPruned: walks the sorted keys and keeps a candidate
 * unless a kept one is strictly nearer to it than the base is. Returns how many are kept, at most
 * `most`, as ids in `selected`. Fewer candidates than `most` are all kept.
 * Copies of one vector are all at distance 0 from one another, so that none is strictly nearer and
 * they would fill the list: they get a quarter of it (nmslib/hnswlib issue 341).
 */
export function selectDiverse(ix: Index, keys: usize, count: u32, most: u32, selected: usize): u32 {
  if (count < most || ix.nearestOnly) {
    const all = min(count, most);
    for (let i: usize = 0; i < <usize>all; i++) {
      store<u32>(selected + (i << 2), keyId(load<i64>(keys + (i << 3))));
    }
    return all;
  }
  let kept: u32 = 0, copies: u32 = 0;
  for (let i: u32 = 0; i < count && kept < most; i++) {
    const key = load<i64>(keys + (<usize>i << 3));
    const record = secondaryOf(ix, keyId(key));
    const distance = keyDistance(key);
    let diverse = true;
    let copy = false;
    for (let j: u32 = 0; j < kept; j++) {
      const other = secondaryOf(ix, load<u32>(selected + (<usize>j << 2)));
      if (pairDistance(ix, record, other) < distance) {
        diverse = false;
        break;
      }
      copy = copy || sameRecord(ix, record, other);
    }
    if (diverse && copy) {
      if (copies >= most >> 2) diverse = false;
      copies++;
    }
    if (diverse) {
      store<u32>(selected + (<usize>kept << 2), keyId(key));
      kept++;
    }
  }
  return kept;
}

/** The beam's nodes with distances by secondary codes, sorted, into scratch.ranked. */
function rankCandidates(ix: Index, scratch: Scratch, id: u32): u32 {
  const record = secondaryOf(ix, id);
  const beam: usize = scratch.beam, ranked: usize = scratch.ranked;
  const count = scratch.beamSize;
  let size: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const other = keyId(load<i64>(beam + (<usize>i << 3)));
    if (other == id) continue;
    const distance = pairDistance(ix, record, secondaryOf(ix, other));
    size = offerKey(ranked, size, count, makeKey(distance, other));
  }
  return size;
}

function writeLinks(links: usize, ids: usize, count: u32, most: u32): void {
  for (let i: u32 = 0; i < most; i++) {
    store<u32>(links + (<usize>i << 2), i < count ? load<u32>(ids + (<usize>i << 2)) : NONE);
  }
}

/** Adds `id` to the links of `node`; a full list is chosen anew by the heuristic. */
function connectBack(ix: Index, scratch: Scratch, node: u32, id: u32, level: u32): void {
  const most = level == 0 ? ix.m0 : ix.m;
  const links = linksOf(ix, node, level);
  for (let i: u32 = 0; i < most; i++) {
    const other = load<u32>(links + (<usize>i << 2));
    if (other == id) return;
    if (other == NONE) {
      store<u32>(links + (<usize>i << 2), id);
      return;
    }
  }
  const record = secondaryOf(ix, node);
  const ranked: usize = scratch.ranked;
  let size = offerKey(
    ranked, 0, most + 1, makeKey(pairDistance(ix, record, secondaryOf(ix, id)), id),
  );
  for (let i: u32 = 0; i < most; i++) {
    const other = load<u32>(links + (<usize>i << 2));
    const distance = pairDistance(ix, record, secondaryOf(ix, other));
    size = offerKey(ranked, size, most + 1, makeKey(distance, other));
  }
  // The chosen ids go behind those of the new node, which are still being connected.
  const chosen = <usize>scratch.selected + (<usize>ix.m0 << 2);
  writeLinks(links, chosen, selectDiverse(ix, ranked, size, most, chosen), most);
}

/**
 * Links node `id`, whose records are written and whose query is prepared in `scratch`, on layers
 * 0 … level. The caller has made sure of room for one upper block.
 */
export function insertNode(ix: Index, scratch: Scratch, id: u32, level: u32, ef: u32): void {
  writeLinks(linksOf(ix, id, 0), 0, 0, ix.m0);
  store<u32>(upperPointerOf(ix, id), 0);
  if (level > 0) {
    const block = ix.upperNext;
    ix.upperNext += upperBlockBytes(ix, level);
    store<u32>(upperPointerOf(ix, id), block);
    store<u32>(block, level);
    writeLinks(<usize>block + 16, 0, 0, level * ix.m);
  }
  if (ix.entry == NONE) {
    ix.entry = id;
    ix.maxLevel = level;
    return;
  }
  let nearest = level < ix.maxLevel ? descend(ix, scratch, level) : ix.entry;
  for (let layer = <i32>min(level, ix.maxLevel); layer >= 0; layer--) {
    searchLayer(ix, scratch, nearest, ef, layer);
    const candidates = rankCandidates(ix, scratch, id);
    const selected: usize = scratch.selected;
    const count = selectDiverse(ix, scratch.ranked, candidates, ix.m, selected);
    nearest = keyId(load<i64>(scratch.beam));
    writeLinks(linksOf(ix, id, layer), selected, count, layer == 0 ? ix.m0 : ix.m);
    for (let i: u32 = 0; i < count; i++) {
      connectBack(ix, scratch, load<u32>(selected + (<usize>i << 2)), id, layer);
    }
  }
  if (level > ix.maxLevel) {
    ix.entry = id;
    ix.maxLevel = level;
  }
}

/** Whether a link list holds only nodes below `count` on the layer, and not `id` itself. */
function linksAreValid(ix: Index, id: u32, layer: u32, count: u32): bool {
  const most = layer == 0 ? ix.m0 : ix.m;
  const links = linksOf(ix, id, layer);
  let ended = false;
  for (let i: u32 = 0; i < most; i++) {
    const other = load<u32>(links + (<usize>i << 2));
    if (other == NONE) {
      ended = true;
      continue;
    }
    if (ended || other >= count || other == id || levelOf(ix, other) < layer) return false;
  }
  return true;
}

/**
 * Checks the graph of `count` nodes after loading, so that searching needs no checks: entry point
 * on the top layer, every link to another node on its layer. Returns 0, or 1 + the first bad node.
 */
export function validateGraph(ix: Index, count: u32): u32 {
  if (ix.entry >= count || levelOf(ix, ix.entry) != ix.maxLevel) return 1;
  for (let id: u32 = 0; id < count; id++) {
    const level = levelOf(ix, id);
    if (level > ix.maxLevel) return id + 1;
    for (let layer: u32 = 0; layer <= level; layer++) {
      if (!linksAreValid(ix, id, layer, count)) return id + 1;
    }
  }
  return 0;
}
