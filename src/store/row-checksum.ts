import { mix32 } from '../base/random.js';
import { crc32 } from '../format/checksum.js';

/**
 * Checksums of rows: the CRC-32 of the content, mixed with where it belongs, so that content that
 * turns up in another row or table is found as well. Those of a point's payload take in its
 * version too: an older payload does not pass for the present one.
 */
const TABLES = { points: 1, payloads: 2, vectors: 3 } as const;

const POINT_HEAD_BYTES = 12;
const KEY_BYTES_MAX = 1025;

const scratch = Buffer.alloc(POINT_HEAD_BYTES + KEY_BYTES_MAX);

function placed(content: number, table: number, row: number): number {
  return (content ^ mix32(mix32(row) + table)) >>> 0;
}

/** @returns undefined for a key that is too long to be one */
export function pointChecksum(
  row: number,
  key: Uint8Array,
  version: number,
  parts: number,
): number | undefined {
  if (key.length > KEY_BYTES_MAX) return undefined;
  scratch.writeDoubleLE(version, 0);
  scratch.writeUInt32LE(parts, 8);
  scratch.set(key, POINT_HEAD_BYTES);
  const content = crc32(scratch.subarray(0, POINT_HEAD_BYTES + key.length));
  return placed(content, TABLES.points, row);
}

export function payloadChecksum(row: number, version: number, json: string): number {
  const content = crc32(Buffer.from(json)) ^ mix32(version) ^ mix32(version / 2 ** 32 + 1);
  return placed(content, TABLES.payloads, row);
}

export function vectorChecksum(row: number, field: number, data: Uint8Array): number {
  return placed(crc32(data), TABLES.vectors + field, row);
}

/** Of a named text. */
export function textChecksum(name: string, ...texts: string[]): number {
  return crc32(Buffer.from(JSON.stringify([name, ...texts])));
}
