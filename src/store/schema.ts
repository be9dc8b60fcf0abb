import { LeandexError } from '../base/errors.js';
import type { Database } from './sqlite.js';
import { corrupt } from './sqlite-errors.js';

/** What kind of file it is: SQLite's application_id, "LDXC" and "LDXP". */
export const CATALOG = 0x4c44_5843;
export const POINTS = 0x4c44_5850;

/** Raised when tables or the bytes in them change. */
export const STORE_VERSION = 1;

const META = `CREATE TABLE meta(
  name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, checksum INTEGER NOT NULL
) STRICT, WITHOUT ROWID`;

export const CATALOG_TABLES = [
  META,
  `CREATE TABLE collections(
  name TEXT PRIMARY KEY NOT NULL, folder TEXT NOT NULL UNIQUE, config TEXT NOT NULL,
  fields TEXT NOT NULL, checksum INTEGER NOT NULL
) STRICT`,
];

/**
 * The tables of a collection. Points are narrow, so that listing them reads neither payloads nor
 * vectors.
 */
export function pointTables(fieldCount: number): string[] {
  const vectors = Array.from(
    { length: fieldCount },
    (_, field) => `CREATE TABLE vectors_${field}(
  row INTEGER PRIMARY KEY, data BLOB NOT NULL, checksum INTEGER NOT NULL
) STRICT`,
  );
  return [
    META,
    `CREATE TABLE points(
  row INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, version INTEGER NOT NULL,
  parts INTEGER NOT NULL, checksum INTEGER NOT NULL
) STRICT`,
    `CREATE TABLE payloads(
  row INTEGER PRIMARY KEY, json TEXT NOT NULL, checksum INTEGER NOT NULL
) STRICT`,
    ...vectors,
  ];
}

export function createTables(db: Database, kind: number, tables: readonly string[]): void {
  db.pragma(`application_id = ${kind}`);
  db.pragma(`user_version = ${STORE_VERSION}`);
  for (const table of tables) db.exec(table);
}

/** @throws LeandexError `CORRUPT` for another kind of file, `UNSUPPORTED_VERSION` for a newer one. */
export function checkKind(db: Database, file: string, kind: number): void {
  const found = db.pragma('application_id', { simple: true });
  if (found !== kind) throw corrupt(file, 'it is no file of this kind');
  const version = db.pragma('user_version', { simple: true }) as number;
  if (version > STORE_VERSION) {
    const problem = `${file} has version ${version}, this leandex reads up to ${STORE_VERSION}`;
    throw new LeandexError('UNSUPPORTED_VERSION', problem, { details: { file, version } });
  }
  if (version !== STORE_VERSION) throw corrupt(file, `it says that its version is ${version}`);
}

/**
 * @param own names of tables that SQLite made by itself, in its own words
 * @throws LeandexError `CORRUPT` unless these are all the tables, to the letter.
 */
export function checkTables(
  db: Database,
  file: string,
  tables: readonly string[],
  own: ReadonlySet<string> = new Set(),
): void {
  const list = 'SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY sql';
  const all = db.prepare(list).raw().all() as [string, string][];
  const found = all.flatMap(([name, sql]) => (own.has(name) ? [] : [sql]));
  const expected = tables.toSorted();
  if (found.length !== expected.length || expected.some((sql, i) => sql !== found[i])) {
    throw corrupt(file, 'its tables are not those of this version');
  }
}
