import { LeandexError, outOfRange } from '../src/base/errors.js';
import type { Contender } from './contenders.js';
import { ENGINES, engineAbsence, engineNamed } from './engines/registry.js';
import type { Skipped } from './result.js';

export interface EntryList {
  readonly contenders: readonly Contender[];
  readonly skipped: readonly Skipped[];
}

/**
 * Who takes part: the contenders of the chosen engines, or of all that are installed.
 * @throws RangeError `INVALID_ARGUMENT` for an engine that there is not, or that the case lacks;
 * LeandexError `NOT_FOUND` when a chosen engine is not installed, or none is.
 */
export function entryList(contenders: readonly Contender[], chosen?: readonly string[]): EntryList {
  for (const name of chosen ?? []) requireThere(name, contenders);
  const wanted = contenders.filter(({ engine }) => chosen?.includes(engine) ?? true);
  const absent = new Map(
    ENGINES.map((engine) => [engine.name, engineAbsence(engine)] as const).filter(
      ([, reason]) => reason !== undefined,
    ),
  );
  const missing = chosen?.find((name) => absent.has(name));
  if (missing !== undefined) {
    throw new LeandexError('NOT_FOUND', `${missing} is ${absent.get(missing)}`);
  }
  return {
    contenders: wanted.filter(({ engine }) => !absent.has(engine)),
    skipped: wanted.flatMap((each) => {
      const reason = absent.get(each.engine);
      return reason === undefined ? [] : [skip(each, reason)];
    }),
  };
}

export function skip({ engine, name, settings, search }: Contender, reason: string): Skipped {
  return { engine, name, settings, search, reason };
}

function requireThere(name: string, contenders: readonly Contender[]): void {
  const names = ENGINES.map((engine) => engine.name);
  if (!names.includes(name)) throw outOfRange('an engine', `one of ${names.join(', ')}`, name);
  const { name: known } = engineNamed(name);
  if (contenders.some(({ engine }) => engine === known)) return;
  const has = [...new Set(contenders.map(({ engine }) => engine))].join(', ');
  throw outOfRange('an engine of this case', `one of ${has}`, name);
}
