import { InvalidArgumentError } from 'commander';
import { describe } from '../base/errors.js';
import { parseJson } from '../server/wire/json.js';

/** Reads a whole number from least to most; what else is given is wrong usage. */
export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) {
      return value;
    }
    throw notA(`an integer from ${least} to ${most}`, text);
  };
}

/** Reads a number from least to most. */
export function between(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && value >= least && value <= most) return value;
    throw notA(`a number from ${least} to ${most}`, text);
  };
}

/** Nothing is no number, as of a variable that is not set, which Number('') takes for 0. */
function notA(expected: string, text: string): Error {
  return new InvalidArgumentError(`It must be ${expected}, received ${describe(text)}.`);
}

/** Reads JSON, of whatever form: who uses it checks that. Whole numbers of any length stay exact. */
export function json(text: string): unknown {
  try {
    return parseJson(Buffer.from(text));
  } catch (error) {
    throw new InvalidArgumentError(`It must be JSON: ${(error as Error).message}.`);
  }
}

/** Gathers values by commas, and of options that are given more than once. */
export function several(value: string, before: string[] = []): string[] {
  return [...before, ...value.split(',')];
}

/** An object without the members that are undefined: options that were not given. */
export function given<T extends object>(options: T): T {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as T;
}
