/** How a text index splits texts into words, and which of them it keeps. */
export interface Tokenizer {
  /**
   * `word`: runs of letters and digits; `whitespace`: what white space separates; `multilingual`:
   * the words of the language, also where it writes none apart; `prefix`: as `word`, and a word of
   * the query matches those that begin with it.
   */
  split: 'word' | 'whitespace' | 'multilingual' | 'prefix';
  lowercase: boolean;
  /** Words of fewer or more characters are left out, but `prefix` cuts the query's to the most. */
  minLength: number;
  maxLength: number;
}

const WORD = /[\p{Alphabetic}\p{N}]+/gu;

/** The words of a text that count, in its order. */
export function wordsOf(text: string, tokenizer: Tokenizer): string[] {
  const words = split(tokenizer.lowercase ? text.toLowerCase() : text, tokenizer.split);
  const { minLength, maxLength } = tokenizer;
  const longest = tokenizer.split === 'prefix' ? Infinity : maxLength;
  return words.filter((word) => hasLength(word, minLength, longest));
}

function split(text: string, how: Tokenizer['split']): string[] {
  if (how === 'whitespace') return text.split(/\s+/u).filter((word) => word !== '');
  if (how === 'multilingual') return segments(text);
  return text.match(WORD) ?? [];
}

let segmenter: Intl.Segmenter | undefined;

function segments(text: string): string[] {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'word' });
  const words: string[] = [];
  for (const { segment, isWordLike } of segmenter.segment(text)) {
    if (isWordLike) words.push(segment);
  }
  return words;
}

function hasLength(word: string, least: number, most: number): boolean {
  // A character takes one or two units, so most words need no counting.
  if (word.length < least || word.length > 2 * most) return false;
  if (word.length >= 2 * least && word.length <= most) return true;
  const length = [...word].length;
  return length >= least && length <= most;
}

/** The words that are looked for, of the text of a query. */
export function tokensOf(text: string, tokenizer: Tokenizer): string[] {
  const words = wordsOf(text, tokenizer);
  if (tokenizer.split !== 'prefix') return words;
  return words.map((word) => prefixOf(word, tokenizer.maxLength));
}

/** The first characters of a word. */
export function prefixOf(word: string, characters: number): string {
  if (word.length <= characters) return word;
  return [...word].slice(0, characters).join('');
}

/** Whether a word of a stored text is what a word of a query looks for. */
export function isHit(word: string, token: string, tokenizer: Tokenizer): boolean {
  return tokenizer.split === 'prefix' ? word.startsWith(token) : word === token;
}
