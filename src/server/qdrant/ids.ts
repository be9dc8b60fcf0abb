import { outOfRange } from '../../base/errors.js';
import type { PointId } from '../../base/point-id.js';

const UUID =
  /^(?:urn:uuid:)?\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$/i;
const INTEGER_MAX = 2n ** 64n - 1n;

/** On the wire an id is an unsigned 64-bit integer or a UUID, which has one spelling in the store. */
export function readId(what: string, value: unknown): PointId {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  if (typeof value === 'bigint' && value >= 0n && value <= INTEGER_MAX) return value;
  const uuid = typeof value === 'string' ? UUID.exec(value) : null;
  if (uuid === null) throw outOfRange(what, 'an unsigned 64-bit integer or a UUID', value);
  return uuid.slice(1).join('-').toLowerCase();
}

export function readIds(what: string, values: readonly unknown[]): PointId[] {
  return values.map((value, i) => readId(`${what}[${i}]`, value));
}

/** The id that a path names. */
export function idOfPath(text: string): PointId {
  return readId('the id of a point', /^\d{1,20}$/.test(text) ? BigInt(text) : text);
}
