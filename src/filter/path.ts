import { outOfRange, wrongType } from '../base/errors.js';
import type { Payload } from './types.js';

/** The step of a path into every element of an array, written `[]`. */
export const EACH = null;

/** A key of an object, an index into an array, or EACH. The first step is a key. */
export type PathStep = string | number | typeof EACH;

/** Where values are in a payload. */
export type Path = readonly PathStep[];

const CHARACTERS_MAX = 1024;
const BARE_KEY = /[\p{Alphabetic}\p{N}_-]+/uy;
const QUOTED_KEY = /"([^"\\]*)"/y;
const ELEMENT = /\[(\d{0,9})\]/y;

/**
 * Reads `a.b`, `a[].b`, `a[0]`, `a."b c"`: keys with other characters than letters, digits, `_`
 * and `-` stand in quotes.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`
 */
export function parsePath(what: string, text: unknown): Path {
  if (typeof text !== 'string') throw wrongType(what, 'a path, as a string', text);
  const path: PathStep[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at += found[0].length;
    return found;
  };
  const takeKey = (): void => {
    const found = take(BARE_KEY) ?? take(QUOTED_KEY);
    if (found === null) throw notAPath(what, text);
    path.push(found[1] ?? found[0]);
  };
  if (text.length > CHARACTERS_MAX) throw notAPath(what, text);
  takeKey();
  while (at < text.length) {
    const element = take(ELEMENT);
    if (element !== null) {
      path.push(element[1] === '' ? EACH : Number(element[1]));
    } else {
      if (text[at] !== '.') throw notAPath(what, text);
      at++;
      takeKey();
    }
  }
  return path;
}

function notAPath(what: string, text: string): Error {
  const expected = 'a path of up to 1024 characters like a.b, a[].b, a[0] or a."b c"';
  return outOfRange(what, expected, text);
}

/** The path as text, the same for all ways of writing it. */
export function pathText(path: Path): string {
  return path.map((step, i) => (i === 0 ? keyText(step) : stepText(step))).join('');
}

function stepText(step: PathStep): string {
  if (typeof step === 'string') return `.${keyText(step)}`;
  return step === EACH ? '[]' : `[${step}]`;
}

function keyText(key: PathStep): string {
  BARE_KEY.lastIndex = 0;
  const bare = BARE_KEY.exec(String(key));
  return bare?.[0] === key ? key : `"${key}"`;
}

/** Whether a value is an object of JSON, no array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The values at a path as they stand, arrays as arrays. Names of Object's prototype are no keys. */
export function foundAt(payload: Payload | null, path: Path): unknown[] {
  const found: unknown[] = [];
  if (payload !== null) collect(payload, path, 0, found);
  return found;
}

function collect(value: unknown, path: Path, at: number, found: unknown[]): void {
  if (at === path.length) {
    found.push(value);
    return;
  }
  const step = path[at]!;
  if (typeof step === 'string') {
    if (isObject(value) && Object.hasOwn(value, step)) collect(value[step], path, at + 1, found);
  } else if (Array.isArray(value)) {
    if (step === EACH) for (const element of value) collect(element, path, at + 1, found);
    else if (step < value.length) collect(value[step], path, at + 1, found);
  }
}

/** The values at a path as conditions see them: of an array there, its elements. */
export function valuesAt(payload: Payload | null, path: Path): unknown[] {
  return foundAt(payload, path).flat(1);
}
