import type { Served } from '../catalog.js';
import { refused } from '../errors.js';

/**
 * A collection of one dense vector without a name and of sparse ones with names: leandex has a name
 * for each vector then, which clients do not see.
 */
export const UNNAMED = '(unnamed)';

/** The name of a vector in the store. `unnamed` is that of the one without, often empty itself. */
export const storedName = (name: string, unnamed: string): string => (name === '' ? unnamed : name);

/** The same of a vector that there must be. @throws 400 in the words of Qdrant */
export function knownName(
  name: unknown,
  { unnamed, names }: Pick<Served, 'unnamed' | 'names'>,
): string {
  const stored = typeof name === 'string' ? storedName(name, unnamed) : undefined;
  if (stored !== undefined && names.has(stored)) return stored;
  throw unknownVector(name);
}

/** In the words of Qdrant. */
export function unknownVector(name: unknown): Error {
  return refused(400, `Wrong input: Not existing vector name error: ${String(name)}`);
}

/** The name that clients know. */
export const wireName = (name: string): string => (name === UNNAMED ? '' : name);
