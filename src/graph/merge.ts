import type { IdTable } from './id-table.js';
import { NONE } from './memory.js';
import type { Found } from './search.js';

/**
 * The k best of row `row` of what the shards found, as ids into `ids` and `scores` from place `to`
 * on; results whose vector is deleted by now are left out. Returns how many there are.
 */
export function mergeRow(
  found: readonly (Found | undefined)[],
  row: number,
  table: IdTable,
  ascending: boolean,
  out: { ids: Uint32Array; scores: Float32Array; to: number; k: number },
): number {
  const next = found.map((results) => row * (results?.k ?? 0));
  const end = found.map((results) => (row + 1) * (results?.k ?? 0));
  let count = 0;
  while (count < out.k) {
    let best = -1;
    let bestScore = 0;
    let bestId = 0;
    for (let shard = 0; shard < found.length; shard++) {
      const results = found[shard];
      if (results === undefined) continue;
      let id = -1;
      while (next[shard]! < end[shard]!) {
        const slot = results.slots[next[shard]!]!;
        id = slot === NONE ? -1 : table.idAt(shard, slot);
        if (id >= 0) break;
        next[shard]!++;
      }
      if (id < 0) continue;
      const score = results.scores[next[shard]!]!;
      const isBetter = ascending ? score < bestScore : score > bestScore;
      if (best < 0 || isBetter || (score === bestScore && id < bestId)) {
        best = shard;
        bestScore = score;
        bestId = id;
      }
    }
    if (best < 0) break;
    out.ids[out.to + count] = bestId;
    out.scores[out.to + count] = bestScore;
    next[best]!++;
    count++;
  }
  return count;
}
