import type { PointId } from '../base/point-id.js';
import type {
  FieldTest,
  ParsedCondition,
  ParsedFilter,
  TextTest,
  ValueTest,
} from './conditions.js';
import { isInside, placeOf } from './geo.js';
import { parseInstant } from './instant.js';
import { isWithin } from './interval.js';
import { foundAt, isObject } from './path.js';
import { isInSlice } from './slice.js';
import { isHit, type Tokenizer, wordsOf } from './tokens.js';
import type { Payload } from './types.js';

/** What a filter is matched against. */
export interface FilteredPoint {
  id: PointId;
  payload: Payload | null;
  hasVector(name: string): boolean;
}

/** What filters mean, point by point; indexes only find the same faster. */
export function matches(filter: ParsedFilter, point: FilteredPoint): boolean {
  const { must, should, mustNot, minShould } = filter;
  const holds = (condition: ParsedCondition) => isMet(condition, point);
  return (
    must.every(holds) &&
    !mustNot.some(holds) &&
    (should.length === 0 || should.some(holds)) &&
    (minShould === undefined || minShould.conditions.filter(holds).length >= minShould.minCount)
  );
}

function isMet(condition: ParsedCondition, point: FilteredPoint): boolean {
  switch (condition.kind) {
    case 'filter':
      return matches(condition.filter, point);
    case 'has_id':
      return condition.ids.has(point.id);
    case 'slice':
      return isInSlice(point.id, condition.slice);
    case 'has_vector':
      return point.hasVector(condition.name);
    case 'nested':
      return foundAt(point.payload, condition.path).some(
        (element) => isObject(element) && matches(condition.filter, { ...point, payload: element }),
      );
    case 'field':
      return passes(condition.test, foundAt(point.payload, condition.path));
  }
}

/** @param found the values at the path as they stand. */
function passes(test: FieldTest, found: readonly unknown[]): boolean {
  switch (test.kind) {
    case 'is_empty':
      return found.every(isEmpty);
    case 'is_null':
      return found.flat(1).includes(null);
    case 'values_count':
      if (found.length === 0) return isWithin(test.interval, 0);
      return found.some((value) => isWithin(test.interval, countOf(value)));
    default:
      return found.flat(1).some((value) => passesValue(test, value));
  }
}

/** Whether a value counts as none: null or an array without elements. */
export function isEmpty(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function countOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return value === null ? 0 : 1;
}

/** Whether one value passes a test; of an array it is asked for each element. */
export function passesValue(test: ValueTest, value: unknown): boolean {
  switch (test.kind) {
    case 'any':
      return test.values.has(value as string);
    case 'except':
      return value !== null && !test.values.has(value as string);
    case 'prefix':
      return typeof value === 'string' && value.startsWith(test.prefix);
    case 'range':
      return typeof value === 'number' && isWithin(test.interval, value);
    case 'datetime': {
      const instant = typeof value === 'string' ? parseInstant(value) : undefined;
      return instant !== undefined && isWithin(test.interval, instant);
    }
    case 'geo': {
      const place = placeOf(value);
      return place !== undefined && isInside(test.area, place.lon, place.lat);
    }
    default:
      return typeof value === 'string' && passesText(test, value);
  }
}

function passesText(test: TextTest, text: string): boolean {
  if (test.kind === 'substring') return test.texts.some((part) => text.includes(part));
  const { mode, tokens, tokenizer } = test;
  if (tokens.length === 0) return false;
  const words = wordsOf(text, tokenizer);
  if (mode === 'phrase') return hasPhrase(words, tokens, tokenizer);
  const isThere = (token: string) => words.some((word) => isHit(word, token, tokenizer));
  return mode === 'all' ? tokens.every(isThere) : tokens.some(isThere);
}

function hasPhrase(
  words: readonly string[],
  tokens: readonly string[],
  tokenizer: Tokenizer,
): boolean {
  return words.some((_, start) =>
    tokens.every((token, i) => {
      const word = words[start + i];
      return word !== undefined && isHit(word, token, tokenizer);
    }),
  );
}
