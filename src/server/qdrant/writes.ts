import { checkInteger } from '../../base/check.js';
import { LeandexError, outOfRange } from '../../base/errors.js';
import { keyOfId, type PointId } from '../../base/point-id.js';
import type { Payload, Point, Vectors, WriteResult } from '../../db/types.js';
import type { Served } from '../catalog.js';
import { refused, unsupported } from '../errors.js';
import { array, type Of, object, record, string } from '../schema.js';
import { chosenPoints, conditions } from './conditional.js';
import { readId } from './ids.js';
import { isObject } from './members.js';
import { readTarget } from './records.js';
import { payload, pointId, selector, shardKey, vectors } from './schemas.js';
import { knownName } from './unnamed.js';
import { readVectors } from './vectors.js';

/** How a write is done, beside what it says. */
export interface Writing extends Served {
  batchMax: number;
  signal: AbortSignal;
}

const points = array(object({ id: pointId, vector: vectors }, { payload }));
const pointVectors = array(object({ id: pointId, vector: vectors }));

export const upsertBody = object(
  {},
  {
    points,
    batch: object({ ids: array(pointId), vectors }, { payloads: array(payload) }),
    shard_key: shardKey,
    ...conditions,
  },
);
export const deleteBody = object({}, selector);
export const updateVectorsBody = object(
  { points: pointVectors },
  { shard_key: shardKey, update_filter: conditions.update_filter },
);
export const deleteVectorsBody = object({ vector: array(string(), { minItems: 1 }) }, selector);
export const setPayloadBody = object({ payload: record(payload) }, { ...selector, key: string() });
export const deletePayloadBody = object({ keys: array(string()) }, selector);
export const clearPayloadBody = object({}, selector);

export async function upsert(writing: Writing, body: Of<typeof upsertBody>): Promise<WriteResult> {
  const { collection, batchMax, signal } = writing;
  if (Boolean(body.points) === Boolean(body.batch)) {
    throw new LeandexError('INVALID_ARGUMENT', 'a write has either points or batch');
  }
  const points = body.points ?? pointsOf(body.batch!);
  const list = points.map((point, i) => readPoint(point, i, writing));
  checkInteger('the number of points', list.length, 0, batchMax);
  const chosen = await chosenPoints(writing, lastOfEach(list), body);
  return collection.upsert(chosen, { signal });
}

type GivenPoint = Of<typeof points>[number];
type Fields = Pick<Served, 'unnamed' | 'multi'>;
type GivenColumns = NonNullable<Of<typeof upsertBody>['batch']>;

function readPoint({ id, vector, payload }: GivenPoint, i: number, fields: Fields): Point {
  const what = `points[${i}]`;
  return {
    id: readId(`${what}.id`, id),
    vector: readVectors(`${what}.vector`, vector, fields),
    payload,
  };
}

/** Points that come as lists: of ids, of vectors (or such a list by name), of payloads. */
function pointsOf({ ids, vectors, payloads }: GivenColumns): GivenPoint[] {
  const lists = Array.isArray(vectors) ? undefined : Object.entries(vectors as object);
  for (const [name, list] of lists ?? [['vectors', vectors] as const]) {
    requireLength(`batch.vectors of ${name}`, list, ids.length);
  }
  if (payloads) requireLength('batch.payloads', payloads, ids.length);
  return ids.map((id, i) => {
    const vector = lists
      ? Object.fromEntries(lists.map(([name, list]) => [name, list[i]]))
      : (vectors as unknown[])[i];
    return { id, vector, payload: payloads?.[i] };
  });
}

function requireLength(what: string, list: unknown, length: number): void {
  const received = Array.isArray(list) ? list.length : list;
  if (received !== length) throw outOfRange(what, `a list as long as ids, ${length}`, received);
}

/** In a batch with one id several times the last one stays, as if they were written in order. */
function lastOfEach<T extends { id: PointId }>(list: readonly T[]): readonly T[] {
  const last = new Map(list.map((point) => [keyOfId(point.id).toString('latin1'), point]));
  return last.size === list.length ? list : [...last.values()];
}

export function remove(writing: Writing, body: Of<typeof deleteBody>): Promise<WriteResult> {
  return writing.collection.delete(readTarget(body, writing), { signal: writing.signal });
}

export async function updateVectors(
  writing: Writing,
  body: Of<typeof updateVectorsBody>,
): Promise<WriteResult> {
  const { collection, batchMax, signal } = writing;
  checkInteger('the number of points', body.points.length, 0, batchMax);
  const list = body.points.map(({ id, vector }, i) => ({
    id: readId(`points[${i}].id`, id),
    vector: readGivenVectors(`points[${i}].vector`, vector, writing),
  }));
  const chosen = await chosenPoints(writing, mergedById(list), body);
  return collection.updateVectors(chosen, { signal });
}

function readGivenVectors(what: string, value: unknown, fields: Fields): Vectors {
  const vectors = readVectors(what, value, fields);
  if (isObject(vectors) && Object.keys(vectors).length === 0) {
    throw refused(422, `Validation error in JSON body: ${what} must have at least one vector`);
  }
  return vectors;
}

/** Of one point several times all that is named, the last of each name: as if in order. */
function mergedById(list: readonly { id: PointId; vector: Vectors }[]) {
  const merged = new Map<string, { id: PointId; vector: Vectors }>();
  for (const { id, vector } of list) {
    const key = keyOfId(id).toString('latin1');
    const before = merged.get(key);
    const isNamed = before !== undefined && isObject(before.vector) && isObject(vector);
    merged.set(key, { id, vector: isNamed ? { ...before.vector, ...vector } : vector });
  }
  return [...merged.values()];
}

export function deleteVectors(
  writing: Writing,
  { vector, ...body }: Of<typeof deleteVectorsBody>,
): Promise<WriteResult> {
  const names = vector.map((name) => knownName(name, writing));
  return writing.collection.deleteVectors(readTarget(body, writing), names, {
    signal: writing.signal,
  });
}

export function setPayload(
  writing: Writing,
  { payload, key, ...body }: Of<typeof setPayloadBody>,
): Promise<WriteResult> {
  return writing.collection.setPayload(readTarget(body, writing), payload as Payload, {
    signal: writing.signal,
    path: key ?? undefined,
  });
}

export function overwritePayload(
  writing: Writing,
  { payload, key, ...body }: Of<typeof setPayloadBody>,
): Promise<WriteResult> {
  if (key) throw unsupported('key', 'a whole payload is put in the place of another');
  return writing.collection.overwritePayload(readTarget(body, writing), payload as Payload, {
    signal: writing.signal,
  });
}

export function deletePayload(
  writing: Writing,
  { keys, ...body }: Of<typeof deletePayloadBody>,
): Promise<WriteResult> {
  return writing.collection.deletePayload(readTarget(body, writing), keys, {
    signal: writing.signal,
  });
}

export function clearPayload(
  writing: Writing,
  body: Of<typeof clearPayloadBody>,
): Promise<WriteResult> {
  return writing.collection.clearPayload(readTarget(body, writing), { signal: writing.signal });
}
