import type { CollectionInfo } from '../../../db/info.js';
import { request } from './api.js';

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
