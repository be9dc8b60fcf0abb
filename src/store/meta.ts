import { textChecksum } from './row-checksum.js';
import type { Database } from './sqlite.js';
import { corrupt } from './sqlite-errors.js';

/** Named JSON values of a file, each with its checksum. */
export function writeMeta(db: Database, name: string, value: unknown): void {
  const text = JSON.stringify(value);
  db.prepare('INSERT OR REPLACE INTO meta(name, value, checksum) VALUES (?, ?, ?)').run(
    name,
    text,
    textChecksum(name, text),
  );
}

/** @throws LeandexError `CORRUPT` where it is missing or damaged. */
export function readMeta<T>(db: Database, file: string, name: string): T {
  return checked<T>(file, name, rowOf(db, name) ?? []);
}

/** Undefined where it was never written. @throws LeandexError `CORRUPT` where it is damaged. */
export function findMeta<T>(db: Database, file: string, name: string): T | undefined {
  const found = rowOf(db, name);
  return found && checked<T>(file, name, found);
}

function rowOf(db: Database, name: string): unknown[] | undefined {
  const sql = 'SELECT value, checksum FROM meta WHERE name = ?';
  return db.prepare(sql).raw().get(name) as unknown[] | undefined;
}

function checked<T>(file: string, name: string, [text, checksum]: unknown[]): T {
  if (typeof text !== 'string' || checksum !== textChecksum(name, text)) {
    throw corrupt(file, `its "${name}" is missing or changed`, { table: 'meta' });
  }
  return JSON.parse(text) as T;
}

export function deleteMeta(db: Database, name: string): void {
  db.prepare('DELETE FROM meta WHERE name = ?').run(name);
}
