import { findMeta, writeMeta } from './meta.js';
import type { Database } from './sqlite.js';

/**
 * How texts are split: `unicode61` into runs of letters and digits, without case and diacritics;
 * `porter` so, and English words to their stems; `trigram` into all runs of three characters.
 */
export type TextTokenizer = 'unicode61' | 'porter' | 'trigram';

export interface TextIndexOptions {
  /** Default: `unicode61`. */
  tokenizer?: TextTokenizer | undefined;
  /** Lengths of beginnings of words that are indexed too, so that looking for these is fast. */
  prefix?: readonly number[] | undefined;
}

/** The index of the texts at a path of the payloads, in an FTS5 table of its own. */
export interface TextIndex extends Required<TextIndexOptions> {
  /** Of its table. */
  number: number;
  /** The path, as `pathText` writes it. */
  field: string;
  /** Rows that are not in it yet, from one up to before another; null once it is whole. */
  missing: { from: number; to: number } | null;
}

const META = 'texts';
const TOKENIZE: Readonly<Record<TextTokenizer, string>> = {
  unicode61: 'unicode61 remove_diacritics 2',
  porter: 'porter unicode61 remove_diacritics 2',
  trigram: 'trigram',
};
/** Tables that SQLite makes for one of FTS5. */
const SHADOWS = ['data', 'idx', 'docsize', 'config'];
export const textTable = (number: number): string => `text_${number}`;

/** Those of a collection; a file has no word of them before the first. */
export function readTexts(db: Database, path: string): TextIndex[] {
  return findMeta<TextIndex[]>(db, path, META) ?? [];
}

/** Part of the transaction that changes them. */
export function writeTexts(db: Database, texts: readonly TextIndex[]): void {
  writeMeta(db, META, texts);
}

/**
 * The tables are without the texts themselves, which are in the payloads: a row is taken out with the
 * text that it was put in with, which keeps what BM25 counts exact, where `contentless_delete` would
 * go on counting rows that are gone.
 */
export function textTableSql({ number, tokenizer, prefix }: TextIndex): string {
  const prefixes = prefix.length === 0 ? '' : `, prefix='${prefix.join(' ')}'`;
  const options = `content='', tokenize='${TOKENIZE[tokenizer]}'${prefixes}`;
  return `CREATE VIRTUAL TABLE ${textTable(number)} USING fts5(words, ${options})`;
}

/** Names of the tables that SQLite makes beside them. */
export function shadowTables(texts: readonly TextIndex[]): Set<string> {
  return new Set(
    texts.flatMap(({ number }) => SHADOWS.map((shadow) => `${textTable(number)}_${shadow}`)),
  );
}
