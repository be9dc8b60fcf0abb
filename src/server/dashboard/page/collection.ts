import { request } from './api.js';

/** What the pages read of `GET /v1/collections/{name}`. */
export interface VectorInfo {
  size: number;
  distance: 'Cosine' | 'Dot' | 'Euclid';
  originals: string;
  count: number;
  indexed: number;
  energyMissed?: number | null;
  progress?: { phase: string; done: number; total: number } | null;
  problem?: string | null;
  graph?: {
    count: number;
    deleted: number;
    primaryDimensions: number;
    primaryBits: number;
    secondaryBits: number | string;
    energyKept: number;
    kernel: string;
    bytesPerVector: Record<'primary' | 'secondary' | 'graph' | 'other' | 'total', number>;
  } | null;
  multivector?: { tokens: number; tokenBits: number; tokenBytes: number } | null;
}

export interface CollectionInfo {
  name: string;
  count: number;
  version: number;
  status: 'ready' | 'building' | 'degraded';
  vectors: Record<string, VectorInfo>;
  sparseVectors: Record<string, { count: number; indices: number; values: number }>;
  payloadIndexes: Record<string, { schema: string | { type: string }; points: number }>;
  textIndexes: Record<string, { tokenizer: string; isWhole: boolean }>;
  bytes: { memory: number; disk: number };
}

/** The store's name for a vector that has none for clients, where there are sparse ones beside it. */
const UNNAMED = '(unnamed)';

/** The name of a vector that requests use, empty where it has none. */
export const wireName = (name: string): string => (name === UNNAMED ? '' : name);

/** The name of a vector that people read. */
export const shownName = (name: string): string => wireName(name) || 'vector';

/** The `using` of requests. */
export const using = (name: string): { using?: string } => (name === '' ? {} : { using: name });

export const nativePath = (name: string): string => `/v1/collections/${encodeURIComponent(name)}`;

export const readInfo = (name: string): Promise<CollectionInfo> => request('GET', nativePath(name));

/** Bytes of memory by what they hold. What is no part of an index of vectors is left to `other`. */
export function memoryParts({ vectors, bytes }: CollectionInfo): { name: string; bytes: number }[] {
  const parts = { primary: 0, secondary: 0, graph: 0, tokens: 0 };
  for (const { graph, multivector } of Object.values(vectors)) {
    parts.tokens += multivector?.tokenBytes ?? 0;
    if (!graph) continue;
    for (const part of ['primary', 'secondary', 'graph'] as const) {
      parts[part] += graph.count * graph.bytesPerVector[part];
    }
  }
  const known = Object.values(parts).reduce((sum, part) => sum + part, 0);
  return [
    { name: 'codes of the traversal', bytes: parts.primary },
    { name: 'codes of the re-rank', bytes: parts.secondary },
    { name: 'links of the graph', bytes: parts.graph },
    { name: 'vectors of multi-vectors', bytes: parts.tokens },
    {
      name: 'other: vectors compared exactly, models, payload indexes',
      bytes: bytes.memory - known,
    },
  ].filter((part) => part.bytes > 0);
}
