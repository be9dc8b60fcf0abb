import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { LeandexError } from '../base/errors.js';
import { lockPath, ownerPath } from './layout.js';
import { type Database, openDatabase } from './sqlite.js';
import { withStoreErrors } from './sqlite-errors.js';

/**
 * A transaction that is never ended on a file of its own: whatever ends the process, the system
 * ends the lock. The file stays empty.
 */
export function takeWriterLock(store: string): Database {
  return withStoreErrors(lockPath(store), () => {
    const lock = openDatabase(lockPath(store), { readOnly: false, lockWaitMs: 0 });
    try {
      lock.pragma('journal_mode = MEMORY');
      lock.exec('BEGIN EXCLUSIVE');
      const owner = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
      writeFileSync(ownerPath(store), `${JSON.stringify(owner)}\n`);
      return lock;
    } catch (error) {
      lock.close();
      const isTaken = (error as { code?: unknown }).code === 'SQLITE_BUSY';
      throw isTaken ? taken(store, error) : error;
    }
  });
}

export function releaseWriterLock(store: string, lock: Database): void {
  rmSync(ownerPath(store), { force: true });
  lock.close();
}

function taken(store: string, cause: unknown): LeandexError {
  const owner = readOwner(store);
  const by = owner === undefined ? 'another writer' : `process ${owner.pid} on ${owner.host}`;
  return new LeandexError('BUSY', `${store} is open for writing already, by ${by}`, {
    details: { path: store, ...owner },
    cause,
  });
}

/** What the owner wrote about itself; undefined where it has not yet, or that is damaged. */
function readOwner(store: string): { pid: number; host: string; since: string } | undefined {
  try {
    return JSON.parse(readFileSync(ownerPath(store), 'utf8'));
  } catch {
    return undefined;
  }
}
