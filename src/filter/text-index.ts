import type { Steps } from '../base/steps.js';
import { Bitmap } from './bitmap.js';
import type { ValueTest } from './conditions.js';
import { Postings } from './postings.js';
import { prefixOf, type Tokenizer, wordsOf } from './tokens.js';
import type { Found, ValueIndex } from './value-index.js';

/** Prefixes kept of a word have up to this many characters; longer ones are found by these. */
const PREFIX_MAX = 16;

/** Texts, from each of their words (or of the words' prefixes) to the rows. */
export class TextIndex implements ValueIndex<string> {
  private readonly tokenizer: Tokenizer;
  /** The most characters of a key where words are kept as prefixes. */
  private readonly longest: number;
  readonly postings = new Postings<string>();

  constructor(tokenizer: Tokenizer) {
    this.tokenizer = tokenizer;
    const { minLength, maxLength } = tokenizer;
    this.longest = Math.max(minLength, Math.min(PREFIX_MAX, maxLength));
  }

  keyOf(value: unknown): string | undefined {
    return typeof value === 'string' ? value : undefined;
  }

  isKey(key: unknown): boolean {
    return typeof key === 'string';
  }

  add(text: string, row: number): void {
    for (const key of this.keysOf(text)) this.postings.add(key, row);
  }

  remove(text: string, row: number): void {
    for (const key of this.keysOf(text)) this.postings.remove(key, row);
  }

  forget(rows: Bitmap): Steps<void> {
    return this.postings.forget(rows);
  }

  private keysOf(text: string): Set<string> {
    const keys = new Set<string>();
    for (const word of wordsOf(text, this.tokenizer)) {
      if (this.tokenizer.split !== 'prefix') {
        keys.add(word);
        continue;
      }
      const characters = [...word].slice(0, this.longest);
      for (let n = this.tokenizer.minLength; n <= characters.length; n++) {
        keys.add(characters.slice(0, n).join(''));
      }
    }
    return keys;
  }

  find(test: ValueTest): Found | undefined {
    if (test.kind !== 'tokens' || !isSame(test.tokenizer, this.tokenizer)) return undefined;
    const { mode, tokens } = test;
    const keys = tokens.map((token) => this.keyFor(token));
    const isCut = keys.some((key, i) => key !== tokens[i]);
    const rows = mode === 'any' ? this.postings.union(keys) : this.withAll(keys);
    const isUnsure = isCut || (mode === 'phrase' && tokens.length > 1);
    if (isUnsure) return { rows, unsure: rows.clone(), othersToo: false };
    const needsOne = mode === 'any' || tokens.length < 2;
    return { rows, unsure: needsOne ? 'none' : 'several', othersToo: false };
  }

  /** The key that stands for a token of a query. */
  private keyFor(token: string): string {
    return this.tokenizer.split === 'prefix' ? prefixOf(token, this.longest) : token;
  }

  private withAll(keys: readonly string[]): Bitmap {
    const [first, ...rest] = keys;
    if (first === undefined) return Bitmap.empty();
    const rows = this.postings.union([first]);
    for (const key of rest) {
      const others = this.postings.union([key]);
      rows.andInPlace(others);
      others.dispose();
    }
    return rows;
  }

  get byteLength(): number {
    return this.postings.byteLength;
  }

  dispose(): void {
    this.postings.dispose();
  }
}

function isSame(a: Tokenizer, b: Tokenizer): boolean {
  return (
    a.split === b.split &&
    a.lowercase === b.lowercase &&
    a.minLength === b.minLength &&
    a.maxLength === b.maxLength
  );
}
