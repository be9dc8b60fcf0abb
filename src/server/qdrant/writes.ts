import { checkInteger } from '../../base/check.js';
import { LeandexError, outOfRange } from '../../base/errors.js';
import { keyOfId, type PointId } from '../../base/point-id.js';
import type { Collection } from '../../db/collection.js';
import type { Payload, Point, WriteResult } from '../../db/types.js';
import { unsupported } from '../errors.js';
import { array, type Of, object, oneOf, record, string } from '../schema.js';
import { readId } from './ids.js';
import { readTarget } from './records.js';
import { payload, pointId, selector, shardKey, vectors } from './schemas.js';
import { refuseUnsupported, unsupportedFields } from './unsupported.js';
import { readVectors } from './vectors.js';

/** How a write is done, beside what it says. */
export interface Writing {
  collection: Collection;
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
    update_mode: oneOf(['upsert', 'insert_only', 'update_only'] as const),
    ...unsupportedFields('upsert'),
  },
);
export const deleteBody = object({}, selector);
export const updateVectorsBody = object(
  { points: pointVectors },
  { shard_key: shardKey, ...unsupportedFields('upsert') },
);
export const deleteVectorsBody = object({ vector: array(string(), { minItems: 1 }) }, selector);
export const setPayloadBody = object({ payload: record(payload) }, { ...selector, key: string() });
export const deletePayloadBody = object({ keys: array(string()) }, selector);
export const clearPayloadBody = object({}, selector);

export function upsert(
  { collection, batchMax, signal }: Writing,
  body: Of<typeof upsertBody>,
): Promise<WriteResult> {
  refuseUnsupported('upsert', body);
  if (body.update_mode && body.update_mode !== 'upsert') {
    throw unsupported('update_mode', 'only upsert is supported yet');
  }
  if (Boolean(body.points) === Boolean(body.batch)) {
    throw new LeandexError('INVALID_ARGUMENT', 'a write has either points or batch');
  }
  const list = body.points ? body.points.map(readPoint) : readColumns(body.batch!);
  checkInteger('the number of points', list.length, 0, batchMax);
  return collection.upsert(lastOfEach(list), { signal });
}

type GivenPoint = Of<typeof points>[number];
type GivenColumns = NonNullable<Of<typeof upsertBody>['batch']>;

function readPoint({ id, vector, payload }: GivenPoint, i: number): Point {
  const what = `points[${i}]`;
  return {
    id: readId(`${what}.id`, id),
    vector: readVectors(`${what}.vector`, vector),
    payload,
  };
}

/** Points that come as lists: of ids, of vectors (or such a list by name), of payloads. */
function readColumns({ ids, vectors, payloads }: GivenColumns): Point[] {
  const lists = Array.isArray(vectors) ? undefined : Object.entries(vectors as object);
  for (const [name, list] of lists ?? [['vectors', vectors] as const]) {
    requireLength(`batch.vectors of ${name}`, list, ids.length);
  }
  if (payloads) requireLength('batch.payloads', payloads, ids.length);
  return ids.map((id, i) => {
    const vector = lists
      ? Object.fromEntries(lists.map(([name, list]) => [name, list[i]]))
      : (vectors as unknown[])[i];
    return readPoint({ id, vector, payload: payloads?.[i] }, i);
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

export function remove(
  { collection, batchMax, signal }: Writing,
  body: Of<typeof deleteBody>,
): Promise<WriteResult> {
  return collection.delete(readTarget(body, batchMax), { signal });
}

export function updateVectors(
  { collection, batchMax, signal }: Writing,
  body: Of<typeof updateVectorsBody>,
): Promise<WriteResult> {
  refuseUnsupported('upsert', body);
  checkInteger('the number of points', body.points.length, 0, batchMax);
  const list = body.points.map(({ id, vector }, i) => ({
    id: readId(`points[${i}].id`, id),
    vector: readVectors(`points[${i}].vector`, vector),
  }));
  return collection.updateVectors(lastOfEach(list), { signal });
}

export function deleteVectors(
  { collection, batchMax, signal }: Writing,
  { vector, ...body }: Of<typeof deleteVectorsBody>,
): Promise<WriteResult> {
  return collection.deleteVectors(readTarget(body, batchMax), vector, { signal });
}

export function setPayload(
  { collection, batchMax, signal }: Writing,
  { payload, key, ...body }: Of<typeof setPayloadBody>,
): Promise<WriteResult> {
  return collection.setPayload(readTarget(body, batchMax), payload as Payload, {
    signal,
    path: key ?? undefined,
  });
}

export function overwritePayload(
  { collection, batchMax, signal }: Writing,
  { payload, key, ...body }: Of<typeof setPayloadBody>,
): Promise<WriteResult> {
  if (key) throw unsupported('key', 'a whole payload is put in the place of another');
  return collection.overwritePayload(readTarget(body, batchMax), payload as Payload, { signal });
}

export function deletePayload(
  { collection, batchMax, signal }: Writing,
  { keys, ...body }: Of<typeof deletePayloadBody>,
): Promise<WriteResult> {
  return collection.deletePayload(readTarget(body, batchMax), keys, { signal });
}

export function clearPayload(
  { collection, batchMax, signal }: Writing,
  body: Of<typeof clearPayloadBody>,
): Promise<WriteResult> {
  return collection.clearPayload(readTarget(body, batchMax), { signal });
}
