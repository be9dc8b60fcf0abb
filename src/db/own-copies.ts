/**
 * Copies of what callers give, taken at the call: they may use their arrays and objects again while
 * it is under way. Anything that has a wrong type stays as it is, for the checks to find.
 */

const OBJECTS = ['filter', 'fusion', 'orderBy', 'text', 'mmr'];

/** A query with vectors, filters and the like of its own, also in what it prefetches. */
export function ownQuery<T extends object>(query: T): T {
  if (typeof query !== 'object' || query === null) return query;
  const own = { ...query } as Record<string, unknown>;
  const { vector, prefetch } = own;
  if (vector !== undefined) own.vector = ownVector(vector);
  if (Array.isArray(prefetch)) own.prefetch = prefetch.map(ownQuery);
  for (const name of OBJECTS) if (own[name] !== undefined) own[name] = ownValue(own[name]);
  return own as T;
}

/** A point with vectors and a payload of its own. */
export function ownPoint<T>(point: T): T {
  if (typeof point !== 'object' || point === null) return point;
  const { vector, payload } = point as { vector?: unknown; payload?: unknown };
  return {
    ...point,
    ...(vector !== undefined && { vector: ownVectors(vector) }),
    ...(payload !== undefined && { payload: ownValue(payload) }),
  };
}

function ownVectors(vectors: unknown): unknown {
  if (typeof vectors !== 'object' || vectors === null) return vectors;
  if (Array.isArray(vectors) || ArrayBuffer.isView(vectors)) return ownVector(vectors);
  return Object.fromEntries(Object.entries(vectors).map(([name, one]) => [name, ownVector(one)]));
}

function ownVector(vector: unknown): unknown {
  if (vector instanceof Float32Array) return vector.slice();
  if (!Array.isArray(vector)) return ownValue(vector);
  // Several vectors as one; what lies deeper is none, and may lie very deep.
  return typeof vector[0] === 'object' ? vector.map(ownRow) : vector.slice();
}

function ownRow(row: unknown): unknown {
  return Array.isArray(row) || row instanceof Float32Array ? row.slice() : ownValue(row);
}

function ownValue(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return value; // A function, say.
  }
}
