import { outOfRange, wrongType } from '../base/errors.js';
import type { FieldTest, Scalar, TextTest } from './conditions.js';
import { type FieldSchema, tokenizerOf } from './field-schema.js';
import { parseInstant } from './instant.js';
import { interval } from './interval.js';
import { parseArea } from './parse-geo.js';
import { isObject } from './path.js';
import { tokensOf } from './tokens.js';

const FIELD_TESTS = [
  'match',
  'range',
  'geo_bounding_box',
  'geo_radius',
  'geo_polygon',
  'values_count',
  'is_empty',
  'is_null',
] as const;

const BOUNDS = ['gt', 'gte', 'lt', 'lte'] as const;
const MATCHES = ['value', 'any', 'except', 'text', 'text_any', 'phrase', 'prefix'] as const;
const LIST_MAX = 65_536;
const TEXT_MAX = 65_536;

export type FieldTestName = (typeof FIELD_TESTS)[number];

/** Whether a member of this name makes a condition of a key. */
export function isFieldTest(name: string): name is FieldTestName {
  return (FIELD_TESTS as readonly string[]).includes(name);
}

/** A condition of a key; `isNot`: it holds where the test does not. */
export function parseFieldTest(
  what: string,
  name: FieldTestName,
  value: unknown,
  schema: FieldSchema | undefined,
): { test: FieldTest; isNot: boolean } {
  switch (name) {
    case 'match':
      return { test: parseMatch(what, value, schema), isNot: false };
    case 'range':
      return { test: parseRange(what, value), isNot: false };
    case 'values_count':
      return {
        test: { kind: 'values_count', interval: interval(parseBounds(what, value, checkCount)) },
        isNot: false,
      };
    case 'is_empty':
    case 'is_null':
      if (typeof value !== 'boolean') throw wrongType(what, 'a boolean', value);
      return { test: { kind: name }, isNot: !value };
    default:
      return { test: { kind: 'geo', area: parseArea(what, name, value) }, isNot: false };
  }
}

/** The one member that is not null. */
function onlyMember<T extends string>(
  what: string,
  value: unknown,
  known: readonly T[],
): [T, unknown] {
  if (!isObject(value)) throw wrongType(what, 'an object', value);
  const members = Object.entries(value).filter(([, member]) => member !== null);
  const [first] = members;
  if (first === undefined || members.length > 1 || !known.includes(first[0] as T)) {
    const names = members.map(([name]) => name).join(', ');
    throw outOfRange(what, `an object with one of ${known.join(', ')}`, names);
  }
  return first as [T, unknown];
}

function parseMatch(what: string, value: unknown, schema: FieldSchema | undefined): FieldTest {
  const [name, asked] = onlyMember(what, value, MATCHES);
  const where = `${what}.${name}`;
  switch (name) {
    case 'value':
      return { kind: 'any', values: setOf([asked], () => where) };
    case 'any':
    case 'except': {
      if (!Array.isArray(asked)) throw wrongType(where, 'a list', asked);
      if (asked.length > LIST_MAX) throw outOfRange(where, `at most ${LIST_MAX} values`, asked);
      return { kind: name, values: setOf(asked, (i) => `${where}[${i}]`) };
    }
    case 'prefix':
      return { kind: 'prefix', prefix: checkText(where, asked) };
    default:
      return textTest(name, checkText(where, asked), schema);
  }
}

function setOf(list: unknown[], place: (i: number) => string): Set<Scalar> {
  const values = new Set<Scalar>();
  for (let i = 0; i < list.length; i++) {
    const scalar = parseScalar(place(i), list[i]);
    if (scalar !== undefined) values.add(scalar);
  }
  return values;
}

const INT64_MAX = 2n ** 63n - 1n;

/**
 * Strings, booleans and integers of 64 bits. Undefined for an integer that no number of JavaScript
 * equals, so none in a payload: comparing it rounded would find wrong points.
 */
function parseScalar(what: string, value: unknown): Scalar | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 2 ** 63) {
    return value;
  }
  if (typeof value === 'bigint' && value >= -INT64_MAX - 1n && value <= INT64_MAX) {
    return BigInt(Number(value)) === value ? Number(value) : undefined;
  }
  const expected = 'a string, a boolean or an integer of 64 bits (for other numbers use range)';
  if (typeof value === 'number' || typeof value === 'bigint') {
    throw outOfRange(what, expected, value);
  }
  throw wrongType(what, expected, value);
}

function checkText(what: string, value: unknown): string {
  if (typeof value !== 'string') throw wrongType(what, 'a string', value);
  if (value.length > TEXT_MAX) throw outOfRange(what, `at most ${TEXT_MAX} characters`, value);
  return value;
}

function textTest(
  name: 'text' | 'text_any' | 'phrase',
  text: string,
  schema: FieldSchema | undefined,
): TextTest {
  const tokenizer = tokenizerOf(schema);
  if (tokenizer !== undefined) {
    const mode = name === 'text' ? 'all' : name === 'text_any' ? 'any' : 'phrase';
    return { kind: 'tokens', mode, tokens: tokensOf(text, tokenizer), tokenizer };
  }
  if (name !== 'text_any') return { kind: 'substring', texts: [text] };
  return { kind: 'substring', texts: text.split(/\s+/u).filter((word) => word !== '') };
}

function parseRange(what: string, value: unknown): FieldTest {
  const isOfTimes = isObject(value) && BOUNDS.some((name) => typeof value[name] === 'string');
  if (!isOfTimes)
    return { kind: 'range', interval: interval(parseBounds(what, value, checkNumber)) };
  return { kind: 'datetime', interval: interval(parseBounds(what, value, checkInstant)) };
}

function parseBounds(
  what: string,
  value: unknown,
  check: (what: string, bound: unknown) => number,
): Parameters<typeof interval>[0] {
  if (!isObject(value)) throw wrongType(what, 'an object', value);
  const bounds: Partial<Record<(typeof BOUNDS)[number], number>> = {};
  for (const [name, bound] of Object.entries(value)) {
    if (bound === null || bound === undefined) continue;
    const known = BOUNDS.find((one) => one === name);
    if (known === undefined) throw outOfRange(`a member of ${what}`, BOUNDS.join(', '), name);
    bounds[known] = check(`${what}.${name}`, bound);
  }
  if (Object.keys(bounds).length === 0) {
    throw outOfRange(what, `an object with some of ${BOUNDS.join(', ')}`, 'none');
  }
  return bounds;
}

function checkNumber(what: string, bound: unknown): number {
  if (typeof bound !== 'number') throw wrongType(what, 'a number or a date and time', bound);
  if (!Number.isFinite(bound)) throw outOfRange(what, 'a finite number', bound);
  return bound;
}

function checkCount(what: string, bound: unknown): number {
  if (typeof bound !== 'number') throw wrongType(what, 'a number', bound);
  if (!Number.isInteger(bound) || bound < 0) throw outOfRange(what, 'an integer from 0', bound);
  return bound;
}

function checkInstant(what: string, bound: unknown): number {
  if (typeof bound !== 'string') throw wrongType(what, 'a date and time', bound);
  const instant = parseInstant(bound);
  if (instant !== undefined) return instant;
  throw outOfRange(what, 'a date and time as in RFC 3339, 2026-01-31T12:00:00Z', bound);
}
