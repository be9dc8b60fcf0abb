import { isAmong } from '../base/among.js';
import { keyOfId, type PointId } from '../base/point-id.js';
import type { Steps } from '../base/steps.js';
import { type CollectionFile, damagedRow, readState, statement } from './collection-file.js';
import { isU32, pointOfRow } from './point-rows.js';

const STEP_ROWS = 1024;
/** Looking a row up takes so many times as long as passing one in the order of keys. */
const LOOKUP_COST = 8;

/**
 * Rows in the order of ids from one on, itself included; all points or only some.
 * @param rows ascending
 */
export function* page(
  file: CollectionFile,
  from: PointId | undefined,
  limit: number,
  rows?: Uint32Array,
): Steps<Uint32Array> {
  const start = from === undefined ? Buffer.alloc(0) : keyOfId(from);
  if (rows === undefined) return yield* walk(file, start, limit, () => true);
  if (rows.length === 0) return rows;
  const { count } = readState(file);
  const walked = Math.min(count, limit * (count / rows.length));
  if (rows.length * LOOKUP_COST < walked) return yield* lookUp(file, start, limit, rows);
  return yield* walk(file, start, limit, (row) => isAmong(rows, row));
}

/** Passes the points in the order of their keys. */
function* walk(
  file: CollectionFile,
  start: Buffer,
  limit: number,
  isWanted: (row: number) => boolean,
): Steps<Uint32Array> {
  const found: number[] = [];
  let sql = 'SELECT key, row FROM points WHERE key >= ? ORDER BY key LIMIT ?';
  let from = start;
  while (found.length < limit) {
    const passed = statement(file, sql).all(from, STEP_ROWS) as unknown[][];
    for (const [key, row] of passed) {
      // A damaged index may have keys out of order, and would be walked for ever.
      const isSound = Buffer.isBuffer(key) && isU32(row) && key.compare(from) >= 0;
      if (!isSound) throw damagedRow(file, 'points', row);
      from = key;
      if (found.length < limit && isWanted(row)) found.push(row);
    }
    if (passed.length < STEP_ROWS) break;
    sql = 'SELECT key, row FROM points WHERE key > ? ORDER BY key LIMIT ?';
    yield undefined;
  }
  return Uint32Array.from(found);
}

/** Reads the few that are wanted, and orders them. */
function* lookUp(
  file: CollectionFile,
  start: Buffer,
  limit: number,
  rows: Uint32Array,
): Steps<Uint32Array> {
  const found: { row: number; key: Buffer }[] = [];
  for (const [i, row] of rows.entries()) {
    const point = pointOfRow(file, row);
    if (point !== undefined && point.key.compare(start) >= 0) found.push(point);
    if (i % STEP_ROWS === STEP_ROWS - 1) yield undefined;
  }
  found.sort((a, b) => a.key.compare(b.key));
  return Uint32Array.from(found.slice(0, limit), ({ row }) => row);
}
