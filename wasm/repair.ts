// Repair of the graph around deleted nodes (after FreshDiskANN's consolidation, arXiv 2105.09613):
// whoever links to a deleted node chooses anew among its living neighbours and those of the deleted
// ones. Lists are read and written so that any number of threads gives the same graph: each node's
// list is written by one thread, and those of deleted nodes, the only ones that others read, by none.

import { makeKey, offerKey } from './beam';
import { hasBit, Index, levelOf, linksOf, NONE, Scratch } from './layout';
import { pairDistance } from './pair';
import { nextEpoch } from './search';
import { selectDiverse } from './select';

/** Ranks one candidate unless it was met before or is deleted. */
// @ts-ignore: decorator
@inline
function offerCandidate(
  ix: Index, scratch: Scratch, id: u32, other: u32, size: u32, capacity: u32,
): u32 {
  const mark = <usize>scratch.marks + other;
  if (load<u8>(mark) == <u8>scratch.epoch) return size;
  store<u8>(mark, <u8>scratch.epoch);
  if (!hasBit(ix.live, other)) return size;
  const key = makeKey(pairDistance(ix, id, other), other);
  return offerKey(scratch.ranked, size, capacity, key);
}

/** Chooses the links of a node on a layer anew if one of them is deleted. */
function repairLinks(ix: Index, scratch: Scratch, id: u32, layer: u32): void {
  const most = layer == 0 ? ix.m0 : ix.m;
  const links = linksOf(ix, id, layer);
  const end = links + (<usize>most << 2);
  let broken = false;
  for (let p = links; p < end && !broken; p += 4) {
    const other = load<u32>(p);
    if (other == NONE) break;
    broken = !hasBit(ix.live, other);
  }
  if (!broken) return;
  nextEpoch(scratch);
  store<u8>(<usize>scratch.marks + id, <u8>scratch.epoch);
  const capacity = scratch.beamCapacity;
  let size: u32 = 0;
  for (let p = links; p < end; p += 4) {
    const other = load<u32>(p);
    if (other == NONE) break;
    if (!hasBit(ix.live, other)) {
      let q = linksOf(ix, other, layer);
      for (const stop = q + (<usize>most << 2); q < stop; q += 4) {
        const further = load<u32>(q);
        if (further == NONE) break;
        size = offerCandidate(ix, scratch, id, further, size, capacity);
      }
    } else {
      size = offerCandidate(ix, scratch, id, other, size, capacity);
    }
  }
  const kept = selectDiverse(ix, scratch.ranked, size, most, scratch.selected);
  writeRepaired(scratch, links, most, keepLiving(ix, scratch, links, most, kept));
}

/**
 * Puts the living ones of the old links behind the `kept` chosen ones, where there is room: to choose
 * anew by diversity alone would thin the graph with every repair.
 */
function keepLiving(ix: Index, scratch: Scratch, links: usize, most: u32, kept: u32): u32 {
  const selected: usize = scratch.selected;
  const chosen = kept;
  for (const end = links + (<usize>most << 2); links < end && kept < most; links += 4) {
    const other = load<u32>(links);
    if (other == NONE) break;
    if (!hasBit(ix.live, other)) continue;
    let known = false;
    for (let j: u32 = 0; j < chosen && !known; j++) {
      known = load<u32>(selected + (<usize>j << 2)) == other;
    }
    if (known) continue;
    store<u32>(selected + (<usize>kept << 2), other);
    kept++;
  }
  return kept;
}

function writeRepaired(scratch: Scratch, links: usize, most: u32, kept: u32): void {
  for (let i: u32 = 0; i < most; i++) {
    const chosen = i < kept ? load<u32>(<usize>scratch.selected + (<usize>i << 2)) : NONE;
    store<u32>(links + (<usize>i << 2), chosen);
  }
}

/** Repairs the living nodes from … to − 1. ix.live marks the slots whose nodes are not deleted. */
export function repairNodes(ix: Index, scratch: Scratch, from: u32, to: u32): void {
  for (let id = from; id < to; id++) {
    if (!hasBit(ix.live, id)) continue;
    for (let layer = <i32>levelOf(ix, id); layer >= 0; layer--) repairLinks(ix, scratch, id, layer);
  }
}

/** The living node of the highest level below `count` becomes the entry point, if there is one. */
export function chooseEntry(ix: Index, count: u32): void {
  let entry = NONE, top: u32 = 0;
  for (let id: u32 = 0; id < count; id++) {
    if (!hasBit(ix.live, id)) continue;
    const level = levelOf(ix, id);
    if (entry != NONE && level <= top) continue;
    entry = id;
    top = level;
  }
  ix.entry = entry;
  ix.maxLevel = top;
}
