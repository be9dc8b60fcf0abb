import { readMeta, writeMeta } from './meta.js';
import { checkKind, checkTables, createTables, POINTS, pointTables } from './schema.js';
import { type Database, openDatabase, type Statement, useWriteAheadLog } from './sqlite.js';
import { corrupt, withStoreErrors } from './sqlite-errors.js';
import { readTexts, shadowTables, type TextIndex, textTableSql } from './text-tables.js';
import type { CollectionState, Durability, StoredField } from './types.js';

/** A sum of checksums stays exact below this. */
const DIGEST_MODULUS = 2 ** 52;

/** A changed row dirties part of a page, or a whole one that it shares with no other. */
const CHANGE_BYTES = 4096;

/** Measured best for vectors of 3 KB: five in a page, none on overflow pages. */
const PAGE_BYTES = 16_384;

interface FileState extends CollectionState {
  /** The sum of the checksums of all points: tells whether any is missing or too many. */
  digest: number;
}

/** A collection's points.sqlite, open in this thread. */
export interface CollectionFile {
  /** For messages. */
  readonly path: string;
  readonly db: Database;
  readonly fields: readonly StoredField[];
  readonly pageBytes: number;
  /** By their text. */
  readonly statements: Map<string, Statement>;
  /** Of a writer alone: what the file says, or will once the present transaction commits. */
  state: FileState;
  /** Of a writer alone: the indexes of texts, which it keeps up with the payloads. */
  texts: readonly TextIndex[];
  /** Of a writer alone: an estimate of what the log has grown by since the last checkpoint. */
  logBytes: number;
}

export interface FileOptions {
  readOnly: boolean;
  durability: Durability;
}

/**
 * Makes the file in a new folder, or in memory, complete and synced.
 * @param pageBytes for tests, which want small files
 */
export function createCollectionFile(
  path: string,
  fields: readonly StoredField[],
  pageBytes = PAGE_BYTES,
): Database {
  const db = openDatabase(path, { readOnly: false });
  db.pragma(`page_size = ${pageBytes}`);
  db.pragma('auto_vacuum = INCREMENTAL');
  db.pragma('synchronous = FULL');
  db.transaction(() => {
    createTables(db, POINTS, pointTables(fields.length));
    writeMeta(db, 'fields', fields);
    writeMeta(db, 'state', { count: 0, nextRow: 0, version: 0, digest: 0 } satisfies FileState);
  })();
  return db;
}

/** @throws LeandexError `CORRUPT`, `UNSUPPORTED_VERSION`, `NOT_FOUND`, ... */
export function openCollectionFile(path: string, options: FileOptions): CollectionFile {
  return withStoreErrors(path, () => {
    const db = openDatabase(path, { readOnly: options.readOnly, mustExist: true });
    try {
      const file = collectionFileOf(db, path);
      if (!options.readOnly) useWriteAheadLog(db, options.durability);
      return file;
    } catch (error) {
      db.close();
      throw error;
    }
  });
}

/** The open database as a collection, checked. */
export function collectionFileOf(db: Database, path: string): CollectionFile {
  checkKind(db, path, POINTS);
  const fields = readMeta<StoredField[]>(db, path, 'fields');
  const texts = readTexts(db, path);
  const tables = [...pointTables(fields.length), ...texts.map(textTableSql)];
  checkTables(db, path, tables, shadowTables(texts));
  const pageBytes = db.pragma('page_size', { simple: true }) as number;
  const state = readMeta<FileState>(db, path, 'state');
  return { path, db, fields, pageBytes, statements: new Map(), state, texts, logBytes: 0 };
}

/** Counters as they are committed. */
export function readState(file: CollectionFile): FileState {
  return readMeta<FileState>(file.db, file.path, 'state');
}

/** Part of the transaction that changed the points. */
export function writeState(file: CollectionFile): void {
  writeMeta(file.db, 'state', file.state);
}

/** A point was added (sign 1) or taken away (−1). */
export function countPoint(state: FileState, checksum: number, sign: 1 | -1): void {
  state.count += sign;
  state.digest = addToDigest(state.digest, sign * checksum);
}

export function addToDigest(digest: number, checksum: number): number {
  return (digest + checksum + DIGEST_MODULUS) % DIGEST_MODULUS;
}

/** Runs a statement that changes one row, with about so many bytes of content. */
export function changeRow(
  file: CollectionFile,
  sql: string,
  parameters: readonly unknown[],
  contentBytes = 0,
): void {
  statement(file, sql).run(...parameters);
  file.logBytes += CHANGE_BYTES + contentBytes;
}

/** The statement of this text, prepared once; its rows come as arrays. */
export function statement(file: CollectionFile, sql: string): Statement {
  let found = file.statements.get(sql);
  if (found === undefined) {
    found = file.db.prepare(sql);
    if (found.reader) found.raw();
    file.statements.set(sql, found);
  }
  return found;
}

/** The damage of one row of this file. */
export function damagedRow(file: CollectionFile, table: string, row: unknown): Error {
  return corrupt(file.path, `row ${row} of table ${table} is not what was written`, { table, row });
}
