import { checkInteger, checkOneOf, checkOptions } from '../base/check.js';
import { outOfRange, wrongType } from '../base/errors.js';
import { parsePath, pathText } from '../filter/path.js';
import type { TextMatch } from '../store/text-search.js';

const MATCH_LENGTH_MAX = 65_536;
const PHRASES_MAX = 256;
/** What tokenizers make words of. */
const WORDLIKE = /[\p{L}\p{N}\p{Co}]/u;

/** @throws TypeError, RangeError `INVALID_ARGUMENT` naming what is wrong, also for no word at all. */
export function readTextQuery(value: unknown): TextMatch {
  checkOptions('text', value, ['field', 'match', 'operator', 'prefix']);
  const { field, match, operator = 'any', prefix = false } = value as Record<string, unknown>;
  const name = pathText(parsePath('text.field', field));
  if (typeof match !== 'string') throw wrongType('text.match', 'a string', match);
  checkOneOf('text.operator', operator, ['any', 'all', 'phrase']);
  if (typeof prefix !== 'boolean') throw wrongType('text.prefix', 'a boolean', prefix);
  checkInteger('the length of text.match', match.length, 0, MATCH_LENGTH_MAX);
  // SQLite would take a text to end there.
  const clean = match.replaceAll('\0', ' ');
  const words = operator === 'phrase' ? [clean] : clean.split(/\s+/u);
  const phrases = [...new Set(words.filter((word) => WORDLIKE.test(word)))];
  if (phrases.length === 0) throw outOfRange('text.match', 'a text with a word', match);
  checkInteger('the number of words of text.match', phrases.length, 1, PHRASES_MAX);
  return { field: name, phrases, isAll: operator === 'all', isPrefix: prefix };
}
