import type { Progress, Steps } from '../base/steps.js';
import { addToDigest, type CollectionFile, damagedRow, readState } from './collection-file.js';
import {
  checkedPoint,
  checkedVector,
  idOfPoint,
  PAYLOAD_PART,
  POINT_COLUMNS,
  type PointRow,
  partOfField,
} from './point-rows.js';
import { payloadChecksum } from './row-checksum.js';
import { corrupt } from './sqlite-errors.js';
import { stepRowsOf, walkTable } from './table-walk.js';
import { verifyTexts } from './text-verify.js';

const POINT_OF_ROW = POINT_COLUMNS.split(', ')
  .map((column) => `p.${column}`)
  .join(', ');

/**
 * Reads everything, on one state of the file: SQLite's own check, every checksum, whether each
 * payload and vector belongs to a point and each point has what it says, the count and the digest.
 * @throws LeandexError `CORRUPT` with the first damage
 */
export function* verify(file: CollectionFile): Steps<{ points: number }> {
  file.db.exec('BEGIN');
  try {
    const { count } = readState(file);
    const tables = 2 + file.fields.length;
    const progress = (done: number): Progress => ({ phase: 'verify', done, total: tables * count });
    yield progress(0);
    checkIntegrity(file);
    const expected = yield* checkPoints(file, progress);
    const payloads = yield* progressOf(checkPayloads(file), count, progress);
    if (payloads !== expected.payloads) throw corrupt(file.path, 'payloads are missing');
    for (const [field, vectors] of expected.vectors.entries()) {
      const found = yield* progressOf(checkVectors(file, field), (2 + field) * count, progress);
      if (found !== vectors) throw corrupt(file.path, `vectors of field ${field} are missing`);
    }
    yield* verifyTexts(file);
    return { points: count };
  } finally {
    file.db.exec('COMMIT');
  }
}

function* progressOf<T>(
  walk: Generator<number, T, void>,
  before: number,
  progress: (done: number) => Progress,
): Steps<T> {
  for (;;) {
    const { value, done } = walk.next();
    if (done) return value;
    yield progress(before + value);
  }
}

function checkIntegrity({ db, path }: CollectionFile): void {
  const problem = db.pragma('integrity_check(1)', { simple: true });
  if (problem !== 'ok') throw corrupt(path, String(problem));
}

/** @returns how many payloads and vectors the points say there are */
function* checkPoints(
  file: CollectionFile,
  progress: (done: number) => Progress,
): Steps<{ payloads: number; vectors: number[] }> {
  const { count, digest, nextRow, version } = readState(file);
  const vectors = file.fields.map(() => 0);
  const known = vectors.reduce((parts, _, field) => parts | partOfField(field), PAYLOAD_PART) >>> 0;
  let payloads = 0;
  let sum = 0;
  const select = `SELECT ${POINT_OF_ROW.replaceAll('p.', 't.')} FROM points t`;
  const walk = walkTable(file, 'points', select, (found) => {
    const point = checkedPoint(file, found);
    idOfPoint(file, point);
    const isPossible = point.row < nextRow && point.version <= version;
    if (!isPossible || (point.parts & ~known) !== 0) throw damagedRow(file, 'points', point.row);
    sum = addToDigest(sum, point.checksum);
    payloads += point.parts & PAYLOAD_PART;
    for (const field of vectors.keys()) if (has(point, partOfField(field))) vectors[field]!++;
  });
  const points = yield* progressOf(walk, 0, progress);
  if (points !== count || sum !== digest) {
    const problem = `it has ${points} points where it had ${count}, or others than it had`;
    throw corrupt(file.path, problem, { table: 'points' });
  }
  return { payloads, vectors };
}

function has({ parts }: PointRow, part: number): boolean {
  return (parts & part) !== 0;
}

function checkPayloads(file: CollectionFile): Generator<number, number, void> {
  const from = 'FROM payloads t LEFT JOIN points p ON p.row = t.row';
  const select = `SELECT t.row, t.json, t.checksum, ${POINT_OF_ROW} ${from}`;
  return walkTable(file, 'payloads', select, ([row, json, checksum, ...point]) => {
    const { version } = ownerOf(file, 'payloads', row, point, PAYLOAD_PART);
    if (typeof json !== 'string' || checksum !== payloadChecksum(row as number, version, json)) {
      throw damagedRow(file, 'payloads', row);
    }
  });
}

function checkVectors(file: CollectionFile, field: number): Generator<number, number, void> {
  const table = `vectors_${field}`;
  const from = `FROM ${table} t LEFT JOIN points p ON p.row = t.row`;
  const select = `SELECT t.row, t.data, t.checksum, ${POINT_OF_ROW} ${from}`;
  const visit = ([row, data, checksum, ...point]: unknown[]) => {
    checkedVector(file, field, row, data, checksum);
    ownerOf(file, table, row, point, partOfField(field));
  };
  return walkTable(file, table, select, visit, stepRowsOf(file.fields[field]!));
}

/** The point that a payload or vector belongs to. */
function ownerOf(
  file: CollectionFile,
  table: string,
  row: unknown,
  found: unknown[],
  part: number,
): PointRow {
  if (found[0] === null) throw damagedRow(file, table, row);
  const point = checkedPoint(file, found);
  if (!has(point, part)) throw damagedRow(file, table, row);
  return point;
}
