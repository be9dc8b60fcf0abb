import { decode, encode } from '@msgpack/msgpack';
import { isBoundedMsgpack } from '../../format/msgpack-bounds.js';

/** Larger ones are written with 64 bits. */
const SHORT_INTEGER_MAX = 2 ** 32 - 1;

/**
 * A msgpack value; whole numbers beyond 2^53 are bigint, binary values Uint8Array.
 * @throws Error for anything else, also for what is nested more than 16 deep
 */
export function parseMsgpack(bytes: Uint8Array): unknown {
  if (!isBoundedMsgpack(bytes)) throw new SyntaxError('it is not msgpack of at most 16 levels');
  return mapNumbers(decode(bytes, { useBigInt64: true }), asNumber);
}

/** The bytes of a value: vectors as float32 in binary values, ids of any size as whole numbers. */
export function toMsgpack(value: unknown): Uint8Array {
  return encode(mapNumbers(value, asLong), { useBigInt64: true, ignoreUndefined: true });
}

/** The decoder gives bigint for all that was written with 64 bits. */
function asNumber(value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** The encoder writes long whole numbers as float64 unless they are bigint. */
function asLong(value: unknown): unknown {
  const isLong = Number.isSafeInteger(value) && Math.abs(value as number) > SHORT_INTEGER_MAX;
  return isLong ? BigInt(value as number) : value;
}

function mapNumbers(value: unknown, map: (leaf: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => mapNumbers(item, map));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return map(value);
  if (value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, mapNumbers(member, map)]),
  );
}
