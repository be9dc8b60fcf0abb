import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { LeandexError } from '../base/errors.js';
import type { Durability } from './types.js';

/** The part of a connection of better-sqlite3 that the store uses. */
export interface Database {
  readonly inTransaction: boolean;
  readonly memory: boolean;
  prepare(sql: string): Statement;
  exec(sql: string): unknown;
  pragma(text: string, options?: { simple?: boolean }): unknown;
  transaction<A extends unknown[], T>(work: (...args: A) => T): (...args: A) => T;
  close(): unknown;
}

export interface Statement {
  /** Whether it gives rows. */
  readonly reader: boolean;
  run(...values: unknown[]): unknown;
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
  /** Rows one by one; nothing can be written until the last. */
  iterate(...values: unknown[]): Iterable<unknown>;
  /** Rows as their first column. */
  pluck(): this;
  /** Rows as arrays. */
  raw(): this;
}

type Constructor = new (
  source: string | Buffer,
  options: { readonly: boolean; fileMustExist: boolean; timeout: number },
) => Database;

const PACKAGE = 'better-sqlite3';
const LOCK_WAIT_MS = 5_000;

const load = createRequire(import.meta.url);

/**
 * What is wrong with the installed better-sqlite3, if anything. Its version 13 ends the process
 * when Node 20 loads it, so its version is looked at first.
 * @param version of the package; undefined where there is none
 */
export function sqliteProblem(version: string | undefined, node: string): string | undefined {
  const isOldNode = Number.parseInt(node, 10) < 22;
  const install = `npm install ${PACKAGE}${isOldNode ? '@12' : ''}`;
  if (version === undefined) return `collections need the package ${PACKAGE}: ${install}`;
  const major = Number.parseInt(version, 10);
  if (major >= 11 && !(isOldNode && major >= 13)) return undefined;
  return `${PACKAGE} ${version} does not work here, on Node ${node}: ${install}`;
}

/** @throws LeandexError `UNSUPPORTED` where better-sqlite3 is missing or does not fit this Node. */
export function checkSqlite(): void {
  let version: string | undefined;
  try {
    version = versionOf(load.resolve(PACKAGE));
  } catch {
    // Reported below, as a package without a version.
  }
  const problem = sqliteProblem(version, process.versions.node);
  if (problem !== undefined) throw new LeandexError('UNSUPPORTED', problem);
}

/** The version of the package that a file belongs to; the package need not export its manifest. */
function versionOf(file: string): string | undefined {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest)) {
      return (JSON.parse(readFileSync(manifest, 'utf8')) as { version?: string }).version;
    }
  }
  return undefined;
}

export interface OpenOptions {
  readOnly: boolean;
  mustExist?: boolean;
  /** How long to wait for a lock that another connection holds. */
  lockWaitMs?: number;
}

/** Opens a file, `:memory:` or the bytes of a file, distrusting what is in it. */
export function openDatabase(source: string | Buffer, options: OpenOptions): Database {
  checkSqlite();
  let Database: Constructor;
  try {
    Database = load(PACKAGE) as Constructor;
  } catch (cause) {
    const problem = `${PACKAGE} cannot be loaded: ${(cause as Error).message}`;
    throw new LeandexError('UNSUPPORTED', `${problem} (npm rebuild ${PACKAGE})`, { cause });
  }
  const db = new Database(source, {
    readonly: options.readOnly,
    fileMustExist: options.mustExist ?? options.readOnly,
    timeout: options.lockWaitMs ?? LOCK_WAIT_MS,
  });
  try {
    db.pragma('trusted_schema = OFF');
    db.pragma('cell_size_check = ON');
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/**
 * The write-ahead log, synced as the durability says. SQLite would ignore a failed sync of its own
 * checkpoints, so it makes none: the writer calls them.
 */
export function useWriteAheadLog(db: Database, durability: Durability): void {
  db.pragma('journal_mode = WAL');
  db.pragma(`synchronous = ${{ always: 'FULL', batched: 'NORMAL', process: 'OFF' }[durability]}`);
  db.pragma('fullfsync = ON');
  db.pragma('checkpoint_fullfsync = ON');
  db.pragma('wal_autocheckpoint = 0');
}

/**
 * Puts everything into the one file, synced in every mode: it can then be read where nothing can
 * be written. Another process that reads it keeps the log, which is as good.
 */
export function leaveWriteAheadLog(db: Database): void {
  db.pragma('synchronous = FULL');
  db.pragma('wal_checkpoint(TRUNCATE)');
  try {
    db.pragma('journal_mode = DELETE');
  } catch (error) {
    if (!String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) throw error;
  }
}
