import type { Distance } from '../base/distance.js';
import type { KernelVariant } from '../kernels/index.js';
import type { PrimaryBits, SecondaryBits } from '../quant/layout.js';
import type { IndexContent } from './snapshot.js';

export interface IndexStats {
  count: number;
  dimensions: number;
  distance: Distance;
  /** `exact`: float32 vectors, scanned; `graph`: codes in an HNSW graph. */
  mode: 'exact' | 'graph';
  /** Dimensions that the traversal's codes keep; all of them in an exact index. */
  primaryDimensions: number;
  primaryBits: PrimaryBits | 32;
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

export function indexStats(content: IndexContent & { kernel: KernelVariant }): IndexStats {
  const { options, model, nodes, count, kernel } = content;
  const { primary, links, upperPointer, secondary } = nodes.bytes;
  const each = Math.max(1, count);
  const graph = links + upperPointer + nodes.upperBlockTotal / each;
  const other = nodes.sharedBytes / each;
  return {
    count,
    dimensions: options.dimensions,
    distance: options.distance,
    mode: model === undefined ? 'exact' : 'graph',
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
    kernel,
  };
}
