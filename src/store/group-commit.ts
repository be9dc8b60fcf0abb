import { type CollectionFile, writeState } from './collection-file.js';

export type Outcome = { value: unknown } | { error: unknown };

/**
 * Runs writes in one transaction, with one sync for all. One that fails leaves no trace and fails
 * alone; where the transaction fails, all do, and the file is as before.
 */
export function commitGroup(file: CollectionFile, writes: readonly (() => unknown)[]): Outcome[] {
  const before = noted(file);
  try {
    file.db.exec('BEGIN IMMEDIATE');
    const outcomes = writes.map((write) => runAlone(file, write));
    writeState(file);
    file.db.exec('COMMIT');
    return outcomes;
  } catch (error) {
    if (file.db.inTransaction) rollBack(file);
    Object.assign(file, before);
    return writes.map(() => ({ error }));
  }
}

function runAlone(file: CollectionFile, write: () => unknown): Outcome {
  const before = noted(file);
  file.db.exec('SAVEPOINT one');
  try {
    const value = write();
    file.db.exec('RELEASE one');
    return { value };
  } catch (error) {
    // Some failures make SQLite give up the whole transaction.
    if (!file.db.inTransaction) throw error;
    file.db.exec('ROLLBACK TO one; RELEASE one');
    Object.assign(file, before);
    return { error };
  }
}

/** What a writer knows of its file, which changes with it. */
function noted({ state, texts }: CollectionFile): Pick<CollectionFile, 'state' | 'texts'> {
  return { state: { ...state }, texts };
}

function rollBack(file: CollectionFile): void {
  try {
    file.db.exec('ROLLBACK');
  } catch {
    // What made the transaction fail is reported.
  }
}
