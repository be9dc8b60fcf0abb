import type { IndexStats } from '../graph/stats.js';
import type { MultiState } from './multi-state.js';
import type { PoolingOptions } from './pooling.js';
import type { TokenBits } from './token-codec.js';

export interface MultiIndexStats {
  /** Documents, and tokens of all of them. */
  count: number;
  tokens: number;
  dimensions: number;
  /** Numbers of an encoding. */
  fdeDimensions: number;
  tokenBits: TokenBits;
  /** How documents are pooled; undefined where they are not. */
  pooling: PoolingOptions | undefined;
  /** Bytes a document: its codes and links in the index of encodings, and its tokens. */
  bytesPerDocument: { encoding: number; tokens: number; total: number };
  /** The index of encodings. */
  index: IndexStats;
}

export function multiStats({ index, documents, encoder, pooling }: MultiState): MultiIndexStats {
  const stats = index.stats();
  const encoding = stats.bytesPerVector.total;
  const tokens = documents.store.bytes / Math.max(1, documents.count);
  return {
    count: documents.count,
    tokens: documents.tokenCount,
    dimensions: encoder.options.dimensions,
    fdeDimensions: encoder.dimensions,
    tokenBits: documents.store.bits,
    pooling,
    bytesPerDocument: { encoding, tokens, total: encoding + tokens },
    index: stats,
  };
}
