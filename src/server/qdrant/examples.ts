import { wrongType } from '../../base/errors.js';
import type { PointId } from '../../base/point-id.js';
import type { VectorInfo } from '../../db/info.js';
import type { MultiVector, Vector } from '../../db/types.js';
import type { Served } from '../catalog.js';
import { refused, unsupported } from '../errors.js';
import { readId } from './ids.js';
import { noPoint, vectorsById } from './lookups.js';
import { asRows, type GivenVector, readVector } from './vectors.js';

/** A point, or a vector, that a query is by. */
export type Example = { id: PointId } | { vector: Vector | MultiVector };

export function readExample(what: string, given: unknown): Example {
  const isId = ['number', 'bigint', 'string'].includes(typeof given);
  if (isId) return { id: readId(what, given) };
  const vector = readVector(what, given);
  if (Array.isArray(vector) || vector instanceof Float32Array) return { vector };
  throw unsupported(what, 'examples are ids or dense vectors');
}

export function readExamples(what: string, given: unknown): Example[] {
  if (given === undefined || given === null) return [];
  if (!Array.isArray(given)) throw wrongType(what, 'a list of ids and vectors', given);
  return given.map((one: unknown, i) => readExample(`${what}[${i}]`, one));
}

/** The vectors of examples in their order; several of one example lie row after row. */
export interface ExampleVectors {
  info: VectorInfo;
  vectors: Float32Array[];
  /** Of those that are points: they are no results. */
  ids: PointId[];
}

/** @throws 404 for an id that is not there, 400 for vectors of other dimensions and unknown names */
export async function vectorsOf(
  examples: readonly Example[],
  served: Served,
  name: string,
): Promise<ExampleVectors> {
  const ids = examples.flatMap((one) => ('id' in one ? [one.id] : []));
  const known = await vectorsById(served, ids, name);
  const info = (await served.collection.info()).vectors[name];
  if (info === undefined) throw unsupported('a query by examples', 'it needs a dense vector');
  const vectors = examples.map((example) => {
    const given = 'id' in example ? known.get(example.id) : example.vector;
    if (given !== undefined) return flat(given, info);
    throw noPoint((example as { id: PointId }).id);
  });
  return { info, vectors, ids };
}

function flat(given: GivenVector, { size, multivector }: VectorInfo): Float32Array {
  if (given instanceof Float32Array) {
    const isRight = multivector
      ? given.length % size === 0 && given.length > 0
      : given.length === size;
    if (isRight) return given;
    throw wrongDimension(size, given.length);
  }
  const isEmpty = Array.isArray(given) && given.length === 0;
  const rows = isEmpty ? [[]] : (asRows('an example', given) as readonly Vector[]);
  const isRight = rows.every(({ length }) => length === size);
  if (isRight && (multivector !== undefined || rows.length === 1)) {
    return Float32Array.from(rows.flatMap((row) => Array.from(row)));
  }
  throw wrongDimension(
    size,
    rows.reduce((sum, { length }) => sum + length, 0),
  );
}

function wrongDimension(size: number, received: number): Error {
  const problem = `expected dim: ${size}, got ${received}`;
  return refused(400, `Wrong input: Vector dimension error: ${problem}`);
}
