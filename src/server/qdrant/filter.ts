import { outOfRange } from '../../base/errors.js';
import type { Filter } from '../../db/types.js';
import { readIds } from './ids.js';

/** As deep as the filter language itself allows; what is deeper is not looked into here. */
const DEPTH_MAX = 32;

type Members = Record<string, unknown>;

/** A filter with the ids in it as the store spells them; all else is checked where it is evaluated. */
export function readFilter(value: unknown): Filter | undefined {
  return (value ?? undefined) && (readClauses('filter', value, 0) as Filter);
}

function readClauses(what: string, value: unknown, depth: number): unknown {
  if (!isObject(value)) return value;
  if (depth > DEPTH_MAX) throw outOfRange(what, `at most ${DEPTH_MAX} levels deep`, value);
  const read: Members = { ...value };
  for (const name of ['must', 'should', 'must_not']) {
    if (name in value) read[name] = readConditions(`${what}.${name}`, value[name], depth);
  }
  if (isObject(value.min_should)) {
    const { conditions } = value.min_should;
    const place = `${what}.min_should.conditions`;
    read.min_should = {
      ...value.min_should,
      conditions: readConditions(place, conditions, depth),
    };
  }
  return read;
}

function readConditions(what: string, value: unknown, depth: number): unknown {
  if (!Array.isArray(value)) return readCondition(what, value, depth);
  return value.map((condition, i) => readCondition(`${what}[${i}]`, condition, depth));
}

function readCondition(what: string, value: unknown, depth: number): unknown {
  if (!isObject(value)) return value;
  if (Array.isArray(value.has_id)) {
    return { ...value, has_id: readIds(`${what}.has_id`, value.has_id) };
  }
  if (isObject(value.nested)) {
    const filter = readClauses(`${what}.nested.filter`, value.nested.filter, depth + 1);
    return { ...value, nested: { ...value.nested, filter } };
  }
  return 'key' in value ? value : readClauses(what, value, depth + 1);
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
