import { checkInteger } from '../../base/check.js';
import { LeandexError } from '../../base/errors.js';
import type { Hit, Selection, StoredRecord, Target, WriteResult } from '../../db/types.js';
import type { Served } from '../catalog.js';
import { readFilter } from './filter.js';
import { readIds } from './ids.js';
import type { WriteQuery } from './schemas.js';
import { knownName } from './unnamed.js';
import { wireVectors } from './vectors.js';

/** A point as it is answered. */
export function wireRecord({ id, payload, vector, orderValue }: StoredRecord) {
  return {
    id,
    // Qdrant knows no point without a payload: it is empty.
    ...(payload !== undefined && { payload: payload ?? {} }),
    ...(vector !== undefined && { vector: wireVectors(vector) }),
    ...(orderValue !== undefined && { order_value: orderValue }),
  };
}

/** A result of a search. leandex counts the writes of a collection, not those of a point. */
export function wireHit({ score, ...record }: Hit) {
  const { id, ...rest } = wireRecord(record);
  return { id, version: 0, score, ...rest };
}

interface Selecting {
  with_payload?: Selection['withPayload'] | null;
  with_vector?: Selection['withVector'] | null;
  /** Another name of it. */
  with_vectors?: Selection['withVector'] | null;
}

/** What to return of points, where `null` is as if nothing was said. */
export function readSelection(
  { with_payload, with_vector, with_vectors }: Selecting,
  defaultPayload: boolean,
  fields: Pick<Served, 'unnamed' | 'names'>,
): Selection {
  const vectors = with_vector ?? with_vectors ?? false;
  const withVector = Array.isArray(vectors)
    ? vectors.map((name) => knownName(name, fields))
    : vectors;
  return { withPayload: with_payload ?? defaultPayload, withVector };
}

/** Of points nothing but the vector of this stored name. */
export function onlyVector(name: string): { withPayload: false; withVector: true | [string] } {
  return { withPayload: false, withVector: name === '' ? true : [name] };
}

/** The vector of this stored name; undefined where a record has none. */
export function vectorOf({ vector }: StoredRecord, name: string) {
  const isNamed = vector !== undefined && !Array.isArray(vector) && !ArrayBuffer.isView(vector);
  return isNamed ? vector[name] : vector;
}

/** Which points a write is about. */
export function readTarget(
  request: { points?: unknown[] | null | undefined; filter?: unknown },
  { batchMax, unnamed }: { batchMax: number; unnamed: string },
): Target {
  const { points, filter } = request;
  const given = [points, filter].filter((value) => value !== undefined && value !== null);
  if (given.length !== 1) {
    const problem = given.length === 0 ? 'neither is given' : 'both are given';
    throw new LeandexError('INVALID_ARGUMENT', `points or filter say which points: ${problem}`);
  }
  if (!points) return { filter: readFilter(filter, unnamed)! };
  checkInteger('the number of points', points.length, 0, batchMax);
  return readIds('points', points);
}

/** The answer to a write: it has been written in either case. */
export function updateResult({ version }: Pick<WriteResult, 'version'>, { wait }: WriteQuery) {
  return { operation_id: version, status: wait === 'true' ? 'completed' : 'acknowledged' };
}
