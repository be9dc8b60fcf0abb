import { checkInteger } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import type { Steps } from '../base/steps.js';
import { listSet } from './id-set.js';
import { IDS_MAX, type IdTable } from './id-table.js';

/** Ids that are checked between two yields. */
const IDS_PER_STEP = 4096;

/** Ids that were given for vectors to come, from the call of add() to its end. */
export interface GivenIds {
  /** One for each row, a copy. */
  readonly ids: Uint32Array;
  has(id: number): boolean;
  /** Those that were deleted before their vectors came. */
  readonly deleted: Set<number>;
}

/**
 * @throws TypeError, RangeError `INVALID_ARGUMENT` unless these are as many ids as rows, all
 * different.
 */
export function checkGivenIds(value: unknown, rows: number): GivenIds {
  if (!(value instanceof Uint32Array)) throw wrongType('ids', 'a Uint32Array', value);
  if (value.length !== rows) throw outOfRange('ids', `one for each of the ${rows} rows`, value);
  const sorted = value.slice().sort();
  const twice = sorted.find((id, i) => i > 0 && sorted[i - 1] === id);
  if (twice !== undefined) throw outOfRange('ids', 'different from each other', `${twice} twice`);
  if (rows > 0) checkInteger('an id in ids', sorted.at(-1), 0, IDS_MAX - 1);
  return { ids: value.slice(), has: listSet(sorted).has, deleted: new Set() };
}

/** @throws RangeError `INVALID_ARGUMENT` for an id that lives. */
export function* requireUnused(table: IdTable, { ids }: GivenIds): Steps<void> {
  for (const [i, id] of ids.entries()) {
    if (table.slotOf(id) >= 0) throw outOfRange('an id in ids', 'one that is not in use', id);
    if (i % IDS_PER_STEP === 0) yield;
  }
}

/**
 * Ids that were assigned, or given for vectors to come, each once.
 * @throws TypeError, RangeError `INVALID_ARGUMENT` for others.
 */
export function checkKnownIds(
  ids: Iterable<number>,
  { ids: table, given }: { ids: Pick<IdTable, 'nextId'>; given: Iterable<GivenIds> },
): Set<number> {
  if (typeof ids?.[Symbol.iterator] !== 'function' || typeof ids === 'string') {
    throw wrongType('ids', 'an array, typed array or Set of ids', ids);
  }
  const { nextId } = table;
  const wanted = new Set<number>();
  for (const id of ids) {
    const isToCome = [...given].some(({ has }) => has(id));
    wanted.add(isToCome ? id : checkInteger('id', id, 0, nextId - 1));
  }
  return wanted;
}
