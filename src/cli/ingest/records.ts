import { LeandexError } from '../../base/errors.js';
import type { PointId } from '../../base/point-id.js';
import type { Point, Vectors } from '../../db/types.js';

/** How the fields of a record are called, and what stands in for them. */
export interface FieldNames {
  id: string;
  vector: string;
  vectors: string;
  payload: string;
  /** The name that `vector` has among several. */
  using?: string | undefined;
  /** Numbers the points from here on, instead of an id in each. */
  firstId?: number | undefined;
}

/** What is wrong with a record: see atPlace(). */
export class RecordProblem extends Error {}

/**
 * The point that a record is. Its payload is the object in the payload field, or, where there is none,
 * all fields that are not otherwise used.
 * @param n how many records were before it.
 * @throws RecordProblem
 */
export function pointOf(record: unknown, names: FieldNames, n: number): Point {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    throw new RecordProblem('expected a JSON object');
  }
  const { firstId, id: idName, vector: vectorName, vectors: vectorsName } = names;
  const rest = { ...record } as Record<string, unknown>;
  const take = (name: string): unknown => {
    const value = Object.hasOwn(rest, name) ? rest[name] : undefined;
    delete rest[name];
    return value;
  };
  const id = firstId === undefined ? take(idName) : firstId + n;
  if (id === undefined) {
    throw new RecordProblem(
      `there is no field "${idName}" (--id names another, --first-id numbers the points)`,
    );
  }
  const [vector, vectors] = [take(vectorName), take(vectorsName)];
  if (vector !== undefined && vectors !== undefined) {
    throw new RecordProblem(`expected one of "${vectorName}" and "${vectorsName}", received both`);
  }
  if (vector === undefined && vectors === undefined) {
    const names = `"${vectorName}" or "${vectorsName}"`;
    throw new RecordProblem(`there is no field ${names} (--vector and --vectors name others)`);
  }
  const payload = payloadOf(rest, names.payload);
  return { id: id as PointId, vector: named(vector ?? vectors, vector, names), payload };
}

function named(value: unknown, vector: unknown, { using }: FieldNames): Vectors {
  const isNamed = vector !== undefined && using !== undefined;
  return (isNamed ? { [using]: vector } : value) as Vectors;
}

function payloadOf(rest: Record<string, unknown>, name: string): object | null {
  if (!Object.hasOwn(rest, name)) return Object.keys(rest).length > 0 ? rest : null;
  const { [name]: payload, ...others } = rest;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new RecordProblem(
      `"${unknown}" is beside "${name}", which has the payload (--payload names another)`,
    );
  }
  if (payload !== null && (typeof payload !== 'object' || Array.isArray(payload))) {
    throw new RecordProblem(`"${name}" must be an object`);
  }
  return payload as object | null;
}

/** What is wrong with a record, with its place. */
export function atPlace(error: unknown, place: string): unknown {
  if (!(error instanceof RecordProblem)) return error;
  return new LeandexError('CORRUPT', `${place}: ${error.message}`, { cause: error });
}
