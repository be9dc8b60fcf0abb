import { checkOneOf, checkOptions } from '../base/check.js';
import { LeandexError, outOfRange, wrongType } from '../base/errors.js';
import { typeOf } from '../filter/field-schema.js';
import { parseInstant } from '../filter/instant.js';
import { NumberIndex } from '../filter/number-index.js';
import { parsePath, pathText } from '../filter/path.js';
import type { FoundRow } from './search-plan.js';
import type { CollectionState } from './state.js';

/** An order by a payload field, checked. */
export interface Ordering {
  /** As the indexes name it. */
  field: string;
  isDescending: boolean;
  /** In the units of the index; undefined: from the first value on. */
  startFrom: number | undefined;
}

/**
 * @throws TypeError, RangeError `INVALID_ARGUMENT`, also where the field has no index in the order of
 * its values.
 */
export function readOrderBy(value: unknown, state: CollectionState): Ordering {
  const given = typeof value === 'string' ? { field: value } : value;
  checkOptions('orderBy', given, ['field', 'direction', 'startFrom']);
  const { field, direction = 'asc', startFrom } = given as Record<string, unknown>;
  const name = pathText(parsePath('orderBy.field', field));
  checkOneOf('orderBy.direction', direction, ['asc', 'desc']);
  const ordering = { field: name, isDescending: direction === 'desc' };
  sortedRows(ordering, state);
  const isInstants = typeOf(state.indexes.schemas.get(name)!) === 'datetime';
  return { ...ordering, startFrom: readStart(startFrom, isInstants) };
}

function readStart(value: unknown, isInstants: boolean): number | undefined {
  if (value === undefined) return undefined;
  if (!isInstants) {
    if (Number.isFinite(value)) return value as number;
    throw outOfRange('orderBy.startFrom', 'a finite number', value);
  }
  if (typeof value !== 'string') {
    throw wrongType('orderBy.startFrom', 'an instant as RFC 3339 text', value);
  }
  const instant = parseInstant(value);
  if (instant === undefined) {
    throw outOfRange('orderBy.startFrom', 'an instant as RFC 3339 text', value);
  }
  return instant;
}

function sortedRows({ field }: Pick<Ordering, 'field'>, { indexes }: CollectionState) {
  const values = indexes.at(field)?.values;
  if (values instanceof NumberIndex) return values.sorted;
  throw new LeandexError(
    'INVALID_ARGUMENT',
    `orderBy needs a payload index of type integer, float or datetime on ${field}`,
    { details: { field } },
  );
}

/**
 * The first `wanted` rows by their values, each once with the first of its values; equal values in the
 * order of writing, or against it where it is descending. Rows without a value are left out.
 */
export function orderedRows(
  state: CollectionState,
  ordering: Ordering,
  wanted: number,
  isAllowed: (row: number) => boolean,
): FoundRow[] {
  const { isDescending, startFrom } = ordering;
  const sorted = sortedRows(ordering, state);
  const place = startFrom === undefined ? undefined : sorted.placeOf(startFrom, isDescending);
  const pieces = isDescending ? sorted.between(0, place).reverse() : sorted.between(place);
  const found = new Map<number, FoundRow>();
  for (const { values, rows } of pieces) {
    for (let i = 0; i < rows.length; i++) {
      const at = isDescending ? rows.length - 1 - i : i;
      const row = rows[at]!;
      if (found.has(row) || !isAllowed(row)) continue;
      found.set(row, { row, score: 0, orderValue: values[at]! });
      if (found.size === wanted) return [...found.values()];
    }
  }
  return [...found.values()];
}
