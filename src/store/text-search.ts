import { isAmong } from '../base/among.js';
import { LeandexError } from '../base/errors.js';
import { BestScores } from './best-scores.js';
import { type CollectionFile, damagedRow, readState, statement } from './collection-file.js';
import { isU32 } from './point-rows.js';
import { readTexts, type TextIndex, textTable } from './text-tables.js';
import type { Scored } from './types.js';

/** What is looked for in the texts of a field. */
export interface TextMatch {
  field: string;
  /** Words or phrases: what a tokenizer makes of each stands in this order in a text. */
  phrases: readonly string[];
  /** Whether all of them must be there, or one. */
  isAll: boolean;
  /** Whether the last word of a phrase may be the beginning of a longer one. */
  isPrefix: boolean;
}

/** Scores, and the version of the points that they are of. */
export interface ScoredTexts extends Scored {
  version: number;
}

/** The text indexes there are. */
export function texts({ db, path }: CollectionFile): TextIndex[] {
  return readTexts(db, path);
}

/**
 * The best k rows by BM25 (k1 = 1.2, b = 0.75), best first, equal ones by row.
 * @param rows only these, ascending
 * @throws LeandexError `INVALID_ARGUMENT` for a field that has no such index, or none that is whole
 */
export function searchTexts(
  file: CollectionFile,
  match: TextMatch,
  k: number,
  rows?: Uint32Array,
): ScoredTexts {
  const index = readTexts(file.db, file.path).find(({ field }) => field === match.field);
  if (index?.missing !== null) {
    const problem = index === undefined ? 'there is none' : 'it is still being made';
    throw new LeandexError(
      'INVALID_ARGUMENT',
      `text needs a text index on ${match.field}, and ${problem}: createTextIndex() makes one`,
      { details: { field: match.field } },
    );
  }
  const { version, nextRow } = readState(file);
  const table = textTable(index.number);
  const sql = `SELECT rowid, -bm25(${table}) FROM ${table} WHERE ${table} MATCH ?`;
  const best = new BestScores('Dot', k);
  for (const [row, score] of statement(file, sql).iterate(expressionOf(match)) as Iterable<
    [unknown, number]
  >) {
    if (!isU32(row) || row >= nextRow) throw damagedRow(file, table, row);
    if (rows === undefined || isAmong(rows, row)) best.add(row, score);
  }
  return { ...best.best(), gone: 0, version };
}

/** In FTS5's language; a phrase in quotes is text, whatever is in it. */
function expressionOf({ phrases, isAll, isPrefix }: TextMatch): string {
  const quoted = phrases.map((phrase) => `"${phrase.replaceAll('"', '""')}"${isPrefix ? '*' : ''}`);
  return quoted.join(isAll ? ' AND ' : ' OR ');
}
