import { parsePath, valuesAt } from '../filter/path.js';
import { type CollectionFile, changeRow } from './collection-file.js';
import { type TextIndex, textTable } from './text-tables.js';

/** What the log grows by for a byte of text, roughly. */
const LOG_FACTOR = 2;

/** What of a payload is in the index; undefined where it has no text. */
export function textOf({ field }: TextIndex, json: string | null): string | undefined {
  if (json === null) return undefined;
  const values = valuesAt(JSON.parse(json), parsePath('field', field));
  const texts = values.filter((value) => typeof value === 'string');
  return texts.length === 0 ? undefined : texts.join('\n');
}

/**
 * Part of the transaction that changes a payload.
 * @param before as it was, and @param after as it is; null where there is none
 */
export function changeTexts(
  file: CollectionFile,
  row: number,
  before: string | null,
  after: string | null,
): void {
  for (const index of file.texts) {
    const { missing } = index;
    // What is not in it yet will be taken as it is then.
    if (missing !== null && row >= missing.from && row < missing.to) continue;
    const [old, text] = [textOf(index, before), textOf(index, after)];
    if (old === text) continue;
    if (old !== undefined) removeText(file, index, row, old);
    if (text !== undefined) addText(file, index, row, text);
  }
}

/** @param row that is not in the index */
export function addText(file: CollectionFile, { number }: TextIndex, row: number, text: string) {
  const sql = `INSERT INTO ${textTable(number)}(rowid, words) VALUES (?, ?)`;
  changeRow(file, sql, [row, text], LOG_FACTOR * text.length);
}

function removeText(file: CollectionFile, { number }: TextIndex, row: number, text: string): void {
  const table = textTable(number);
  const sql = `INSERT INTO ${table}(${table}, rowid, words) VALUES ('delete', ?, ?)`;
  changeRow(file, sql, [row, text], LOG_FACTOR * text.length);
}
