// Checks after loading, so that searching needs none.

import { Index, levelOf, linksOf, NONE } from './layout';

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

/** Whether the entry point of a graph of `count` nodes is one of them, on the highest layer. */
export function validateEntry(ix: Index, count: u32): bool {
  return ix.entry < count && levelOf(ix, ix.entry) == ix.maxLevel;
}

/**
 * Checks that the nodes from … to − 1 of `count` are on no layer above the entry point's and that all
 * their links are to other nodes on the layer. Returns 0, or 1 + the first bad node.
 */
export function validateNodes(ix: Index, count: u32, from: u32, to: u32): u32 {
  for (let id = from; id < to; id++) {
    const level = levelOf(ix, id);
    if (level > ix.maxLevel) return id + 1;
    for (let layer: u32 = 0; layer <= level; layer++) {
      if (!linksAreValid(ix, id, layer, count)) return id + 1;
    }
  }
  return 0;
}
