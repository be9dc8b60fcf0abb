import type { Steps } from '../base/steps.js';
import { type CollectionFile, statement } from './collection-file.js';
import { type Database, openDatabase } from './sqlite.js';
import { corrupt } from './sqlite-errors.js';
import { textOf } from './text-rows.js';
import { readTexts, type TextIndex, textTable, textTableSql } from './text-tables.js';

const ROWS_PER_STEP = 256;
/** The row of FTS5's own data that says how many texts and words there are. */
const AVERAGES = 1;

/**
 * Compares each text index with one that is made anew of the payloads, word by word.
 * @throws LeandexError `CORRUPT` with the table
 */
export function* verifyTexts(file: CollectionFile): Steps<void> {
  for (const index of readTexts(file.db, file.path)) {
    // One that is not whole is deleted when the collection is opened.
    if (index.missing !== null) continue;
    const anew = openDatabase(':memory:', { readOnly: false });
    try {
      yield* fill(anew, file, index);
      yield* compare(anew, file, index);
    } finally {
      anew.close();
    }
  }
}

function* fill(anew: Database, file: CollectionFile, index: TextIndex): Steps<void> {
  anew.exec(textTableSql(index));
  const insert = anew.prepare(`INSERT INTO ${textTable(index.number)}(rowid, words) VALUES (?, ?)`);
  const sql = `SELECT row, json FROM payloads WHERE row > ? ORDER BY row LIMIT ${ROWS_PER_STEP}`;
  let after = -1;
  for (;;) {
    // Their checksums have been verified.
    const found = statement(file, sql).all(after) as [number, string][];
    anew.exec('BEGIN');
    for (const [row, json] of found) {
      const text = textOf(index, json);
      if (text !== undefined) insert.run(row, text);
      after = row;
    }
    anew.exec('COMMIT');
    if (found.length < ROWS_PER_STEP) return;
    yield undefined;
  }
}

function* compare(anew: Database, { db, path }: CollectionFile, index: TextIndex): Steps<void> {
  const table = textTable(index.number);
  const words = `CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', '${table}', 'instance')`;
  const selects = [
    // Each word of each row with its place.
    'SELECT term, doc, "offset" FROM temp.words',
    // What BM25 knows of the lengths of texts; of none it may know nothing, or zeros.
    `SELECT id, hex(sz) FROM ${table}_docsize ORDER BY id`,
    `SELECT hex(block) FROM ${table}_data
     WHERE id = ${AVERAGES} AND EXISTS (SELECT * FROM ${table}_docsize)`,
  ];
  for (const one of [anew, db]) one.exec(words);
  try {
    for (const sql of selects) {
      const isSame = yield* giveTheSame(anew, db, sql);
      if (isSame) continue;
      const problem = `the index of the texts of ${index.field} is not what they say`;
      throw corrupt(path, problem, { table });
    }
  } finally {
    db.exec('DROP TABLE temp.words');
  }
}

function* giveTheSame(a: Database, b: Database, sql: string): Steps<boolean> {
  const [expected, found] = [rowsOf(a, sql), rowsOf(b, sql)];
  try {
    for (let i = 1; ; i++) {
      const [one, other] = [expected.next(), found.next()];
      if (one.done && other.done) return true;
      if (one.done !== other.done || String(one.value) !== String(other.value)) return false;
      if (i % ROWS_PER_STEP === 0) yield undefined;
    }
  } finally {
    expected.return(undefined);
    found.return(undefined);
  }
}

/** Nothing is open before the first row is asked for, nor after `return()`. */
function* rowsOf(db: Database, sql: string): Generator<unknown, void, void> {
  yield* db.prepare(sql).raw().iterate();
}
