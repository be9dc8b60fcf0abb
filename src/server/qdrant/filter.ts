import { outOfRange } from '../../base/errors.js';
import type { Filter } from '../../db/types.js';
import { refused } from '../errors.js';
import { readIds } from './ids.js';
import { isObject, type Members } from './members.js';
import { storedName } from './unnamed.js';

/** As deep as the filter language itself allows; what is deeper is not looked into here. */
const DEPTH_MAX = 32;

interface Context {
  depth: number;
  /** The stored name of the vector without one. */
  unnamed: string;
}

/** A filter with ids and names of vectors as the store has them; all else is checked where it is evaluated. */
export function readFilter(value: unknown, unnamed: string): Filter | undefined {
  return (value ?? undefined) && (readClauses('filter', value, { depth: 0, unnamed }) as Filter);
}

function readClauses(what: string, value: unknown, { depth, unnamed }: Context): unknown {
  if (!isObject(value)) return value;
  if (depth > DEPTH_MAX) throw outOfRange(what, `at most ${DEPTH_MAX} levels deep`, value);
  const read: Members = { ...value };
  const context = { depth: depth + 1, unnamed };
  for (const name of ['must', 'should', 'must_not']) {
    if (name in value) read[name] = readConditions(`${what}.${name}`, value[name], context);
  }
  if (isObject(value.min_should)) {
    const { conditions } = value.min_should;
    const place = `${what}.min_should.conditions`;
    read.min_should = {
      ...value.min_should,
      conditions: readConditions(place, conditions, context),
    };
  }
  return read;
}

function readConditions(what: string, value: unknown, context: Context): unknown {
  if (!Array.isArray(value)) return readCondition(what, value, context);
  return value.map((condition, i) => readCondition(`${what}[${i}]`, condition, context));
}

function readCondition(what: string, value: unknown, context: Context): unknown {
  if (!isObject(value)) return value;
  if (Array.isArray(value.has_id)) {
    return { ...value, has_id: readIds(`${what}.has_id`, value.has_id) };
  }
  if (typeof value.has_vector === 'string') {
    return { ...value, has_vector: storedName(value.has_vector, context.unnamed) };
  }
  if (isObject(value.slice)) checkSlice(what, value.slice);
  if (isObject(value.nested)) {
    const filter = readClauses(`${what}.nested.filter`, value.nested.filter, context);
    return { ...value, nested: { ...value.nested, filter } };
  }
  if (!('key' in value)) return readClauses(what, value, context);
  const isBare = Object.entries(value).every(([name, member]) => name === 'key' || member === null);
  if (!isBare) return value;
  throw refused(
    422,
    `Validation error in JSON body: ${what}: At least one field condition must be specified`,
  );
}

/** Numbers of the right type that do not fit are another error than others, as for Qdrant. */
function checkSlice(what: string, { total, index }: Members): void {
  if (typeof total !== 'number' || typeof index !== 'number' || total < 1 || index < total) return;
  const rule = 'Slice index must be less than the total number of slices';
  throw refused(422, `Validation error in JSON body: ${what}.slice: ${rule}`);
}
