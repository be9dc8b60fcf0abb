/**
 * A collection of one dense vector without a name and of sparse ones with names: leandex has a name
 * for each vector then, which clients do not see.
 */
export const UNNAMED = '(unnamed)';

/** The name of a vector in the store. `unnamed` is that of the one without, often empty itself. */
export const storedName = (name: string, unnamed: string): string => (name === '' ? unnamed : name);

/** The name that clients know. */
export const wireName = (name: string): string => (name === UNNAMED ? '' : name);
