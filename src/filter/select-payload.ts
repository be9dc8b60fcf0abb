import { EACH, isObject, type Path, type PathStep } from './path.js';
import type { Payload } from './types.js';

/** The parts of a payload at these paths, in the objects and arrays that they lie in. */
export function includePaths(payload: Payload, paths: readonly Path[]): Payload {
  return (include(payload, paths) ?? {}) as Payload;
}

function include(value: unknown, paths: readonly Path[]): unknown {
  if (paths.some((path) => path.length === 0)) return value;
  if (isObject(value)) {
    const kept = Object.entries(value).flatMap(([key, member]) => {
      const part = include(member, after(paths, key));
      return part === undefined ? [] : [[key, part] as const];
    });
    return kept.length === 0 ? undefined : Object.fromEntries(kept);
  }
  if (!Array.isArray(value)) return undefined;
  const kept = value.flatMap((element, i) => {
    const part = include(element, after(paths, i));
    return part === undefined ? [] : [part];
  });
  return kept.length === 0 ? undefined : kept;
}

/** A payload without the parts at these paths. */
export function excludePaths(payload: Payload, paths: readonly Path[]): Payload {
  return (exclude(payload, paths) ?? {}) as Payload;
}

function exclude(value: unknown, paths: readonly Path[]): unknown {
  if (paths.length === 0) return value;
  if (paths.some((path) => path.length === 0)) return undefined;
  if (isObject(value)) {
    const kept = Object.entries(value).flatMap(([key, member]) => {
      const part = exclude(member, after(paths, key));
      return part === undefined ? [] : [[key, part] as const];
    });
    return Object.fromEntries(kept);
  }
  if (!Array.isArray(value)) return value;
  return value.flatMap((element, i) => {
    const part = exclude(element, after(paths, i));
    return part === undefined ? [] : [part];
  });
}

/** What is left of the paths that go through this key or element. */
function after(paths: readonly Path[], step: Exclude<PathStep, null>): Path[] {
  const goesThrough = ([first]: Path) =>
    first === step || (first === EACH && typeof step === 'number');
  return paths.filter((path) => path.length > 0 && goesThrough(path)).map((path) => path.slice(1));
}
