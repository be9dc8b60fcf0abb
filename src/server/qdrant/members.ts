import { outOfRange, wrongType } from '../../base/errors.js';

/** An object of a request that no schema has checked. */
export type Members = Record<string, unknown>;

/** The members that are not null. @throws unless it is an object of these */
export function membersOf(what: string, given: unknown, known: readonly string[]): Members {
  if (!isObject(given)) throw wrongType(what, 'an object', given);
  const members = Object.entries(given).filter(([, value]) => isGiven(value));
  const other = members.find(([name]) => !known.includes(name));
  if (other !== undefined) throw outOfRange(`a member of ${what}`, known.join(', '), other[0]);
  return Object.fromEntries(members);
}

export function onlyMember(what: string, given: Members, name: string): unknown {
  return membersOf(what, given, [name])[name];
}

export const isGiven = (value: unknown) => value !== undefined && value !== null;

export function isObject(value: unknown): value is Members {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !ArrayBuffer.isView(value)
  );
}
