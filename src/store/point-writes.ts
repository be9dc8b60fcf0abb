import { LeandexError } from '../base/errors.js';
import { keyOfId, type PointId } from '../base/point-id.js';
import { type CollectionFile, changeRow, countPoint } from './collection-file.js';
import { vectorsAt } from './columns.js';
import {
  PAYLOAD_PART,
  type PointRow,
  partOfField,
  payloadOf,
  pointOfKey,
  pointOfRow,
} from './point-rows.js';
import { payloadChecksum, pointChecksum, vectorChecksum } from './row-checksum.js';
import { changeTexts } from './text-rows.js';
import type { VectorColumn, Written } from './types.js';
import { NONE, type PointBatch, type Removed, type Target, type UpsertMode } from './types.js';
import { encodeVectors } from './vector-codec.js';

/** Vectors to store for one point: bytes by field. */
export type VectorData = Map<number, Buffer>;

/** Stores whole points, replacing those that are there. */
export function upsert(
  file: CollectionFile,
  { ids, payloads, columns }: PointBatch,
  mode: UpsertMode = 'upsert',
): Written {
  const version = nextVersion(file);
  const rows = new Uint32Array(ids.length).fill(NONE);
  const removed: number[] = [];
  const vectorsAt = batchVectors(file, columns);
  for (let i = 0; i < ids.length; i++) {
    const vectors = vectorsAt(i);
    const key = keyOfId(ids[i]!);
    const old = pointOfKey(file, key);
    if (mode === (old === undefined ? 'update_only' : 'insert_only')) continue;
    if (old !== undefined) {
      removePoint(file, old);
      removed.push(old.row);
    }
    rows[i] = insertPoint(file, key, payloads[i]!, vectors);
  }
  return { version, rows, removed: Uint32Array.from(removed) };
}

/** Ids and rows that are not there are skipped. */
export function remove(file: CollectionFile, target: Target): Removed {
  const version = nextVersion(file);
  const removed: number[] = [];
  for (const point of pointsOf(file, target)) {
    if (point === undefined) continue;
    removePoint(file, point);
    removed.push(point.row);
  }
  return { version, removed: Uint32Array.from(removed) };
}

export function nextVersion(file: CollectionFile): number {
  file.state.version++;
  return file.state.version;
}

/** The points asked for one after the other, each read when it is its turn. */
export function* pointsOf(file: CollectionFile, target: Target): Generator<PointRow | undefined> {
  if ('ids' in target) for (const id of target.ids) yield pointOfKey(file, keyOfId(id));
  else for (const row of target.rows) yield pointOfRow(file, row);
}

/** @throws LeandexError `NOT_FOUND` with all ids of the target that are not there. */
export function checkAllThere(file: CollectionFile, target: Target): void {
  if (!('ids' in target)) return;
  const missing = target.ids.filter((id: PointId) => pointOfKey(file, keyOfId(id)) === undefined);
  if (missing.length === 0) return;
  const some = missing.slice(0, 3).map(String).join(', ');
  const problem = `no point has the id ${some}${missing.length > 3 ? ', ...' : ''}`;
  throw new LeandexError('NOT_FOUND', problem, { details: { ids: missing } });
}

/** Gives the vectors of each place of a batch, asked for in ascending order. */
export function batchVectors(
  file: CollectionFile,
  columns: readonly VectorColumn[],
): (place: number) => VectorData {
  const next = columns.map(() => 0);
  return (place) => {
    const data: VectorData = new Map();
    columns.forEach((column, c) => {
      const i = next[c]!;
      if (column.at !== undefined && column.at[i] !== place) return;
      const field = file.fields[column.field]!;
      data.set(column.field, encodeVectors(field, vectorsAt(column, i, field.size)));
      next[c] = i + 1;
    });
    return data;
  };
}

/** @returns the new row, which no point had before */
export function insertPoint(
  file: CollectionFile,
  key: Buffer,
  payload: string | null,
  vectors: VectorData,
): number {
  const { state } = file;
  const row = state.nextRow;
  if (row >= NONE) {
    throw new LeandexError('RESOURCE_EXHAUSTED', `${file.path} has used all its 2^32 - 1 rows`);
  }
  state.nextRow++;
  let parts = payload === null ? 0 : PAYLOAD_PART;
  for (const field of vectors.keys()) parts |= partOfField(field);
  parts >>>= 0;
  writePoint(file, 'INSERT', row, key, parts);
  if (payload !== null) {
    writePayload(file, row, payload);
    changeTexts(file, row, null, payload);
  }
  for (const [field, data] of vectors) {
    const sql = `INSERT INTO vectors_${field}(row, data, checksum) VALUES (?, ?, ?)`;
    changeRow(file, sql, [row, data, vectorChecksum(row, field, data)], data.length);
  }
  return row;
}

/** Writes the point's own row, with the present version, and counts it. */
export function writePoint(
  file: CollectionFile,
  verb: 'INSERT' | 'REPLACE',
  row: number,
  key: Buffer,
  parts: number,
): void {
  const { version } = file.state;
  const checksum = pointChecksum(row, key, version, parts)!;
  const sql = `${verb} INTO points(row, key, version, parts, checksum) VALUES (?, ?, ?, ?, ?)`;
  changeRow(file, sql, [row, key, version, parts, checksum]);
  countPoint(file.state, checksum, 1);
}

export function writePayload(file: CollectionFile, row: number, json: string): void {
  const sql = 'REPLACE INTO payloads(row, json, checksum) VALUES (?, ?, ?)';
  const checksum = payloadChecksum(row, file.state.version, json);
  changeRow(file, sql, [row, json, checksum], json.length);
}

export function removePayload(file: CollectionFile, row: number): void {
  changeRow(file, 'DELETE FROM payloads WHERE row = ?', [row]);
}

/** Takes a point away with all that belongs to it. */
export function removePoint(file: CollectionFile, point: PointRow): void {
  const { row, parts, checksum } = point;
  if ((parts & PAYLOAD_PART) !== 0) {
    if (file.texts.length > 0) changeTexts(file, row, payloadOf(file, point), null);
    removePayload(file, row);
  }
  changeRow(file, 'DELETE FROM points WHERE row = ?', [row]);
  for (let field = 0; field < file.fields.length; field++) {
    if ((parts & partOfField(field)) === 0) continue;
    changeRow(file, `DELETE FROM vectors_${field} WHERE row = ?`, [row]);
  }
  countPoint(file.state, checksum, -1);
}
