import { outOfRange, wrongType } from '../base/errors.js';
import { isObject } from './path.js';

const DEPTH_MAX = 64;
/** Bounds the time that a payload may take, also one that holds the same object many times. */
const VALUES_MAX = 1_000_000;

/**
 * The JSON text of a payload; null for none.
 * @throws TypeError, RangeError `INVALID_ARGUMENT` naming the value, for anything that JSON would
 * leave out or change: undefined members, NaN, dates, bigints, functions, classes, cycles.
 */
export function checkPayload(what: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw wrongType(what, 'an object', value);
  checkValue(what, value, 0, { values: 0 });
  return JSON.stringify(value);
}

function checkValue(what: string, value: unknown, depth: number, count: { values: number }): void {
  if (++count.values > VALUES_MAX) {
    throw outOfRange(what, `within a payload of at most ${VALUES_MAX} values`, value);
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw outOfRange(what, 'a finite number', value);
    return;
  }
  if (value instanceof Date) throw wrongType(what, 'JSON: use date.toISOString()', value);
  if (typeof value !== 'object') throw wrongType(what, 'a JSON value', value);
  if (depth === DEPTH_MAX) {
    throw outOfRange(what, `at most ${DEPTH_MAX} levels deep (is it a cycle?)`, value);
  }
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      checkValue(`${what}[${i}]`, value[i], depth + 1, count);
    }
    return;
  }
  if (!isPlain(value)) throw wrongType(what, 'a plain object', value);
  for (const [key, member] of Object.entries(value)) {
    checkValue(`${what}.${key}`, member, depth + 1, count);
  }
}

/** Whether an object is of no class, whichever realm it is from. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
