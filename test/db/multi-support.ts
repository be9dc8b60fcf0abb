import { Random } from '../../src/base/random.js';
import type { Collection } from '../../src/db/collection.js';
import type { CollectionConfig, MultiIndexOptions, VectorConfig } from '../../src/db/config.js';
import { gaussians, openHere } from './support.js';

export type Compared = 'Cosine' | 'Dot';

export interface Document {
  id: number;
  vector: number[][];
  payload: { n: number; color: string; half: number };
}

/** The settings of a field with several vectors a point. */
export function multi(
  size: number,
  options: Omit<VectorConfig, 'size' | 'multivector' | 'index'> & {
    index?: MultiIndexOptions;
  } = {},
): VectorConfig {
  return { size, multivector: { comparator: 'max_sim' }, ...options };
}

/** A collection of documents in a database of its own. */
export async function newDocuments(config: CollectionConfig, path?: string): Promise<Collection> {
  const db = await openHere(path);
  return db.createCollection('docs', config);
}

/** Documents 0 … count − 1 of 1 … most gaussian vectors, with a few payload fields. */
export function someDocuments(count: number, size: number, most = 6, seed = 1): Document[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, id) => ({
    id,
    vector: gaussians(random, 1 + random.below(most), size),
    payload: { n: id, color: ['red', 'green', 'blue'][id % 3]!, half: id % 2 },
  }));
}

/** MaxSim in float64, by its definition. */
export function maxSim(
  query: readonly (readonly number[])[],
  document: readonly (readonly number[])[],
  distance: Compared = 'Cosine',
): number {
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const similarity = (a: readonly number[], b: readonly number[]) =>
    distance === 'Dot' ? dot(a, b) : dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  return query.reduce(
    (sum, q) => sum + Math.max(...document.map((vector) => similarity(q, vector))),
    0,
  );
}

/** All documents with their scores, best first. */
export function ranking(
  documents: readonly Pick<Document, 'id' | 'vector'>[],
  query: readonly (readonly number[])[],
  distance: Compared = 'Cosine',
): { id: number; score: number }[] {
  const scored = documents.map(({ id, vector }) => ({
    id,
    score: maxSim(query, vector, distance),
  }));
  return scored.sort((a, b) => b.score - a.score || a.id - b.id);
}

/** Stored vectors as plain numbers. */
export function numbersOf(vector: unknown): number[][] {
  return (vector as Float32Array[]).map((one) => [...one]);
}
