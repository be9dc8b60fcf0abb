// The diversity heuristic of HNSW (arXiv 1603.09320, algorithm 4), which chooses the links.

import { keyDistance, keyId } from './beam';
import { Index, METRIC_DOT } from './layout';
import { pairDistance, sameCodes } from './pair';

/**
 * Algorithm 4 without extendCandidates and keepPruned: walks the sorted keys and keeps a candidate
 * unless a kept one is strictly nearer to it than the base is, by the factor alpha (arXiv
 * 1907.12240; inner products have no such factor). Returns how many are kept, at most `most`, as
 * ids in `selected`. Fewer candidates than `most` are all kept.
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
  const alpha: f32 = ix.metric == METRIC_DOT ? 1 : ix.alpha;
  let kept: u32 = 0, copies: u32 = 0;
  for (let i: u32 = 0; i < count && kept < most; i++) {
    const key = load<i64>(keys + (<usize>i << 3));
    const id = keyId(key);
    const distance = keyDistance(key);
    let diverse = true;
    let copy = false;
    for (let j: u32 = 0; j < kept; j++) {
      const other = load<u32>(selected + (<usize>j << 2));
      const apart = pairDistance(ix, id, other);
      if (apart * alpha < distance) {
        diverse = false;
        break;
      }
      copy = copy || sameCodes(ix, id, other);
    }
    if (diverse && copy) {
      if (copies >= most >> 2) diverse = false;
      copies++;
    }
    if (diverse) {
      store<u32>(selected + (<usize>kept << 2), id);
      kept++;
    }
  }
  return kept;
}
