import { LeandexError } from '../base/errors.js';
import { type CollectionFile, statement } from './collection-file.js';
import { payloadOf, pointOfRow } from './point-rows.js';
import { addText, textOf } from './text-rows.js';
import { type TextIndex, textTable, textTableSql, writeTexts } from './text-tables.js';

/** Rows that are indexed in one transaction. */
const ROWS_AT_ONCE = 256;

/** Makes an empty index, which follows all writes from now on; what is there is filled in by fillText(). */
export function createText(
  file: CollectionFile,
  settings: Pick<TextIndex, 'field' | 'tokenizer' | 'prefix'>,
): TextIndex {
  if (file.texts.some(({ field }) => field === settings.field)) {
    throw new LeandexError('ALREADY_EXISTS', `there is a text index on ${settings.field} already`);
  }
  const number = Math.max(-1, ...file.texts.map((text) => text.number)) + 1;
  const index = { ...settings, number, missing: { from: 0, to: file.state.nextRow } };
  file.db.exec(textTableSql(index));
  setTexts(file, [...file.texts, index]);
  return index;
}

/** Indexes the next payloads of those that are missing; gives what is missing then. */
export function fillText(file: CollectionFile, field: string): Pick<TextIndex, 'missing'> {
  const index = file.texts.find((text) => text.field === field);
  if (index === undefined) {
    throw new LeandexError('NOT_FOUND', `the text index on ${field} was deleted meanwhile`);
  }
  if (index.missing === null) return index;
  const { from, to } = index.missing;
  const sql = 'SELECT row FROM payloads WHERE row >= ? AND row < ? ORDER BY row LIMIT ?';
  const rows = (statement(file, sql).all(from, to, ROWS_AT_ONCE) as [number][]).flat();
  for (const row of rows) {
    const point = pointOfRow(file, row);
    const text = point && textOf(index, payloadOf(file, point));
    if (text !== undefined) addText(file, index, row, text);
  }
  const isLast = rows.length < ROWS_AT_ONCE;
  const filled = { ...index, missing: isLast ? null : { from: rows.at(-1)! + 1, to } };
  setTexts(
    file,
    file.texts.map((text) => (text === index ? filled : text)),
  );
  return filled;
}

/** Deletes the indexes of a field, or those that are not whole; how many there were. */
export function dropTexts(file: CollectionFile, field: string | undefined): number {
  const isDropped = (text: TextIndex) =>
    field === undefined ? text.missing !== null : text.field === field;
  const dropped = file.texts.filter(isDropped);
  if (dropped.length === 0) return 0;
  for (const { number } of dropped) file.db.exec(`DROP TABLE ${textTable(number)}`);
  setTexts(
    file,
    file.texts.filter((text) => !isDropped(text)),
  );
  return dropped.length;
}

function setTexts(file: CollectionFile, texts: TextIndex[]): void {
  writeTexts(file.db, texts);
  file.texts = texts;
}
