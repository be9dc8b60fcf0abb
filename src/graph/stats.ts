import type { Distance } from '../base/distance.js';
import type { KernelVariant } from '../kernels/index.js';
import type { PrimaryBits, SecondaryBits } from '../quant/layout.js';
import { type IndexState, searchableCount } from './state.js';

export interface IndexStats {
  count: number;
  /** Deleted vectors that the graph still links to, until it is repaired. */
  deleted: number;
  dimensions: number;
  distance: Distance;
  /** `exact`: float32 vectors, scanned; `graph`: codes in an HNSW graph. */
  mode: 'exact' | 'graph';
  shards: number;
  /** Dimensions that the traversal's codes keep; all of them in an exact index. */
  primaryDimensions: number;
  primaryBits: PrimaryBits | 32;
  /** 4 where `nested` was asked for and the data's codes cannot be nested. */
  secondaryBits: SecondaryBits;
  /** Share of the variance of new vectors that the projection keeps, 0 … 1, estimated. */
  energyKept: number;
  /** Bytes a vector; `other` shares out the model, the visited marks and the search buffers. */
  bytesPerVector: {
    primary: number;
    secondary: number;
    graph: number;
    other: number;
    total: number;
  };
  kernel: KernelVariant;
}

export function indexStats(state: IndexState): IndexStats {
  const { options, model, shards, ids } = state;
  const count = searchableCount(state);
  const each = Math.max(1, count);
  const { node, upperPointer, secondary } = shards[0]!.nodes.bytes;
  const primary = model?.primaryBytes ?? 0;
  let upper = 0;
  let shared = 0;
  let deleted = 0;
  for (const { nodes, dead } of shards) {
    upper += nodes.upperBlockTotal;
    shared += nodes.sharedBytes;
    deleted += dead.size;
  }
  const graph = node - primary + upperPointer + upper / each;
  const other = (shared + ids.byteLength) / each;
  return {
    count,
    deleted,
    dimensions: options.dimensions,
    distance: options.distance,
    mode: model === undefined ? 'exact' : 'graph',
    shards: shards.length,
    primaryDimensions: model?.primaryDimensions ?? options.dimensions,
    primaryBits: model?.primaryBits ?? 32,
    secondaryBits: model?.secondaryBits ?? 32,
    energyKept: model?.energyKept ?? 1,
    bytesPerVector: {
      primary,
      secondary,
      graph,
      other,
      total: primary + secondary + graph + other,
    },
    kernel: shards[0]!.nodes.kernels.variant,
  };
}
