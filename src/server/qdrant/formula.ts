import { outOfRange, wrongType } from '../../base/errors.js';
import type { Payload } from '../../db/types.js';
import { refused, unsupported } from '../errors.js';
import { isGiven, isObject, type Members, membersOf } from './members.js';

/** A score that is computed of the scores of prefetches and of numbers in payloads. */
export interface Formula {
  /** Paths of the payload that it needs. */
  fields: string[];
  /** @throws 400 for what has no value: a field without a number and a default, a division by zero */
  score: (scores: readonly (number | undefined)[], payload: Payload | null) => number;
}

/** The number of a variable. */
type Values = (name: string) => number;
type Expression = (values: Values) => number;

const SCORE = /^\$score(?:\[(\d{1,3})\])?$/;
const DEPTH_MAX = 32;
const FUNCTIONS: Readonly<Record<string, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  sqrt: Math.sqrt,
  exp: Math.exp,
  ln: Math.log,
  log10: Math.log10,
};
const OTHERS = ['sum', 'mult', 'div', 'pow'];

/** @param given the query: `{ formula, defaults }` */
export function readFormula(what: string, given: Members): Formula {
  const { formula, defaults = {} } = membersOf(what, given, ['formula', 'defaults']);
  if (!isObject(defaults)) throw wrongType(`${what}.defaults`, 'an object', defaults);
  const names = new Set<string>();
  const expression = readExpression(`${what}.formula`, formula, names, 0);
  return {
    fields: [...names].filter((name) => !SCORE.test(name)),
    score: (scores, payload) => {
      const score = expression((name) => {
        const found = SCORE.test(name) ? scores[scoreIndex(name)] : numberAt(payload, name);
        const value = found ?? defaults[name];
        if (typeof value === 'number') return value;
        throw refused(400, `Wrong input: formula: ${name} has no number, and no default`);
      });
      if (Number.isFinite(score)) return score;
      throw refused(400, 'Wrong input: formula: the result is no finite number');
    },
  };
}

const scoreIndex = (name: string): number => Number(SCORE.exec(name)![1] ?? 0);

function numberAt(payload: Payload | null, path: string): number | undefined {
  let value: unknown = payload;
  for (const part of path.split('.')) value = isObject(value) ? value[part] : undefined;
  return typeof value === 'number' ? value : undefined;
}

function readExpression(
  what: string,
  given: unknown,
  names: Set<string>,
  depth: number,
): Expression {
  if (depth > DEPTH_MAX) throw outOfRange(what, `at most ${DEPTH_MAX} levels deep`, 'more');
  if (typeof given === 'number') return () => given;
  if (typeof given === 'string') return readVariable(what, given, names);
  if (!isObject(given)) throw wrongType(what, 'a number, a name or an object', given);
  const [name, ...more] = Object.keys(given).filter((member) => isGiven(given[member]));
  const known = [...Object.keys(FUNCTIONS), ...OTHERS];
  if (name === undefined || more.length > 0 || !known.includes(name)) {
    throw unsupported(what, `an expression is one of ${known.join(', ')}`);
  }
  const read = (place: string, part: unknown) => {
    return readExpression(`${what}.${place}`, part, names, depth + 1);
  };
  const of = FUNCTIONS[name];
  if (of !== undefined) {
    const x = read(name, given[name]);
    return (values) => of(x(values));
  }
  return readOther(`${what}.${name}`, name, given[name], (place, part) =>
    read(`${name}${place}`, part),
  );
}

function readVariable(what: string, name: string, names: Set<string>): Expression {
  if (name === '' || (name.includes('[') && !SCORE.test(name))) {
    throw unsupported(what, 'a name is that of a field, a.b, or $score, $score[1], …');
  }
  names.add(name);
  return (values) => values(name);
}

/** What has several parts. */
function readOther(
  what: string,
  name: string,
  given: unknown,
  read: (place: string, part: unknown) => Expression,
): Expression {
  if (name === 'sum' || name === 'mult') {
    if (!Array.isArray(given)) throw wrongType(what, 'a list', given);
    const parts = given.map((part: unknown, i) => read(`[${i}]`, part));
    return name === 'sum'
      ? (values) => parts.reduce((sum, part) => sum + part(values), 0)
      : (values) => parts.reduce((product, part) => product * part(values), 1);
  }
  if (name === 'pow') {
    const members = membersOf(what, given, ['base', 'exponent']);
    const [base, exponent] = [read('.base', members.base), read('.exponent', members.exponent)];
    return (values) => base(values) ** exponent(values);
  }
  const members = membersOf(what, given, ['left', 'right', 'by_zero_default']);
  const [left, right] = [read('.left', members.left), read('.right', members.right)];
  const { by_zero_default: otherwise } = members;
  if (isGiven(otherwise) && typeof otherwise !== 'number') {
    throw wrongType(`${what}.by_zero_default`, 'a number', otherwise);
  }
  return (values) => {
    const divisor = right(values);
    if (divisor !== 0) return left(values) / divisor;
    if (typeof otherwise === 'number') return otherwise;
    throw refused(400, 'Wrong input: formula: a division by zero, without by_zero_default');
  };
}
