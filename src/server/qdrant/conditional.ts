import { keyOfId, type PointId } from '../../base/point-id.js';
import type { Filter } from '../../db/types.js';
import { oneOf } from '../schema.js';
import { readFilter } from './filter.js';
import { filter } from './schemas.js';
import type { Writing } from './writes.js';

/** Which of the points of a write are written: those that are new, those that are there, those that match. */
export const conditions = {
  update_mode: oneOf(['upsert', 'insert_only', 'update_only'] as const),
  update_filter: filter,
} as const;

interface Conditions {
  update_mode?: 'upsert' | 'insert_only' | 'update_only' | null | undefined;
  update_filter?: unknown;
}

/** Whether a write looks at what is there before it writes. */
export function isConditional(body: object): boolean {
  const { update_mode, update_filter } = body as Conditions;
  return Boolean(update_filter) || (update_mode ?? 'upsert') !== 'upsert';
}

/** The points that are to be written. Nothing else writes meanwhile. */
export async function chosenPoints<T extends { id: PointId }>(
  writing: Pick<Writing, 'collection' | 'unnamed' | 'signal'>,
  points: readonly T[],
  given: Conditions,
): Promise<readonly T[]> {
  const condition = readFilter(given.update_filter, writing.unnamed);
  if (!isConditional(given) || points.length === 0) return points;
  const there = await keysThere(writing, points, undefined);
  const matching = condition ? await keysThere(writing, points, condition) : there;
  return points.filter(({ id }) => {
    const key = keyOf(id);
    if (!there.has(key)) return given.update_mode !== 'update_only';
    return given.update_mode !== 'insert_only' && matching.has(key);
  });
}

const keyOf = (id: PointId): string => keyOfId(id).toString('latin1');

/** Of these points those that are there and match. */
async function keysThere(
  { collection, signal }: Pick<Writing, 'collection' | 'signal'>,
  points: readonly { id: PointId }[],
  condition: Filter | undefined,
): Promise<Set<string>> {
  const among = { has_id: points.map(({ id }) => id) };
  const { points: found } = await collection.scroll({
    filter: { must: condition ? [among, condition] : [among] },
    withPayload: false,
    limit: points.length,
    signal,
  });
  return new Set(found.map(({ id }) => keyOf(id)));
}
