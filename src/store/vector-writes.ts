import type { CollectionFile } from './collection-file.js';
import { joinVectors } from './columns.js';
import { type PointRow, partOfField, payloadOf, vectorDataOf } from './point-rows.js';
import {
  batchVectors,
  checkAllThere,
  insertPoint,
  nextVersion,
  pointsOf,
  removePoint,
  type VectorData,
} from './point-writes.js';
import { type Moved, NONE, type PointBatch, type Target, type VectorColumn } from './types.js';
import { decodedVectors } from './vector-codec.js';

/**
 * Replaces vectors of points that are there; their others, and their payloads, stay.
 * @throws LeandexError `NOT_FOUND` where an id is missing, and nothing is changed.
 */
export function updateVectors(
  file: CollectionFile,
  { ids, columns }: Omit<PointBatch, 'payloads'>,
): Moved {
  const target = { ids };
  checkAllThere(file, target);
  const vectorsAt = batchVectors(file, columns);
  return movePoints(file, target, (place) => ({ placed: vectorsAt(place), dropped: 0 }));
}

/**
 * Takes vectors of these fields away from points. A point that has none of them stays as it is,
 * with NONE among the rows.
 * @throws LeandexError `NOT_FOUND` where an id is missing, and nothing is changed.
 */
export function deleteVectors(
  file: CollectionFile,
  target: Target,
  fields: readonly number[],
): Moved {
  checkAllThere(file, target);
  const dropped = fields.reduce((parts, field) => parts | partOfField(field), 0);
  return movePoints(file, target, () => ({ placed: new Map(), dropped }));
}

interface VectorChange {
  placed: VectorData;
  /** Parts that go. */
  dropped: number;
}

/** Gives points whose vectors change new rows, and takes along what does not change. */
function movePoints(
  file: CollectionFile,
  target: Target,
  changeAt: (place: number) => VectorChange,
): Moved {
  const version = nextVersion(file);
  const count = 'ids' in target ? target.ids.length : target.rows.length;
  const rows = new Uint32Array(count).fill(NONE);
  const payloads = new Array<string | null>(count).fill(null);
  const removed: number[] = [];
  const carried: Carried = new Map();
  let place = -1;
  for (const point of pointsOf(file, target)) {
    place++;
    const { placed, dropped } = changeAt(place);
    if (point === undefined || (placed.size === 0 && (point.parts & dropped) === 0)) continue;
    const kept = keptVectors(file, point, placed, dropped);
    const payload = payloadOf(file, point);
    removePoint(file, point);
    removed.push(point.row);
    rows[place] = insertPoint(file, point.key, payload, new Map([...placed, ...kept]));
    payloads[place] = payload;
    carry(carried, place, kept);
  }
  const ended = Uint32Array.from(removed);
  return { version, rows, removed: ended, payloads, carried: columnsOf(file, carried) };
}

function keptVectors(
  file: CollectionFile,
  { row, parts }: PointRow,
  placed: VectorData,
  dropped: number,
): VectorData {
  const kept: VectorData = new Map();
  for (let field = 0; field < file.fields.length; field++) {
    const part = partOfField(field);
    if ((parts & ~dropped & part) === 0 || placed.has(field)) continue;
    kept.set(field, vectorDataOf(file, row, field));
  }
  return kept;
}

/** Vectors that were taken along, by field: places in the batch and bytes. */
type Carried = Map<number, { at: number[]; data: Buffer[] }>;

function carry(carried: Carried, place: number, vectors: VectorData): void {
  for (const [field, data] of vectors) {
    const column = carried.get(field) ?? { at: [], data: [] };
    carried.set(field, column);
    column.at.push(place);
    column.data.push(data);
  }
}

function columnsOf(file: CollectionFile, carried: Carried): VectorColumn[] {
  return [...carried].map(([field, { at, data }]) => {
    const stored = file.fields[field]!;
    const vectors = data.map((bytes) => decodedVectors(stored, bytes));
    return { field, ...joinVectors(vectors, stored), at: Uint32Array.from(at) };
  });
}
