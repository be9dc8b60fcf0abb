import { checkInteger } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { checkPointId, type PointId } from '../base/point-id.js';
import type { ParsedCondition, ParsedFilter } from './conditions.js';
import type { FieldSchema } from './field-schema.js';
import { isFieldTest, parseFieldTest } from './parse-field.js';
import { EACH, isObject, type Path, parsePath, pathText } from './path.js';

const DEPTH_MAX = 32;
const CONDITIONS_MAX = 4096;
const LIST_MAX = 65_536;
/** Numbers of 32 bits, as Qdrant has them. */
const SLICES_MAX = 2 ** 32 - 1;

/** Where the parser is. */
interface Context {
  schemas: ReadonlyMap<string, FieldSchema>;
  /** Conditions left, over the whole filter. */
  budget: { conditions: number };
  depth: number;
  /** The paths of the `nested` conditions around, joined; undefined outside of them. */
  nested: Path | undefined;
}

/**
 * Checks a filter and makes it ready for `matches` and `evaluate`.
 * @param schemas the indexed fields: the text index of a field says how its text is split.
 * @throws TypeError, RangeError `INVALID_ARGUMENT` naming the place, `filter.must[1].range.gte`.
 */
export function parseFilter(
  what: string,
  value: unknown,
  schemas: ReadonlyMap<string, FieldSchema> = new Map(),
): ParsedFilter {
  const budget = { conditions: CONDITIONS_MAX };
  return parseClauses(what, value, { schemas, budget, depth: 0, nested: undefined });
}

function parseClauses(what: string, value: unknown, around: Context): ParsedFilter {
  const filter = membersOf(what, value, ['must', 'should', 'must_not', 'min_should']);
  if (around.depth === DEPTH_MAX) {
    throw outOfRange(what, `at most ${DEPTH_MAX} levels deep`, value);
  }
  const context = { ...around, depth: around.depth + 1 };
  const list = (name: string) => parseList(`${what}.${name}`, filter[name], context);
  return {
    must: list('must'),
    should: list('should'),
    mustNot: list('must_not'),
    minShould: parseMinShould(`${what}.min_should`, filter.min_should, context),
  };
}

/** The members that are not null. @throws unless value is an object of these names. */
function membersOf(
  what: string,
  value: unknown,
  known: readonly string[],
): Record<string, unknown> {
  if (!isObject(value)) throw wrongType(what, 'an object', value);
  const members = Object.entries(value).filter(([, member]) => isGiven(member));
  for (const [name] of members) {
    if (!known.includes(name)) {
      throw outOfRange(`a member of ${what}`, known.join(', '), name);
    }
  }
  return Object.fromEntries(members);
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function parseList(what: string, value: unknown, context: Context): ParsedCondition[] {
  if (!isGiven(value)) return [];
  if (!Array.isArray(value)) return [parseCondition(what, value, context)];
  return value.map((condition, i) => parseCondition(`${what}[${i}]`, condition, context));
}

function parseMinShould(what: string, value: unknown, context: Context): ParsedFilter['minShould'] {
  if (!isGiven(value)) return undefined;
  const { conditions, min_count } = membersOf(what, value, ['conditions', 'min_count']);
  if (!Array.isArray(conditions)) throw wrongType(`${what}.conditions`, 'a list', conditions);
  return {
    conditions: parseList(`${what}.conditions`, conditions, context),
    minCount: checkInteger(`${what}.min_count`, min_count, 0, CONDITIONS_MAX),
  };
}

function parseCondition(what: string, value: unknown, context: Context): ParsedCondition {
  if (--context.budget.conditions < 0) {
    throw outOfRange(what, `within a filter of at most ${CONDITIONS_MAX} conditions`, 'more');
  }
  if (!isObject(value)) throw wrongType(what, 'a condition', value);
  if (isGiven(value.key)) return parseField(what, value, context);
  const [name] = Object.keys(value).filter((member) => isGiven(value[member]));
  switch (name) {
    case 'is_empty':
    case 'is_null': {
      const { key } = membersOf(`${what}.${name}`, membersOf(what, value, [name])[name], ['key']);
      return parseFieldAt(`${what}.${name}.key`, key, context, { kind: name });
    }
    case 'has_id':
      return parseHasId(what, membersOf(what, value, [name])[name], context);
    case 'has_vector':
      return parseHasVector(what, membersOf(what, value, [name])[name], context);
    case 'nested':
      return parseNested(`${what}.nested`, membersOf(what, value, [name])[name], context);
    case 'slice':
      return parseSlice(`${what}.slice`, membersOf(what, value, [name])[name], context);
  }
  if (name !== undefined && isFieldTest(name)) throw wrongType(`${what}.key`, 'a path', undefined);
  return { kind: 'filter', filter: parseClauses(what, value, context) };
}

function parseField(
  what: string,
  value: Record<string, unknown>,
  context: Context,
): ParsedCondition {
  const names = Object.keys(value).filter((name) => name !== 'key' && isGiven(value[name]));
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw outOfRange(what, 'a key with exactly one condition', names.join(' and ') || 'none');
  }
  if (!isFieldTest(name)) throw outOfRange(`a member of ${what}`, 'a condition on a key', name);
  const { path, field } = pathIn(`${what}.key`, value.key, context);
  const schema = context.schemas.get(field);
  const { test, isNot } = parseFieldTest(`${what}.${name}`, name, value[name], schema);
  const condition: ParsedCondition = { kind: 'field', path, field, test };
  if (!isNot) return condition;
  return {
    kind: 'filter',
    filter: { must: [], should: [], mustNot: [condition], minShould: undefined },
  };
}

function parseFieldAt(
  what: string,
  key: unknown,
  context: Context,
  test: { kind: 'is_empty' | 'is_null' },
): ParsedCondition {
  return { kind: 'field', ...pathIn(what, key, context), test };
}

function pathIn(what: string, key: unknown, { nested = [] }: Context) {
  const path = parsePath(what, key);
  return { path, field: pathText([...nested, ...path]) };
}

function parseHasId(what: string, list: unknown, context: Context): ParsedCondition {
  refuseNested(`${what}.has_id`, context);
  if (!Array.isArray(list)) throw wrongType(`${what}.has_id`, 'a list of ids', list);
  if (list.length > LIST_MAX) {
    throw outOfRange(`${what}.has_id`, `at most ${LIST_MAX} ids`, list);
  }
  const ids = list.map((id, i) => checkPointId(`${what}.has_id[${i}]`, id));
  return { kind: 'has_id', ids: new Set(ids) };
}

function parseHasVector(what: string, name: unknown, context: Context): ParsedCondition {
  refuseNested(`${what}.has_vector`, context);
  if (typeof name !== 'string') throw wrongType(`${what}.has_vector`, 'a name', name);
  return { kind: 'has_vector', name };
}

function parseSlice(what: string, value: unknown, context: Context): ParsedCondition {
  refuseNested(what, context);
  const { total, index } = membersOf(what, value, ['total', 'index']);
  const parts = checkInteger(`${what}.total`, total, 1, SLICES_MAX);
  return {
    kind: 'slice',
    slice: { total: parts, index: checkInteger(`${what}.index`, index, 0, parts - 1) },
  };
}

/** Elements of a payload have no ids and no vectors of their own. */
function refuseNested(what: string, { nested }: Context): void {
  if (nested !== undefined) throw outOfRange(what, 'outside of nested', 'one inside of it');
}

function parseNested(what: string, value: unknown, context: Context): ParsedCondition {
  const { key, filter } = membersOf(what, value, ['key', 'filter']);
  const given = parsePath(`${what}.key`, key);
  const path = given.at(-1) === EACH ? given : [...given, EACH];
  const nested = [...(context.nested ?? []), ...path];
  return {
    kind: 'nested',
    path,
    filter: parseClauses(`${what}.filter`, filter, { ...context, nested }),
  };
}

/** All ids that the filter names, to be looked up before it is evaluated. */
export function idsIn(filter: ParsedFilter): PointId[] {
  const ids = new Set<PointId>();
  const visit = ({ must, should, mustNot, minShould }: ParsedFilter): void => {
    for (const condition of [...must, ...should, ...mustNot, ...(minShould?.conditions ?? [])]) {
      if (condition.kind === 'filter') visit(condition.filter);
      if (condition.kind !== 'has_id') continue;
      for (const id of condition.ids) ids.add(id);
    }
  };
  visit(filter);
  return [...ids];
}
