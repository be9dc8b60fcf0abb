import type { LayerSpan } from './basis.js';
import { bitsOf } from './plan.js';
import type { KvSegment } from './segment.js';
import type { KvKind } from './shape.js';
import { streamBytes } from './stream.js';

/** How a cache keeps the keys or the values of a group of layers. */
export interface KvGroup {
  readonly kind: KvKind;
  readonly layers: LayerSpan;
  readonly basis: 'calibrated' | 'own';
  /** Position of the first token that is kept so. */
  readonly from: number;
  /** Components that have codes, of so many. */
  readonly components: number;
  readonly rank: number;
  /** Bits of the codes for each number; exact tokens come on top. */
  readonly bitsPerNumber: number;
  /** Tokens that are kept exact. */
  readonly exact: number;
  /** Bytes of codes and exact tokens, without the basis. */
  readonly bytes: number;
}

export function describeGroups(segments: readonly KvSegment[]): KvGroup[] {
  return segments.flatMap(({ from, isOwn, streams }) =>
    streams.map((stream): KvGroup => {
      const { basis, widths, exact } = stream;
      return {
        kind: basis.kind,
        layers: basis.layers,
        basis: isOwn ? 'own' : 'calibrated',
        from,
        components: widths.length,
        rank: basis.rank,
        bitsPerNumber: bitsOf(widths) / basis.dimensions,
        exact: exact.size,
        bytes: streamBytes(stream),
      };
    }),
  );
}
