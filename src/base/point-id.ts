import { outOfRange, wrongType } from './errors.js';

/**
 * The name of a point: an unsigned 64-bit integer, given as a safe integer or a bigint, or a string
 * (a UUID, or in process any other). `1` and `1n` are the same id, `'1'` is another. Strings are
 * compared as they are: the same UUID in other letter case is another id.
 */
export type PointId = number | bigint | string;

const INTEGER_MAX = 2n ** 64n - 1n;
const STRING_BYTES_MAX = 1024;
const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** First byte of a key, by kind: ids are ordered by it first. */
const KINDS = { integer: 1, uuid: 2, string: 3 } as const;

/**
 * The id as results carry it: integers that are safe as numbers, larger ones as bigint.
 * @throws TypeError, RangeError `INVALID_ARGUMENT` for anything that is no id; nothing is coerced.
 */
export function checkPointId(what: string, value: unknown): PointId {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && value >= 0) return value === 0 ? 0 : value;
    throw outOfRange(what, 'a safe integer from 0 (larger ones as bigint)', value);
  }
  if (typeof value === 'bigint') {
    if (value < 0n || value > INTEGER_MAX) throw outOfRange(what, 'from 0 to 2^64 - 1', value);
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
  }
  if (typeof value !== 'string') throw wrongType(what, 'an integer, a bigint or a string', value);
  const expected = `a string of 1 to ${STRING_BYTES_MAX} bytes of UTF-8`;
  if (value === '' || !isWellFormed(value)) throw outOfRange(what, expected, value);
  // A character takes at most three bytes for each of its UTF-16 units.
  if (3 * value.length > STRING_BYTES_MAX && Buffer.byteLength(value) > STRING_BYTES_MAX) {
    throw outOfRange(what, expected, value);
  }
  return value;
}

function isWellFormed(text: string): boolean {
  return !/[\ud800-\udfff]/u.test(text);
}

/** Bytes that are equal where ids are, and whose order is that of ids: integers, UUIDs, strings. */
export function keyOfId(id: PointId): Buffer {
  if (typeof id === 'string') return keyOfString(id);
  const key = Buffer.alloc(9);
  key[0] = KINDS.integer;
  if (typeof id === 'bigint') {
    key.writeBigUInt64BE(id, 1);
  } else {
    key.writeUInt32BE(Math.floor(id / 2 ** 32), 1);
    key.writeUInt32BE(id % 2 ** 32, 5);
  }
  return key;
}

function keyOfString(id: string): Buffer {
  if (!CANONICAL_UUID.test(id)) return Buffer.concat([Buffer.of(KINDS.string), Buffer.from(id)]);
  return Buffer.concat([Buffer.of(KINDS.uuid), Buffer.from(id.replaceAll('-', ''), 'hex')]);
}

/** The id whose key this is; undefined for bytes that are no key. */
export function idOfKey(key: Uint8Array): PointId | undefined {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  if (bytes[0] === KINDS.integer && bytes.length === 9) {
    const high = bytes.readUInt32BE(1);
    return high < 2 ** 21 ? high * 2 ** 32 + bytes.readUInt32BE(5) : bytes.readBigUInt64BE(1);
  }
  if (bytes[0] === KINDS.uuid && bytes.length === 17) {
    const hex = bytes.toString('hex', 1);
    const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
    return [...parts, hex.slice(20)].join('-');
  }
  if (bytes[0] !== KINDS.string || bytes.length < 2) return undefined;
  const text = bytes.toString('utf8', 1);
  return Buffer.from(text).equals(bytes.subarray(1)) ? text : undefined;
}
