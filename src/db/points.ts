import { checkInteger, checkOptions } from '../base/check.js';
import { outOfRange, wrongDimension, wrongType } from '../base/errors.js';
import { checkPointId, type PointId } from '../base/point-id.js';
import type { Steps } from '../base/steps.js';
import { checkPayload } from '../filter/payload.js';
import { MAGNITUDE_MAX } from '../graph/rows.js';
import type { Originals, PointBatch, VectorColumn } from '../store/types.js';
import type { FieldConfig } from './config.js';

/** Points of one batch: it is checked as a whole and held in memory until it is committed. */
export const BATCH_POINTS_MAX = 65_536;
const BATCH_BYTES_MAX = 2 ** 30;
/** Numbers that are copied and checked between two looks at the time: some .3 ms. */
const NUMBERS_PER_STEP = 1 << 16;
/** What a point takes besides its numbers, in theirs. */
export const NUMBERS_PER_POINT = 1 << 10;
const FLOAT16_MAX = 65_504;
/** What is stored of a vector needs a direction as well: smaller numbers may all become 0. */
const COSINE_LEAST: Readonly<Record<Originals, number>> = {
  float32: 0,
  float16: 2 ** -24,
  none: 2 ** -126,
};

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
  const columns = new Columns(fields, list.length);
  for (const [i, point] of list.entries()) {
    const what = `points[${first + i}]`;
    checkOptions(what, point, ['id', 'vector', 'payload']);
    const { id, vector, payload } = point as { id: unknown; vector: unknown; payload: unknown };
    ids.add(`${what}.id`, id);
    payloads.push(checkPayload(`${what}.payload`, payload));
    columns.add(i, `${what}.vector`, vector, true);
    if (columns.isStepOver()) yield;
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
  const columns = new Columns(fields, list.length);
  for (const [i, point] of list.entries()) {
    const what = `points[${i}]`;
    checkOptions(what, point, ['id', 'vector']);
    const { id, vector } = point as { id: unknown; vector: unknown };
    ids.add(`${what}.id`, id);
    if (columns.add(i, `${what}.vector`, vector, false) === 0) {
      throw outOfRange(`${what}.vector`, 'at least one vector', vector);
    }
    if (columns.isStepOver()) yield;
  }
  return { ids: ids.list, columns: columns.finish() };
}

function checkList(points: unknown, fields: readonly FieldConfig[]): readonly unknown[] {
  if (!Array.isArray(points)) throw wrongType('points', 'an array of points', points);
  const bytes = 4 * fields.reduce((sum, { size }) => sum + size, 0);
  const most = Math.max(1, Math.min(BATCH_POINTS_MAX, Math.floor(BATCH_BYTES_MAX / bytes)));
  checkInteger('the number of points in a batch', points.length, 0, most);
  return points;
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
  private readonly matrices: (Float32Array | undefined)[] = [];
  private readonly places: number[][];
  private sinceStep = 0;

  constructor(fields: readonly FieldConfig[], count: number) {
    this.fields = fields;
    this.count = count;
    this.places = fields.map(() => []);
  }

  /** Takes the vectors of a point; returns how many there were. */
  add(place: number, what: string, value: unknown, isWhole: boolean): number {
    const [first] = this.fields;
    if (first!.name === '') {
      if (value === undefined || value === null) {
        throw wrongType(what, `a vector of ${first!.size} numbers`, value);
      }
      this.addOne(0, place, what, value);
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
      this.addOne(names.indexOf(name), place, `${what}.${name}`, vector);
      added++;
    }
    return added;
  }

  private addOne(field: number, place: number, what: string, value: unknown): void {
    const config = this.fields[field]!;
    this.matrices[field] ??= sharedFloats(this.count * config.size);
    const places = this.places[field]!;
    const row = this.matrices[field]!.subarray(places.length * config.size);
    copyVector(what, value, config, row);
    places.push(place);
    this.sinceStep += config.size;
  }

  /** Called after each point. */
  isStepOver(): boolean {
    this.sinceStep += NUMBERS_PER_POINT;
    if (this.sinceStep < NUMBERS_PER_STEP) return false;
    this.sinceStep = 0;
    return true;
  }

  finish(): VectorColumn[] {
    return this.matrices.flatMap((matrix, field) => {
      if (matrix === undefined) return [];
      const at = this.places[field]!;
      const vectors = matrix.subarray(0, at.length * this.fields[field]!.size);
      const isFull = at.length === this.count;
      return [{ field, vectors, ...(!isFull && { at: Uint32Array.from(at) }) }];
    });
  }
}

/** Memory that goes to other threads without a copy. */
export function sharedFloats(length: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * length));
}

/** A query as float32. @throws as packPoints() */
export function checkQueryVector(what: string, value: unknown, config: FieldConfig): Float32Array {
  const vector = new Float32Array(config.size);
  // It is not stored.
  copyVector(what, value, { ...config, originals: 'float32' }, vector);
  return vector;
}

/** Copies a vector to the begin of `into`, checked. */
function copyVector(what: string, value: unknown, config: FieldConfig, into: Float32Array): void {
  const { size, distance, originals } = config;
  if (!(value instanceof Float32Array) && !Array.isArray(value)) {
    throw wrongType(what, `an array or Float32Array of ${size} numbers`, value);
  }
  if (value.length !== size) throw wrongDimension(what, size, value.length);
  const isTyped = value instanceof Float32Array;
  const limit = originals === 'float16' ? FLOAT16_MAX : Infinity;
  let largest = 0;
  for (let i = 0; i < size; i++) {
    const number: unknown = value[i];
    if (!isTyped && typeof number !== 'number')
      throw wrongType(`${what}[${i}]`, 'a number', number);
    into[i] = number as number;
    const magnitude = Math.abs(into[i]!);
    if (!(magnitude < Infinity)) throw outOfRange(`${what}[${i}]`, 'a finite float32', number);
    if (magnitude > largest) largest = magnitude;
  }
  if (largest > limit) throw outOfRange(what, `of numbers up to ${limit} (float16)`, largest);
  if (distance === 'Cosine') {
    if (largest === 0) throw outOfRange(what, 'a vector with a direction (Cosine)', 'only zeros');
    const least = COSINE_LEAST[originals];
    if (largest < least) {
      throw outOfRange(what, `of some numbers from ${least} on (Cosine, ${originals})`, largest);
    }
  } else if (largest > MAGNITUDE_MAX) {
    throw outOfRange(what, `of numbers up to ${MAGNITUDE_MAX}`, largest);
  }
}
