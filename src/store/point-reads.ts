import { keyOfId, type PointId } from '../base/point-id.js';
import type { Steps } from '../base/steps.js';
import { type CollectionFile, readState, statement } from './collection-file.js';
import {
  checkedPoint,
  findVectorData,
  idOfPoint,
  POINT_COLUMNS,
  type PointRow,
  partOfField,
  payloadOf,
  pointOfKey,
  vectorDataOf,
} from './point-rows.js';
import { pointsOf } from './point-writes.js';
import {
  type CollectionState,
  NONE,
  type PointList,
  type StoredPoint,
  type Target,
  type VectorRows,
  type Wanted,
} from './types.js';
import { decodedVectors, decodeVectors, vectorCount } from './vector-codec.js';

const STEP_ROWS = 64;
/** Of a multi field so many numbers are read at once, if more than one point's: 16 MB. */
const MULTI_NUMBERS_AT_ONCE = 1 << 22;

/** The counters, as last committed. */
export function state(file: CollectionFile): CollectionState {
  const { count, nextRow, version } = readState(file);
  return { count, nextRow, version };
}

/** Changes when another connection has committed since the last call. */
export function dataVersion(file: CollectionFile): number {
  return file.db.pragma('data_version', { simple: true }) as number;
}

/** NONE where there is no such point. */
export function rowsOf(file: CollectionFile, ids: readonly PointId[]): Uint32Array {
  return Uint32Array.from(ids, (id) => pointOfKey(file, keyOfId(id))?.row ?? NONE);
}

/** The points in the order asked for, without those that are not there. */
export function read(file: CollectionFile, target: Target, wanted: Wanted): StoredPoint[] {
  const points: StoredPoint[] = [];
  for (const point of pointsOf(file, target)) {
    if (point !== undefined) points.push(readPoint(file, point, wanted));
  }
  return points;
}

function readPoint(file: CollectionFile, point: PointRow, wanted: Wanted): StoredPoint {
  const { row, version, parts } = point;
  const vectors = new Array<Float32Array | undefined>(file.fields.length).fill(undefined);
  for (const field of wanted.fields) {
    if ((parts & partOfField(field)) === 0) continue;
    vectors[field] = decodedVectors(file.fields[field]!, vectorDataOf(file, row, field));
  }
  const payload = wanted.payload ? payloadOf(file, point) : undefined;
  return { row, id: idOfPoint(file, point), version, payload, vectors };
}

/** The vectors of one field that are there, by ascending row, in shared memory. */
export function* readVectors(
  file: CollectionFile,
  field: number,
  rows: Uint32Array,
): Steps<VectorRows> {
  const stored = file.fields[field]!;
  const { size } = stored;
  const sorted = rows.toSorted();
  const { length, room } = roomFor(file, field, sorted);
  const vectors = new Float32Array(new SharedArrayBuffer(4 * room * size));
  const found = new Uint32Array(length);
  const offsets = new Uint32Array(length + 1);
  let count = 0;
  for (let i = 0; i < length; i++) {
    const data = findVectorData(file, sorted[i]!, field);
    if (data !== undefined) {
      const from = offsets[count]!;
      const to = from + vectorCount(stored, data.length)!;
      decodeVectors(stored, data, vectors.subarray(from * size, to * size));
      found[count++] = sorted[i]!;
      offsets[count] = to;
    }
    if (i % STEP_ROWS === STEP_ROWS - 1) yield undefined;
  }
  return {
    rows: found.slice(0, count),
    vectors: vectors.subarray(0, offsets[count]! * size),
    rest: sorted.slice(length),
    ...(stored.multi && { offsets: offsets.slice(0, count + 1) }),
  };
}

/**
 * How many of the rows are read at once, and how many vectors they have at most: rows never get
 * others than they were written with.
 */
function roomFor(
  file: CollectionFile,
  field: number,
  rows: Uint32Array,
): { length: number; room: number } {
  const stored = file.fields[field]!;
  if (!stored.multi) return { length: rows.length, room: rows.length };
  const bytesOf = statement(file, `SELECT length(data) FROM vectors_${field} WHERE row = ?`);
  let room = 0;
  for (const [i, row] of rows.entries()) {
    const [bytes] = (bytesOf.get(row) ?? []) as unknown[];
    // A damaged length is told of when the row is read.
    const count = vectorCount(stored, Number(bytes ?? 0)) ?? 0;
    if (i > 0 && (room + count) * stored.size > MULTI_NUMBERS_AT_ONCE) return { length: i, room };
    room += count;
  }
  return { length: rows.length, room };
}

/** Points with rows above `afterRow` (−1: all), ascending; fewer than `limit` are the last ones. */
export function list(file: CollectionFile, afterRow: number, limit: number): PointList {
  const sql = `SELECT ${POINT_COLUMNS} FROM points WHERE row > ? ORDER BY row LIMIT ?`;
  const found = statement(file, sql).all(afterRow, limit);
  const rows = new Uint32Array(found.length);
  const versions = new Float64Array(found.length);
  const fields = new Uint32Array(found.length);
  const ids = found.map((one, i) => {
    const point = checkedPoint(file, one);
    rows[i] = point.row;
    versions[i] = point.version;
    fields[i] = point.parts >>> 1;
    return idOfPoint(file, point);
  });
  return { rows, versions, fields, ids };
}
