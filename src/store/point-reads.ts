import { keyOfId, type PointId } from '../base/point-id.js';
import type { Steps } from '../base/steps.js';
import { type CollectionFile, readState, statement } from './collection-file.js';
import {
  checkedPoint,
  idOfPoint,
  POINT_COLUMNS,
  type PointRow,
  partOfField,
  payloadOf,
  pointOfKey,
  readVector,
  vectorDataOf,
} from './point-rows.js';
import { pointsOf } from './point-writes.js';
import {
  type CollectionState,
  NONE,
  type PointList,
  type StoredPoint,
  type Target,
  type Wanted,
} from './types.js';
import { decodeVector } from './vector-codec.js';

const STEP_ROWS = 64;

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
    const stored = file.fields[field]!;
    const vector = new Float32Array(stored.size);
    decodeVector(stored, vectorDataOf(file, row, field), vector);
    vectors[field] = vector;
  }
  const payload = wanted.payload ? payloadOf(file, point) : undefined;
  return { row, id: idOfPoint(file, point), version, payload, vectors };
}

/** The vectors of one field that are there, by ascending row, in shared memory. */
export function* readVectors(
  file: CollectionFile,
  field: number,
  rows: Uint32Array,
): Steps<{ rows: Uint32Array; vectors: Float32Array }> {
  const { size } = file.fields[field]!;
  const vectors = new Float32Array(new SharedArrayBuffer(4 * rows.length * size));
  const found = new Uint32Array(rows.length);
  let count = 0;
  for (const [i, row] of rows.toSorted().entries()) {
    const into = vectors.subarray(count * size, (count + 1) * size);
    if (readVector(file, row, field, into)) found[count++] = row;
    if (i % STEP_ROWS === STEP_ROWS - 1) yield undefined;
  }
  return { rows: found.slice(0, count), vectors: vectors.subarray(0, count * size) };
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
