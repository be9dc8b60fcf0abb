import { checkInteger, checkOptions } from '../base/check.js';
import { outOfRange, wrongDimension, wrongType } from '../base/errors.js';
import { checkPointId, type PointId } from '../base/point-id.js';
import type { Steps } from '../base/steps.js';
import { checkPayload } from '../filter/payload.js';
import type { PointBatch, VectorColumn } from '../store/types.js';
import { type FieldConfig, hasSeveralRows, multiSettings } from './config.js';
import { checkCount, copyVectors, sharedFloats } from './copy-vectors.js';

/** Points of one batch: it is checked as a whole and held in memory until it is committed. */
export const BATCH_POINTS_MAX = 65_536;
const BATCH_BYTES_MAX = 2 ** 30;
/** Numbers that are copied and checked between two looks at the time: some .3 ms. */
const NUMBERS_PER_STEP = 1 << 16;
/** Steps that are few enough to be taken at once: some 4 ms, and a million numbers. */
export const STEPS_AT_ONCE = 16;
/** What a point takes besides its numbers, in theirs. */
const NUMBERS_PER_POINT = 1 << 10;

/**
 * Checks points and gathers them in columns, ready for the store and the indexes.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, `DIMENSION_MISMATCH` naming the point and what is
 * wrong with it, also for an id that occurs twice.
 * @param first the number of the first point in messages
 */
export function* packPoints(
  points: unknown,
  fields: readonly FieldConfig[],
  first: number,
): Steps<PointBatch> {
  const list = checkList(points, fields);
  const ids = new DistinctIds();
  const payloads: (string | null)[] = [];
  const columns = new Columns(fields, list);
  for (const [i, point] of list.entries()) {
    const what = `points[${first + i}]`;
    checkOptions(what, point, ['id', 'vector', 'payload']);
    const { id, vector, payload } = point as { id: unknown; vector: unknown; payload: unknown };
    ids.add(`${what}.id`, id);
    payloads.push(checkPayload(`${what}.payload`, payload));
    yield* columns.add(i, `${what}.vector`, vector, true);
  }
  return { ids: ids.list, payloads, columns: columns.finish() };
}

/** The same for updateVectors(): ids, and one or more of the vectors of each. */
export function* packVectors(
  points: unknown,
  fields: readonly FieldConfig[],
): Steps<Omit<PointBatch, 'payloads'>> {
  const list = checkList(points, fields);
  const ids = new DistinctIds();
  const columns = new Columns(fields, list);
  for (const [i, point] of list.entries()) {
    const what = `points[${i}]`;
    checkOptions(what, point, ['id', 'vector']);
    const { id, vector } = point as { id: unknown; vector: unknown };
    ids.add(`${what}.id`, id);
    if ((yield* columns.add(i, `${what}.vector`, vector, false)) === 0) {
      throw outOfRange(`${what}.vector`, 'at least one vector', vector);
    }
  }
  return { ids: ids.list, columns: columns.finish() };
}

function checkList(points: unknown, fields: readonly FieldConfig[]): readonly unknown[] {
  if (!Array.isArray(points)) throw wrongType('points', 'an array of points', points);
  const bytes = 4 * fields.reduce((sum, field) => sum + rowNumbers(field), 0);
  const most = Math.max(1, Math.min(BATCH_POINTS_MAX, Math.floor(BATCH_BYTES_MAX / bytes)));
  checkInteger('the number of points in a batch', points.length, 0, most);
  return points;
}

/** Numbers that the index is given of a point: its vector, or the encoding of several. */
function rowNumbers(field: FieldConfig): number {
  return field.multivector === undefined ? field.size : multiSettings(field).index.dimensions;
}

/** Ids in order, each once. */
class DistinctIds {
  readonly list: PointId[] = [];
  private readonly seen = new Set<PointId>();

  add(what: string, value: unknown): void {
    const id = checkPointId(what, value);
    if (this.seen.has(id)) throw outOfRange(what, 'different from those before it', id);
    this.seen.add(id);
    this.list.push(id);
  }
}

/** @throws TypeError, RangeError `INVALID_ARGUMENT` for anything but a list of ids. Each id once. */
export function checkIdList(what: string, value: unknown): PointId[] {
  if (!Array.isArray(value)) throw wrongType(what, 'an array of ids', value);
  return [...new Set(value.map((id, i) => checkPointId(`${what}[${i}]`, id)))];
}

/** One matrix a field, filled row by row, in memory that threads share. */
class Columns {
  private readonly fields: readonly FieldConfig[];
  private readonly count: number;
  /** Vectors that the points have in each field, at most. */
  private readonly room: readonly number[];
  private readonly matrices: (Float32Array | undefined)[] = [];
  private readonly places: number[][];
  /** For each field where the vectors of its next point begin, after all before it. */
  private readonly offsets: number[][];
  private sinceStep = 0;

  constructor(fields: readonly FieldConfig[], points: readonly unknown[]) {
    this.fields = fields;
    this.count = points.length;
    this.room = fields.map((field) => roomFor(field, points));
    this.places = fields.map(() => []);
    this.offsets = fields.map(() => [0]);
  }

  /** Takes the vectors of a point; returns in how many fields there were some. */
  *add(place: number, what: string, value: unknown, isWhole: boolean): Steps<number> {
    this.sinceStep += NUMBERS_PER_POINT;
    const [first] = this.fields;
    if (first!.name === '') {
      if (value === undefined || value === null) {
        throw wrongType(what, `a vector of ${first!.size} numbers`, value);
      }
      yield* this.addOne(0, place, what, value);
      return 1;
    }
    if (value === undefined && isWhole) return 0;
    if (Array.isArray(value) || ArrayBuffer.isView(value)) {
      throw wrongType(what, 'an object of vectors by name', value);
    }
    const names = this.fields.map(({ name }) => name);
    checkOptions(what, value, names);
    let added = 0;
    for (const [name, vector] of Object.entries(value as object)) {
      if (vector === undefined || vector === null) continue;
      yield* this.addOne(names.indexOf(name), place, `${what}.${name}`, vector);
      added++;
    }
    return added;
  }

  private *addOne(field: number, place: number, what: string, value: unknown): Steps<void> {
    const config = this.fields[field]!;
    const { size } = config;
    this.matrices[field] ??= sharedFloats(this.room[field]! * size);
    const from = this.offsets[field]!.at(-1)!;
    const count = checkCount(what, value, config);
    const rest = this.matrices[field]!.subarray(from * size);
    if (rest.length < count * size) {
      throw wrongDimension(`${what}, changed while it was being read,`, rest.length, count * size);
    }
    for (const _ of copyVectors(what, value, config, count, rest)) {
      this.sinceStep += size;
      if (this.isStepOver()) yield;
    }
    this.places[field]!.push(place);
    this.offsets[field]!.push(from + count);
  }

  private isStepOver(): boolean {
    if (this.sinceStep < NUMBERS_PER_STEP) return false;
    this.sinceStep = 0;
    return true;
  }

  finish(): VectorColumn[] {
    return this.matrices.flatMap((matrix, field) => {
      if (matrix === undefined) return [];
      const config = this.fields[field]!;
      const { size } = config;
      const at = this.places[field]!;
      const offsets = this.offsets[field]!;
      const vectors = matrix.subarray(0, offsets.at(-1)! * size);
      const column: VectorColumn = { field, vectors };
      if (hasSeveralRows(config)) column.offsets = Uint32Array.from(offsets);
      if (at.length < this.count) column.at = Uint32Array.from(at);
      return [column];
    });
  }
}

/** How many vectors points have in a field, before anything of them is checked. */
function roomFor(config: FieldConfig, points: readonly unknown[]): number {
  if (!hasSeveralRows(config)) return points.length;
  const { name, size } = config;
  let count = 0;
  for (const point of points) {
    const given = (point as { vector?: unknown } | null | undefined)?.vector;
    const value = name === '' ? given : (given as Record<string, unknown> | undefined)?.[name];
    if (Array.isArray(value)) count += value.length;
    else if (value instanceof Float32Array) count += Math.floor(value.length / size);
    else
      count +=
        (value as { indices?: { length?: number } } | null | undefined)?.indices?.length ?? 0;
  }
  const most = Math.floor(BATCH_BYTES_MAX / (4 * size));
  return checkInteger('the number of vectors in a batch', count, 0, most);
}
