import type { PointId } from '../../base/point-id.js';
import type { QueryTarget } from '../../db/query-types.js';
import type { Group } from '../../db/types.js';
import type { Catalog, Served } from '../catalog.js';
import { refused } from '../errors.js';
import { either, type Of, object, string } from '../schema.js';
import { readId } from './ids.js';
import { onlyVector, readSelection, vectorOf, wireRecord } from './records.js';
import { shardKey, withPayload, withVector } from './schemas.js';
import { storedName, unknownVector } from './unnamed.js';
import type { GivenVector } from './vectors.js';

/** Where the vector of a point that is asked for is to be found. */
export const lookupFrom = object(
  { collection: string() },
  { vector: string(), shard_key: shardKey },
);

/** The collection whose points are named by the groups. */
export const withLookup = either(
  string(),
  object(
    { collection: string() },
    { with_payload: withPayload, with_vector: withVector, with_vectors: withVector },
  ),
);

/** The vector of a point of another collection, in place of its id. @throws 404 */
export async function lookUpTarget(
  catalog: Catalog,
  target: QueryTarget,
  from: Of<typeof lookupFrom>,
): Promise<QueryTarget> {
  const { served, name } = await lookUpIn(catalog, from);
  if (target.id === undefined) return target;
  const vector = (await vectorsById(served, [target.id], name)).get(target.id);
  if (vector === undefined) throw noPoint(target.id);
  return { vector };
}

/** The collection and the stored name of the vector that examples are of. @throws 404 */
export async function lookUpIn(
  catalog: Catalog,
  from: Of<typeof lookupFrom>,
): Promise<{ served: Served; name: string }> {
  const served = await findOther(catalog, from.collection);
  return { served, name: storedName(from.vector ?? '', served.unnamed) };
}

/**
 * The vectors of points by their ids; those that are not there, or have none, are left out.
 * @throws 404, 400 where there is no vector of this name: a point that is not there comes first
 */
export async function vectorsById<T extends GivenVector = GivenVector>(
  { collection, names }: Pick<Served, 'collection' | 'names'>,
  ids: readonly PointId[],
  name: string,
): Promise<Map<PointId, T>> {
  if (!names.has(name)) {
    const there = await collection.retrieve(ids, { withPayload: false });
    const absent = ids.find((id) => !there.some((record) => record.id === id));
    throw absent === undefined ? unknownVector(name) : noPoint(absent);
  }
  const found = await collection.retrieve(ids, onlyVector(name));
  return new Map(
    found.flatMap((record) => {
      const vector = vectorOf(record, name);
      return vector === undefined ? [] : [[record.id, vector as T] as const];
    }),
  );
}

export const noPoint = (id: PointId): Error =>
  refused(404, `Not found: No point with id ${id} found`);

/** Another collection than that of the request: it is told apart by the words. @throws 404 */
async function findOther(catalog: Catalog, name: string): Promise<Served> {
  if (await catalog.has(name)) return catalog.find(name);
  throw refused(404, `Not found: Collection ${name} not found`);
}

/** The points of another collection that have the groups' values as ids, by these. */
export async function lookUpGroups(
  catalog: Catalog,
  groups: readonly Group[],
  given: Of<typeof withLookup>,
): Promise<Map<Group, object>> {
  const { collection: name, ...selecting } = asObject(given);
  const other = await findOther(catalog, name);
  const ids = new Map(groups.map((group) => [group, idOf(group)]));
  const wanted = [...ids.values()].filter((id) => id !== undefined);
  const selection = readSelection(selecting, true, other);
  const found = await other.collection.retrieve(wanted, selection);
  const records = new Map(found.map((record) => [record.id, wireRecord(record)]));
  return new Map(
    groups.flatMap((group) => {
      const record = records.get(ids.get(group)!);
      return record === undefined ? [] : [[group, record] as const];
    }),
  );
}

function asObject(given: Of<typeof withLookup>) {
  if (typeof given !== 'string') return given;
  return { collection: given };
}

/** A group's value as an id; undefined where it is none. */
function idOf({ id }: Group): PointId | undefined {
  try {
    return readId('the id of a group', id);
  } catch {
    return undefined;
  }
}
