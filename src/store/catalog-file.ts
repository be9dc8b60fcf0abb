import { randomBytes, randomUUID } from 'node:crypto';
import { LeandexError } from '../base/errors.js';
import { checkFields, checkName } from './limits.js';
import { readMeta, writeMeta } from './meta.js';
import { textChecksum } from './row-checksum.js';
import { CATALOG, CATALOG_TABLES, checkKind, checkTables, createTables } from './schema.js';
import { type Database, openDatabase } from './sqlite.js';
import { corrupt, withStoreErrors } from './sqlite-errors.js';
import type { CollectionEntry, StoredField } from './types.js';

const PAGE_BYTES = 4096;

/** The store's catalog.sqlite, open in this thread: which collections there are. */
export interface CatalogFile {
  /** For messages. */
  readonly path: string;
  readonly db: Database;
  /** Of the store. */
  readonly id: string;
}

interface CatalogState {
  count: number;
}

export const newFolderName = (): string => randomBytes(8).toString('hex');
export const isFolderName = (name: string): boolean => /^[0-9a-f]{16}$/.test(name);

/**
 * Makes an empty catalogue.
 * @param pageBytes for tests, which want small files
 */
export function createCatalog(path: string, pageBytes = PAGE_BYTES): CatalogFile {
  return withStoreErrors(path, () => {
    const db = openDatabase(path, { readOnly: false });
    db.pragma(`page_size = ${pageBytes}`);
    syncEveryCommit(db);
    const id = randomUUID();
    db.transaction(() => {
      createTables(db, CATALOG, CATALOG_TABLES);
      writeMeta(db, 'id', id);
      writeMeta(db, 'state', { count: 0 } satisfies CatalogState);
    })();
    return { path, db, id };
  });
}

/** @throws LeandexError `CORRUPT`, `UNSUPPORTED_VERSION`, ... */
export function openCatalog(path: string, readOnly: boolean): CatalogFile {
  return withStoreErrors(path, () => {
    const db = openDatabase(path, { readOnly, mustExist: true });
    try {
      checkKind(db, path, CATALOG);
      checkTables(db, path, CATALOG_TABLES);
      const problem = db.pragma('integrity_check(1)', { simple: true });
      if (problem !== 'ok') throw corrupt(path, String(problem));
      if (!readOnly) syncEveryCommit(db);
      const catalog = { path, db, id: readMeta<string>(db, path, 'id') };
      entries(catalog);
      return catalog;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** A lost entry would cost a collection, whatever the durability of its points. */
function syncEveryCommit(db: Database): void {
  db.pragma('journal_mode = DELETE');
  db.pragma('synchronous = EXTRA');
  db.pragma('fullfsync = ON');
}

/** All collections by name, verified. */
export function entries(catalog: CatalogFile): CollectionEntry[] {
  const { db, path } = catalog;
  return db.transaction(() => {
    const sql = 'SELECT name, folder, config, fields, checksum FROM collections ORDER BY name';
    const found = db.prepare(sql).raw().all() as unknown[][];
    const all = found.map((row) => checkedEntry(path, row));
    if (all.length !== readMeta<CatalogState>(db, path, 'state').count) {
      throw corrupt(path, 'collections are missing', { table: 'collections' });
    }
    return all;
  })();
}

function checkedEntry(path: string, [name, folder, config, fields, checksum]: unknown[]) {
  const texts = [name, folder, config, fields].map(String) as [string, string, string, string];
  if (checksum !== textChecksum(...texts)) {
    throw corrupt(path, `the entry ${name} is not what was written`, { table: 'collections' });
  }
  return {
    name: texts[0],
    folder: texts[1],
    config: JSON.parse(texts[2]) as unknown,
    fields: JSON.parse(texts[3]) as StoredField[],
  };
}

export function entryOf(catalog: CatalogFile, name: string): CollectionEntry | undefined {
  return entries(catalog).find((entry) => entry.name === name);
}

/** @throws LeandexError `ALREADY_EXISTS`; RangeError for a name or fields that cannot be */
export function checkNew(catalog: CatalogFile, name: string, fields: readonly StoredField[]): void {
  checkName(name);
  checkFields(fields);
  if (entryOf(catalog, name) === undefined) return;
  throw new LeandexError('ALREADY_EXISTS', `there is a collection ${JSON.stringify(name)} already`);
}

/** @throws LeandexError `ALREADY_EXISTS` */
export function addEntry(catalog: CatalogFile, entry: CollectionEntry): void {
  checkNew(catalog, entry.name, entry.fields);
  change(catalog, () => writeEntry(catalog, entry));
}

/** Puts an entry in the place of the one of its name, all at once. @returns what that was, if there was one */
export function replaceEntry(
  catalog: CatalogFile,
  entry: CollectionEntry,
): CollectionEntry | undefined {
  checkName(entry.name);
  checkFields(entry.fields);
  const before = entryOf(catalog, entry.name);
  change(catalog, () => writeEntry(catalog, entry));
  return before;
}

/** @throws LeandexError `NOT_FOUND` */
export function setConfig(catalog: CatalogFile, name: string, config: unknown): void {
  const entry = entryOf(catalog, name);
  if (entry === undefined) throw noCollection(name);
  change(catalog, () => writeEntry(catalog, { ...entry, config }));
}

/** @returns what the entry was; undefined where there was none */
export function removeEntry(catalog: CatalogFile, name: string): CollectionEntry | undefined {
  const entry = entryOf(catalog, name);
  if (entry !== undefined) {
    change(catalog, () => catalog.db.prepare('DELETE FROM collections WHERE name = ?').run(name));
  }
  return entry;
}

export function noCollection(name: string): LeandexError {
  return new LeandexError('NOT_FOUND', `there is no collection ${JSON.stringify(name)}`);
}

function writeEntry({ db }: CatalogFile, { name, folder, config, fields }: CollectionEntry): void {
  const texts = [JSON.stringify(config ?? null), JSON.stringify(fields)] as const;
  const checksum = textChecksum(name, folder, ...texts);
  const sql =
    'REPLACE INTO collections(name, folder, config, fields, checksum) VALUES (?, ?, ?, ?, ?)';
  db.prepare(sql).run(name, folder, ...texts, checksum);
}

function change({ db }: CatalogFile, write: () => unknown): void {
  db.transaction(() => {
    write();
    const count = db.prepare('SELECT count(*) FROM collections').pluck().get() as number;
    writeMeta(db, 'state', { count } satisfies CatalogState);
  })();
}
