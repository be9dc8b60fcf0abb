import { checkOneOf, checkOptions } from '../base/check.js';
import { LeandexError, outOfRange, wrongType } from '../base/errors.js';
import { type Path, parsePath } from '../filter/path.js';
import { excludePaths, includePaths } from '../filter/select-payload.js';
import type { Payload } from '../filter/types.js';
import type { StoredPoint } from '../store/types.js';
import type { FieldConfig } from './config.js';
import { asSparse } from './sparse-vectors.js';
import { parsePayload } from './state.js';
import type {
  PayloadSelection,
  Selection,
  StoredRecord,
  StoredSparseVector,
  StoredVector,
} from './types.js';

/** What to return of each point, checked. */
export interface Selected {
  payload: ((payload: Payload | null) => Payload | null) | undefined;
  /** Numbers of the fields whose vectors are wanted. */
  fields: readonly number[];
}

/**
 * @throws TypeError, RangeError `INVALID_ARGUMENT` for wrong selections; LeandexError `UNSUPPORTED`
 * for vectors of which no originals are kept.
 */
export function readSelection(
  { withPayload = true, withVector = false }: Selection,
  fields: readonly FieldConfig[],
): Selected {
  return { payload: readPayload(withPayload), fields: readFields(withVector, fields) };
}

function readPayload(selection: PayloadSelection | null): Selected['payload'] {
  if (selection === null || selection === false) return undefined;
  if (selection === true) return (payload) => payload;
  if (Array.isArray(selection)) return including(readPaths('withPayload', selection));
  if (typeof selection !== 'object') {
    throw wrongType('withPayload', 'a boolean, paths, { include } or { exclude }', selection);
  }
  checkOptions('withPayload', selection, ['include', 'exclude']);
  const { include, exclude } = selection as { include?: unknown; exclude?: unknown };
  if (include !== undefined && exclude !== undefined) {
    throw outOfRange('withPayload', 'either include or exclude', 'both');
  }
  if (include !== undefined) return including(readPaths('withPayload.include', include));
  const paths = readPaths('withPayload.exclude', exclude);
  return (payload) => payload && excludePaths(payload, paths);
}

function including(paths: readonly Path[]): Selected['payload'] {
  return (payload) => payload && includePaths(payload, paths);
}

function readPaths(what: string, value: unknown): Path[] {
  if (!Array.isArray(value)) throw wrongType(what, 'an array of payload paths', value);
  return value.map((path, i) => parsePath(`${what}[${i}]`, path));
}

function readFields(
  selection: Selection['withVector'] | null,
  fields: readonly FieldConfig[],
): number[] {
  if (selection === false || selection === null) return [];
  if (typeof selection !== 'boolean' && !Array.isArray(selection)) {
    throw wrongType('withVector', 'a boolean or an array of names of vectors', selection);
  }
  const names = fields.map(({ name }) => name);
  const wanted = typeof selection === 'boolean' ? names : (selection as readonly string[]);
  return wanted.map((name) => {
    const field = names.indexOf(checkOneOf('a name in withVector', name, names));
    requireOriginals(fields[field]!, 'vectors cannot be returned');
    return field;
  });
}

/** @throws LeandexError `UNSUPPORTED` where only codes of the vectors are kept. */
export function requireOriginals({ name, originals }: FieldConfig, problem: string): void {
  if (originals !== 'none') return;
  const which = name === '' ? 'this collection' : `the vector ${name}`;
  throw new LeandexError('UNSUPPORTED', `${problem}: ${which} keeps no originals`);
}

/** A stored point as callers get it, with what was selected. */
export function toRecord(
  point: StoredPoint,
  { payload, fields }: Selected,
  configs: readonly FieldConfig[],
): StoredRecord {
  const record: StoredRecord = { id: point.id };
  if (payload !== undefined) record.payload = payload(parsePayload(point.payload ?? null));
  if (fields.length === 0) return record;
  if (configs[0]!.name === '') {
    const [vector] = point.vectors;
    if (vector !== undefined) record.vector = asGiven(vector, configs[0]!);
    return record;
  }
  const vectors: Record<string, StoredVector | StoredSparseVector> = {};
  fields.forEach((field) => {
    const vector = point.vectors[field];
    const config = configs[field]!;
    if (vector === undefined) return;
    vectors[config.name] = config.sparse ? asSparse(vector) : asGiven(vector, config);
  });
  record.vector = vectors;
  return record;
}

/** What is stored of a field: the vector, or each of several. */
function asGiven(vector: Float32Array, { size, multivector }: FieldConfig): StoredVector {
  if (multivector === undefined) return vector;
  return Array.from({ length: vector.length / size }, (_, i) =>
    vector.slice(i * size, (i + 1) * size),
  );
}
