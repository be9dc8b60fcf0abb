import { checkOneOf, checkOptions } from '../base/check.js';
import { wrongType } from '../base/errors.js';
import { EACH, isObject, type Path, parsePath } from './path.js';
import { checkPayload } from './payload.js';
import type { Payload } from './types.js';

export type PayloadChange =
  /** Sets keys at the top level, or in the object at `path`; a key set to null is deleted. */
  | { kind: 'set'; payload: Payload; path?: string }
  | { kind: 'overwrite'; payload: Payload }
  | { kind: 'delete'; paths: string[] }
  | { kind: 'clear' };

const KINDS = ['set', 'overwrite', 'delete', 'clear'] as const;
const MEMBERS = {
  set: ['kind', 'payload', 'path'],
  overwrite: ['kind', 'payload'],
  delete: ['kind', 'paths'],
  clear: ['kind'],
} as const;

/**
 * The change with a copy of its payload.
 * @throws TypeError, RangeError `INVALID_ARGUMENT`
 */
export function checkChange(change: unknown): PayloadChange {
  if (!isObject(change)) throw wrongType('the change of a payload', 'an object', change);
  const kind = checkOneOf('the kind of change', change.kind as (typeof KINDS)[number], KINDS);
  checkOptions('the change of a payload', change, MEMBERS[kind]);
  if (kind === 'clear') return { kind };
  if (kind === 'delete') return { kind, paths: checkPaths(change.paths) };
  const text = checkPayload('payload', change.payload);
  if (text === null) throw wrongType('payload', 'an object', change.payload);
  const payload: Payload = JSON.parse(text);
  if (change.path === undefined || change.path === null) return { kind, payload };
  parsePath('path', change.path);
  return { kind: 'set', payload, path: change.path as string };
}

function checkPaths(paths: unknown): string[] {
  if (!Array.isArray(paths)) throw wrongType('paths', 'a list of paths', paths);
  for (const [i, path] of paths.entries()) parsePath(`paths[${i}]`, path);
  return [...paths];
}

/** The payload after the change; the one given stays as it is, but may share parts with it. */
export function changePayload(payload: Payload | null, change: PayloadChange): Payload | null {
  switch (change.kind) {
    case 'clear':
      return null;
    case 'overwrite':
      return change.payload;
    case 'delete': {
      if (payload === null) return null;
      const remove = (rest: unknown, path: string) => removeAt(rest, parsePath('path', path));
      return change.paths.reduce(remove, payload) as Payload;
    }
    case 'set': {
      const path = change.path === undefined ? [] : parsePath('path', change.path);
      return setAt(payload ?? {}, path, change.payload) as Payload;
    }
  }
}

/**
 * Merges into the objects at the path. On the way there objects take the place of anything else,
 * and so do arrays; elements are never added to an array.
 */
function setAt(value: unknown, path: Path, source: Payload): unknown {
  if (path.length === 0) return merge(isObject(value) ? value : {}, source);
  const [step, ...rest] = path as [Path[number], ...Path];
  if (typeof step === 'string') {
    const object = isObject(value) ? value : {};
    const member = Object.hasOwn(object, step) ? object[step] : undefined;
    return { ...object, [step]: setAt(member, rest, source) };
  }
  if (!Array.isArray(value)) return [];
  return value.map((element, i) => (hits(step, i) ? setAt(element, rest, source) : element));
}

function merge(object: Payload, source: Payload): Payload {
  const merged = Object.entries({ ...object, ...source }).filter(
    ([key, value]) => value !== null || !Object.hasOwn(source, key),
  );
  return Object.fromEntries(merged);
}

/** Without the members at the path. `a[]` empties the array; single elements are not deleted. */
function removeAt(value: unknown, path: Path): unknown {
  const [step, ...rest] = path as [Path[number], ...Path];
  if (typeof step === 'string') {
    if (!isObject(value) || !Object.hasOwn(value, step)) return value;
    if (rest.length > 0) return { ...value, [step]: removeAt(value[step], rest) };
    return Object.fromEntries(Object.entries(value).filter(([key]) => key !== step));
  }
  if (!Array.isArray(value)) return value;
  if (rest.length > 0) {
    return value.map((element, i) => (hits(step, i) ? removeAt(element, rest) : element));
  }
  return step === EACH ? [] : value;
}

function hits(step: number | typeof EACH, index: number): boolean {
  return step === EACH || step === index;
}
