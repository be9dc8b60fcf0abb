import { idOfKey, type PointId } from '../base/point-id.js';
import { type CollectionFile, damagedRow, statement } from './collection-file.js';
import { payloadChecksum, pointChecksum, vectorChecksum } from './row-checksum.js';
import { vectorCount } from './vector-codec.js';

/** A point as its table has it, verified. */
export interface PointRow {
  row: number;
  key: Buffer;
  version: number;
  /** Bit 0: has a payload; bit 1 + f: has a vector of field f. */
  parts: number;
  checksum: number;
}

export const PAYLOAD_PART = 1;
export const partOfField = (field: number): number => 2 << field;

export const POINT_COLUMNS = 'row, key, version, parts, checksum';

export const isU32 = (value: unknown): value is number =>
  typeof value === 'number' && value >>> 0 === value;

/** @throws LeandexError `CORRUPT` unless it is what was written. */
export function checkedPoint(file: CollectionFile, found: unknown): PointRow {
  const [row, key, version, parts, checksum] = found as unknown[];
  const isPoint =
    isU32(row) && Buffer.isBuffer(key) && Number.isSafeInteger(version) && isU32(parts);
  if (!isPoint || checksum !== pointChecksum(row, key, version as number, parts)) {
    throw damagedRow(file, 'points', row);
  }
  return { row, key, version: version as number, parts, checksum: checksum as number };
}

/** @throws LeandexError `CORRUPT` for a key that belongs to no id. */
export function idOfPoint(file: CollectionFile, { row, key }: PointRow): PointId {
  const id = idOfKey(key);
  if (id === undefined) throw damagedRow(file, 'points', row);
  return id;
}

export function pointOfKey(file: CollectionFile, key: Buffer): PointRow | undefined {
  const found = statement(file, `SELECT ${POINT_COLUMNS} FROM points WHERE key = ?`).get(key);
  if (found === undefined) return undefined;
  const point = checkedPoint(file, found);
  // The index of keys may name another row than the row itself does.
  if (!point.key.equals(key)) throw damagedRow(file, 'points', point.row);
  return point;
}

export function pointOfRow(file: CollectionFile, row: number): PointRow | undefined {
  const found = statement(file, `SELECT ${POINT_COLUMNS} FROM points WHERE row = ?`).get(row);
  return found === undefined ? undefined : checkedPoint(file, found);
}

/** The JSON text of a point's payload; null where it has none. */
export function payloadOf(file: CollectionFile, { row, version, parts }: PointRow): string | null {
  if ((parts & PAYLOAD_PART) === 0) return null;
  const found = statement(file, 'SELECT json, checksum FROM payloads WHERE row = ?').get(row);
  const [json, checksum] = (found ?? []) as unknown[];
  if (typeof json !== 'string' || checksum !== payloadChecksum(row, version, json)) {
    throw damagedRow(file, 'payloads', row);
  }
  return json;
}

/** The bytes of vectors that must be there. */
export function vectorDataOf(file: CollectionFile, row: number, field: number): Buffer {
  const sql = `SELECT data, checksum FROM vectors_${field} WHERE row = ?`;
  const [data, checksum] = (statement(file, sql).get(row) ?? []) as unknown[];
  return checkedVector(file, field, row, data, checksum);
}

/** @throws LeandexError `CORRUPT` unless it is what was written. */
export function checkedVector(
  file: CollectionFile,
  field: number,
  row: unknown,
  data: unknown,
  checksum: unknown,
): Buffer {
  const isVector =
    isU32(row) &&
    Buffer.isBuffer(data) &&
    vectorCount(file.fields[field]!, data.length) !== undefined;
  if (!isVector || checksum !== vectorChecksum(row, field, data)) {
    throw damagedRow(file, `vectors_${field}`, row);
  }
  return data;
}

/** The bytes of what a row has in a field; undefined where it has nothing. */
export function findVectorData(
  file: CollectionFile,
  row: number,
  field: number,
): Buffer | undefined {
  const sql = `SELECT data, checksum FROM vectors_${field} WHERE row = ?`;
  const found = statement(file, sql).get(row);
  if (found === undefined) return undefined;
  const [data, checksum] = found as unknown[];
  return checkedVector(file, field, row, data, checksum);
}
