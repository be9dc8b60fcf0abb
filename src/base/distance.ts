import { outOfRange, wrongType } from './errors.js';

/**
 * How vectors are compared. Cosine and Dot score by similarity, larger is better; Euclid scores by
 * distance, smaller is better.
 */
export type Distance = 'Cosine' | 'Dot' | 'Euclid';

/** A distance in any letter case, as users may write it. */
export type DistanceName = Distance | Lowercase<Distance> | Uppercase<Distance>;

export const DISTANCES: readonly Distance[] = ['Cosine', 'Dot', 'Euclid'];

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for anything but the three names. */
export function parseDistance(value: unknown): Distance {
  if (typeof value !== 'string') throw wrongType('distance', DISTANCES.join(', '), value);
  const found = DISTANCES.find((name) => name.toLowerCase() === value.toLowerCase());
  if (found === undefined) throw outOfRange('distance', DISTANCES.join(', '), value);
  return found;
}
